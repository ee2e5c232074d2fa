/**
 * What a wire schema may not hold, because its JSON Schema would then say something else than the
 * reader does: transforms, refinements, `.catch`, coercion, and objects that strip or refuse unknown
 * fields; and what no later version could be compared with. A lint of one schema; comparing two is not
 * done here. What only shows in the exported JSON Schema is in `export-lint.ts`.
 */
import { z } from "zod";
import { exportFindings } from "./export-lint.ts";
import type { LintFinding } from "./lint-finding.ts";
import { ambiguousUnion } from "./union-lint.ts";
import { OPEN_ENUM_KEYWORD, openEnumOf } from "./wire-schema.ts";

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

type Finding = Omit<LintFinding, "path">;

const TRANSFORM: Finding = {
  code: "OPAQUE_TRANSFORM",
  message: "uses a transform or preprocess step, which readers of other builds do not share",
};

const REFUSED_TYPES = new Map<string, Finding>([
  ["transform", TRANSFORM],
  ["catch", { code: "LOSSY_CATCH", message: "uses .catch(), which destroys the value it replaces" }],
  ["custom", { code: "OPAQUE_REFINEMENT", message: "uses a custom check, which JSON Schema cannot express" }],
  ["file", { code: "UNREPRESENTABLE", message: "uses z.file(), which JSON does not have" }],
]);

/** Names that `.meta()` may hold: they say nothing of what is valid. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  "id",
  "title",
  "description",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
]);

/** Everything in `schema` that a wire schema may not hold; empty when it can be published. */
export function lintSchema(schema: z.ZodType): readonly LintFinding[] {
  if (!(schema instanceof z.ZodType)) {
    return [{ code: "NOT_A_SCHEMA", path: "schema", message: "is not a zod schema" }];
  }
  const findings: LintFinding[] = [];
  if (definitionOf(schema).type !== "object") {
    const message = "must be an object (z.looseObject)";
    findings.push({ code: "ROOT_NOT_OBJECT", path: "data", message });
  }
  visit(schema, "data", { findings, seen: new Set() });
  return findings.length === 0 ? exportFindings(schema) : findings;
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

interface Walk {
  readonly findings: LintFinding[];
  readonly seen: Set<z.ZodType>;
}

function visit(schema: z.ZodType, path: string, walk: Walk): void {
  if (walk.seen.has(schema)) return;
  walk.seen.add(schema);
  const definition = definitionOf(schema);
  const found = [
    transforms(definition) ? TRANSFORM : REFUSED_TYPES.get(definition.type),
    ...ruleFindings(definition),
    objectFinding(definition),
    ...[definition, ...(definition.checks ?? []).map((check) => check._zod.def)].map(textRuleFinding),
    ...metaFindings(schema),
    definition.type === "union" && ambiguousUnion(schema) ? AMBIGUOUS : null,
  ];
  for (const finding of found) {
    if (finding !== null && finding !== undefined) walk.findings.push({ path, ...finding });
  }
  for (const [name, part] of partsOf(schema, definition)) visit(part, `${path}${name}`, walk);
}

const AMBIGUOUS: Finding = {
  code: "AMBIGUOUS_UNION",
  message:
    "is a union of objects that no field tells apart; give each a required literal of its own under one " +
    "name and use z.discriminatedUnion",
};

/** Codecs are pipes with a function; `trim()` and its like are checks that write over the value. */
function transforms(definition: Definition): boolean {
  if (definition.type === "pipe" && typeof definition.transform === "function") return true;
  return definition.checks?.some((check) => check._zod.def.check === "overwrite") ?? false;
}

function ruleFindings(definition: Definition): Finding[] {
  const findings: Finding[] = [];
  if (definition.coerce === true) {
    findings.push({ code: "COERCION", message: "coerces; declare the type that is really sent" });
  }
  if (definition.checks?.some((check) => check._zod.def.check === "custom")) {
    const message = "uses refine(), which JSON Schema cannot express; other builds would not see it";
    findings.push({ code: "OPAQUE_REFINEMENT", message });
  }
  return findings;
}

function objectFinding({ type, catchall }: Definition): Finding | null {
  if (type !== "object" || catchall?._zod.def.type === "unknown") return null;
  return {
    code: catchall === undefined ? "STRIPPING_OBJECT" : "CLOSED_READER",
    message: "must be z.looseObject: anything else drops or refuses fields of newer versions",
  };
}

/** Rules for text of which JSON Schema keeps only a part: the door would let pass what readers refuse. */
function textRuleFinding({ format, pattern, hostname, protocol }: TextRule): Finding | null {
  const code = "OPAQUE_TEXT_RULE";
  if (format === "regex" && pattern !== undefined && !/^u?$/.test(pattern.flags)) {
    const message = `uses a regular expression with the flags "${pattern.flags}", which JSON Schema does not have`;
    return { code, message };
  }
  if (format === "jwt")
    return { code, message: "uses z.jwt(), which JSON Schema cannot express; use a regex" };
  if (format !== "url" || (hostname === undefined && protocol === undefined)) return null;
  return {
    code,
    message: "uses a URL's hostname or protocol, which JSON Schema cannot express; use a regex",
  };
}

/** What `.meta()` says is exported over what the schema says itself, and no reader checks it. */
function metaFindings(schema: z.ZodType): Finding[] {
  const meta = z.globalRegistry.get(schema) ?? {};
  return Object.keys(meta).flatMap((name): Finding[] => {
    if (ANNOTATIONS.has(name)) return [];
    const isOpenEnum = openEnumOf(meta) !== null && definitionOf(schema).type === "string";
    if (name === OPEN_ENUM_KEYWORD ? isOpenEnum : name.startsWith("x-")) return [];
    const message = `has "${name}" in .meta(), which its reader does not check; say it with zod's own methods`;
    return [{ code: "UNSUPPORTED_KEYWORD", message }];
  });
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
