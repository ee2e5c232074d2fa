/**
 * What a wire schema may not hold, because its JSON Schema would then say something else than the
 * reader does: transforms, refinements, `.catch`, coercion, and objects that strip or refuse unknown
 * fields. A lint of one schema; comparing two is not done here.
 */
import { z } from "zod";
import { compileStrictCheck, type JsonSchema } from "./strict-check.ts";

/** The parts of a zod definition that the lint looks at. */
interface Definition extends TextRule {
  readonly type: string;
  readonly coerce?: boolean;
  readonly checks?: readonly { readonly _zod: { readonly def: TextRule & { readonly check: string } } }[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly [part: string]: unknown;
}

/** A rule for text, which is a schema of its own (`z.url()`) or a check of one (`.regex()`). */
interface TextRule {
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly hostname?: RegExp;
  readonly protocol?: RegExp;
}

const TRANSFORM = "a transform or preprocess step, which readers of other builds do not share";

const REFUSED_TYPES = new Map([
  ["transform", TRANSFORM],
  ["catch", ".catch(), which destroys the value it replaces"],
  ["custom", "a custom check, which JSON Schema cannot express"],
  ["file", "z.file(), which JSON does not have"],
]);

/** One sentence for each thing in `schema` that a wire schema may not hold. */
export function shapeProblems(schema: z.ZodType): string[] {
  if (!(schema instanceof z.ZodType)) return ["schema is not a zod schema"];
  const problems: string[] = [];
  if (definitionOf(schema).type !== "object") problems.push("the data must be an object (z.looseObject)");
  visit(schema, "data", { problems, seen: new Set() });
  if (problems.length === 0) problems.push(...exportProblems(schema));
  return problems;
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

interface Walk {
  readonly problems: string[];
  readonly seen: Set<z.ZodType>;
}

function visit(schema: z.ZodType, path: string, walk: Walk): void {
  if (walk.seen.has(schema)) return;
  walk.seen.add(schema);
  const definition = definitionOf(schema);

  const refused = transforms(definition) ? TRANSFORM : REFUSED_TYPES.get(definition.type);
  if (refused !== undefined) walk.problems.push(`${path} uses ${refused}`);
  if (definition.coerce === true) walk.problems.push(`${path} coerces; declare the type that is really sent`);
  if (definition.checks?.some((check) => check._zod.def.check === "custom")) {
    walk.problems.push(
      `${path} uses refine(), which JSON Schema cannot express; other builds would not see it`,
    );
  }
  if (definition.type === "object" && definition.catchall?._zod.def.type !== "unknown") {
    walk.problems.push(
      `${path} must be z.looseObject: anything else drops or refuses fields of newer versions`,
    );
  }
  for (const rule of [definition, ...(definition.checks ?? []).map((check) => check._zod.def)]) {
    const problem = textRuleProblem(rule);
    if (problem !== null) walk.problems.push(`${path} ${problem}`);
  }
  for (const [name, part] of partsOf(schema, definition)) visit(part, `${path}${name}`, walk);
}

/** Codecs are pipes with a function; `trim()` and its like are checks that write over the value. */
function transforms(definition: Definition): boolean {
  if (definition.type === "pipe" && typeof definition.transform === "function") return true;
  return definition.checks?.some((check) => check._zod.def.check === "overwrite") ?? false;
}

/** Rules for text of which JSON Schema keeps only a part: the door would let pass what readers refuse. */
function textRuleProblem({ format, pattern, hostname, protocol }: TextRule): string | null {
  if (format === "regex" && pattern !== undefined && !/^u?$/.test(pattern.flags)) {
    return `uses a regular expression with the flags "${pattern.flags}", which JSON Schema does not have`;
  }
  if (format === "jwt") return "uses z.jwt(), which JSON Schema cannot express; use a regex";
  if (format !== "url" || (hostname === undefined && protocol === undefined)) return null;
  return "uses a URL's hostname or protocol, which JSON Schema cannot express; use a regex";
}

/** The schemas inside a schema, each with its step of the path. */
function partsOf(schema: z.ZodType, definition: Definition): [string, z.ZodType][] {
  const fields = Object.entries(definition.shape ?? {}).map(([name, part]): [string, z.ZodType] => [
    `.${name}`,
    part,
  ]);
  const inner = schema instanceof z.ZodLazy ? [schema.unwrap()] : [];
  const others = ["element", "innerType", "valueType", "keyType", "left", "right", "in", "out", "rest"].map(
    (name) => definition[name],
  );
  const lists = ["options", "items"].flatMap((name) => definition[name] ?? []);
  const nested = [...inner, ...others, ...lists].filter(
    (part): part is z.ZodType => part instanceof z.ZodType,
  );
  return [...fields, ...nested.map((part): [string, z.ZodType] => ["", part])];
}

function exportProblems(schema: z.ZodType): string[] {
  try {
    const { $schema: _dialect, ...body } = z.toJSONSchema(schema, { io: "input" });
    // The door must be able to use it: it reads every regular expression as a Unicode one.
    compileStrictCheck(body as JsonSchema, "");
    return [];
  } catch (error) {
    return [`cannot be used as JSON Schema: ${error instanceof Error ? error.message : String(error)}`];
  }
}
