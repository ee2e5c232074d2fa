/** Facts that only the source text has, such as comments and literals: read from its syntax tree. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "./rendered-blocks.ts";

/** The TypeScript files below these folders; a file's own path stands for itself. */
export function sourcesIn(...places: readonly string[]): readonly string[] {
  return places.flatMap((place) => filesBelow(place)).filter((path) => /\.m?ts$/.test(path));
}

/** Files below a folder, at any depth, by their paths from the root; none when it is not there. */
export function filesBelow(place: string): readonly string[] {
  if (!existsSync(join(ROOT, place))) return [];
  if (statSync(join(ROOT, place)).isFile()) return [place];
  const names = readdirSync(join(ROOT, place)).filter((name) => name !== "node_modules");
  return names.toSorted().flatMap((name) => filesBelow(`${place}/${name}`));
}

export function parseSource(path: string): ts.SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
}

/** Every node below `node`, itself included. */
export function* walk(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* walk(child);
}

/** The documentation comment of a declaration in one line, "" when it has none. */
export function commentOf(node: ts.Node): string {
  const comments = ts.getJSDocCommentsAndTags(node).filter((it) => ts.isJSDoc(it));
  const text = comments.map((it) => ts.getTextOfJSDocComment(it.comment) ?? "").join(" ");
  return text.replace(/\s+/g, " ").trim();
}

export interface ErrorClass {
  readonly name: string;
  readonly code: string;
  readonly retryability: string;
  /** Names of the facts it carries beside its message. */
  readonly fields: readonly string[];
  readonly meaning: string;
}

/** Where error classes are. */
export const ERROR_SOURCES: readonly string[] = [
  "shared/errors.ts",
  "shared/admission-errors.ts",
  "autoscaler/simulator/trace-error.ts",
];

/** The exported, concrete classes of a file that declare a `code`; one that may have several is there for each. */
export function errorClassesIn(path: string): readonly ErrorClass[] {
  const classes = [...walk(parseSource(path))].filter((it) => ts.isClassDeclaration(it));
  return classes.flatMap((declaration) => {
    const properties = declaration.members.filter((it) => ts.isPropertyDeclaration(it));
    const literal = (name: string) => {
      const found = properties.find((it) => it.name.getText() === name)?.initializer;
      return found !== undefined && ts.isStringLiteral(found) ? found.text : null;
    };
    const fields = properties.map((it) => it.name.getText());
    return declaredCodes(properties.find((it) => it.name.getText() === "code")).map((code) => ({
      name: declaration.name?.text ?? "",
      code,
      retryability: literal("retryability") ?? "",
      fields: fields.filter((it) => it !== "code" && it !== "retryability"),
      meaning: commentOf(declaration),
    }));
  });
}

/** The text that a property is set to, or those that its type allows. */
function declaredCodes(property: ts.PropertyDeclaration | undefined): readonly string[] {
  const { initializer, type } = property ?? {};
  if (initializer !== undefined) return ts.isStringLiteral(initializer) ? [initializer.text] : [];
  if (type === undefined || !ts.isUnionTypeNode(type)) return [];
  return type.types.flatMap((it) =>
    ts.isLiteralTypeNode(it) && ts.isStringLiteral(it.literal) ? [it.literal.text] : [],
  );
}

/** The string literals given to properties named `code` in object literals, each with its neighbours. */
export interface CodeLiteral {
  readonly code: string;
  readonly path: string;
  /** The other properties of the same object literal whose values are plain literals. */
  readonly beside: Readonly<Record<string, string | number>>;
}

export function codeLiteralsIn(paths: readonly string[]): readonly CodeLiteral[] {
  return paths.flatMap((path) =>
    [...walk(parseSource(path))]
      .filter((it) => ts.isObjectLiteralExpression(it))
      .flatMap((object) => codesOf(object).map((it) => ({ code: it, path, beside: literalsOf(object) }))),
  );
}

function codesOf(object: ts.ObjectLiteralExpression): readonly string[] {
  const property = object.properties.find((it) => it.name?.getText() === "code");
  if (property === undefined || !ts.isPropertyAssignment(property)) return [];
  // Also both sides of a conditional.
  return [...walk(property.initializer)]
    .filter((it) => ts.isStringLiteral(it))
    .map((it) => it.text)
    .filter((text) => /^[A-Z][A-Z0-9_]+$/.test(text));
}

function literalsOf(object: ts.ObjectLiteralExpression): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    object.properties.flatMap((it): [string, string | number][] => {
      if (!ts.isPropertyAssignment(it)) return [];
      const { initializer } = it;
      if (ts.isStringLiteral(initializer)) return [[it.name.getText(), initializer.text]];
      if (ts.isNumericLiteral(initializer)) return [[it.name.getText(), Number(initializer.text)]];
      return ts.isPropertyAccessExpression(initializer) ? [[it.name.getText(), initializer.name.text]] : [];
    }),
  );
}

/** Members of an exported object literal, each with its comment: `{ name, comment }`. */
export function commentedMembersOf(path: string, constant: string) {
  const declaration = [...walk(parseSource(path))].find(
    (it): it is ts.VariableDeclaration => ts.isVariableDeclaration(it) && it.name.getText() === constant,
  );
  const object =
    declaration === undefined
      ? undefined
      : [...walk(declaration)].find((it): it is ts.ObjectLiteralExpression =>
          ts.isObjectLiteralExpression(it),
        );
  return (object?.properties ?? ([] as readonly ts.ObjectLiteralElementLike[])).map((it) => ({
    name: it.name?.getText() ?? "",
    comment: commentOf(it),
  }));
}

export interface Route {
  readonly method: string;
  /** With parameters as `{id}`. */
  readonly path: string;
}

/** The routes that a file adds to a Fastify server. */
export function routesIn(path: string): readonly Route[] {
  return [...walk(parseSource(path))].flatMap((node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
    const method = node.expression.name.text.toUpperCase();
    const [first] = node.arguments;
    if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method) || first === undefined) return [];
    if (!ts.isStringLiteral(first) || !first.text.startsWith("/")) return [];
    return [{ method, path: first.text.replace(/:(\w+)/g, "{$1}") }];
  });
}
