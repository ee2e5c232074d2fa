/**
 * Pairs of wire schemas, the second made from the first by one to three small edits: the changes that
 * authors make to a contract, in both directions, harmless ones and others.
 */
import fc from "fast-check";
import type { JsonSchema } from "#shared/contracts/wire-schema";
import { fieldSchemas, NAMES, nullable, TEXT_RULES, wireSchemas, withKind } from "./wire-schemas.ts";

export interface SchemaPair {
  readonly before: JsonSchema;
  readonly after: JsonSchema;
}

/** What an edit draws its choices from. */
interface Dice {
  readonly number: number;
  readonly name: string;
  /** A field's schema, to put somewhere. */
  readonly fresh: JsonSchema;
}

/** The edited schema, or `null` where the edit does not apply. */
type Edit = (schema: JsonSchema, dice: Dice) => JsonSchema | null;

interface DrawnEdit extends Dice {
  readonly place: number;
  readonly edit: number;
}

const EDITS_MAX = 3;

export function schemaPairs(): fc.Arbitrary<SchemaPair> {
  const edit: fc.Arbitrary<DrawnEdit> = fc.record({
    place: fc.nat(),
    edit: fc.nat(),
    number: fc.nat(1_000),
    name: fc.constantFrom(...NAMES),
    fresh: fieldSchemas(1),
  });
  return fc
    .tuple(wireSchemas(), fc.array(edit, { minLength: 1, maxLength: EDITS_MAX }))
    .map(([before, edits]) => ({ before, after: edits.reduce(edited, before) }));
}

function edited({ $defs, ...schema }: JsonSchema, drawn: DrawnEdit): JsonSchema {
  const places = placesOf(schema, []);
  const place = places[drawn.place % places.length] ?? [];
  const after = changedAt(schema, place, (node) => {
    const possible = EDITS.map((edit) => edit(node, drawn)).filter((result) => result !== null);
    return possible[drawn.edit % possible.length] ?? node;
  });
  return { ...after, $defs };
}

type Path = readonly (string | number)[];

/** The paths of the schemas in a schema, itself first. Definitions are left as they are. */
function placesOf(schema: JsonSchema, path: Path): Path[] {
  const inner: Path[] = [];
  for (const keyword of ["items", "additionalProperties", "propertyNames"]) {
    if (isSchema(schema[keyword])) inner.push(...placesOf(schema[keyword], [...path, keyword]));
  }
  for (const keyword of ["anyOf", "oneOf", "allOf", "prefixItems", "properties", "patternProperties"]) {
    for (const [step, part] of Object.entries(schema[keyword] ?? {})) {
      inner.push(...placesOf(part as JsonSchema, [...path, keyword, step]));
    }
  }
  return [path, ...inner];
}

function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === "object" && Object.keys(value).length > 0;
}

function changedAt(value: unknown, path: Path, change: (node: JsonSchema) => JsonSchema): JsonSchema {
  const [step, ...rest] = path;
  if (step === undefined) return change(value as JsonSchema);
  if (Array.isArray(value)) {
    return value.with(Number(step), changedAt(value[Number(step)], rest, change)) as unknown as JsonSchema;
  }
  const node = value as JsonSchema;
  return { ...node, [step]: changedAt(node[step], rest, change) };
}

const EDITS: readonly Edit[] = [
  // Limits, wider and narrower.
  shifted("minLength", 1),
  shifted("minLength", -1),
  shifted("maxLength", 1),
  shifted("maxLength", -1),
  shifted("minimum", 1),
  shifted("minimum", -1),
  shifted("maximum", 1),
  shifted("maximum", -1),
  shifted("exclusiveMinimum", 1),
  shifted("exclusiveMaximum", -1),
  shifted("minItems", 1),
  shifted("minItems", -1),
  shifted("maxItems", 1),
  shifted("maxItems", -1),
  without("minLength"),
  without("maxLength"),
  without("minimum"),
  without("maximum"),
  without("exclusiveMinimum"),
  without("minItems"),
  without("maxItems"),
  without("pattern"),
  without("format"),
  without("multipleOf"),
  without("propertyNames"),
  without("default"),
  (schema, { number }) => limited(schema, "string", { minLength: number % 4 }),
  (schema, { number }) => limited(schema, "string", { maxLength: number % 8 }),
  (schema, { number }) => limited(schema, "integer", { minimum: number % 10 }),
  (schema, { number }) => limited(schema, "number", { exclusiveMaximum: number % 50 }),
  (schema, { number }) => limited(schema, "array", { maxItems: number % 4 }),
  (schema, { number }) => limited(schema, "string", TEXT_RULES[number % TEXT_RULES.length] ?? {}),
  (schema, { number }) => multiplied(schema, number),
  (schema) => inclusive(schema),
  // Types and values.
  (schema) => (schema.type === "integer" ? { ...schema, type: "number" } : null),
  (schema) => (schema.type === "number" ? { ...schema, type: "integer" } : null),
  (schema) => (schema.type === undefined ? null : nullable(schema)),
  (schema) => notNull(schema),
  (_schema, { fresh }) => fresh,
  (schema) => (schema.type === "object" ? null : {}),
  (schema, { name }) => withValues(schema, (values) => [...values, name]),
  (schema, { number }) =>
    withValues(schema, (values) => values.filter((_, at) => at !== number % values.length)),
  (schema) => (schema.enum === undefined ? null : { type: "string" }),
  (schema) =>
    schema.type === "string" && schema.enum === undefined ? { ...schema, enum: ["red", "a"] } : null,
  (schema, { number }) => (schema.type === "integer" ? { ...schema, default: number } : null),
  (schema) => ({ ...schema, description: "the same with other words" }),
  (schema) => (schema.$ref === undefined ? { allOf: [schema] } : null),
  // Fields.
  (schema, { name, fresh }) => withField(schema, name, fresh),
  (schema, { name, fresh }) => requiring(withField(schema, name, fresh), name),
  (schema, { number }) => withoutField(schema, fieldAt(schema, number)),
  (schema, { number }) => requiring(schema, fieldAt(schema, number)),
  (schema, { number }) => notRequiring(schema, number),
  (schema, { name, number }) => renamed(schema, fieldAt(schema, number), name),
  (schema) => (isPlainObject(schema) ? { ...schema, additionalProperties: false } : null),
  (schema, { fresh }) => (schema.type === "object" ? { ...schema, additionalProperties: fresh } : null),
  (schema) => (schema.type === "object" ? { ...schema, additionalProperties: {} } : null),
  // Branches and items.
  (schema, { fresh, number }) => withBranch(schema, fresh, number),
  (schema, { number }) => withoutBranch(schema, number),
  (schema, { fresh }) => withItem(schema, fresh),
  (schema) => withoutItem(schema),
  (schema, { fresh }) => (schema.items === undefined ? null : { ...schema, items: fresh }),
  (schema) => (schema.prefixItems === undefined ? null : { ...schema, items: false }),
];

function shifted(keyword: string, by: number): Edit {
  return (schema) => {
    const limit = schema[keyword];
    if (typeof limit !== "number" || (limit + by < 0 && !/imum/i.test(keyword))) return null;
    return { ...schema, [keyword]: limit + by };
  };
}

function without(keyword: string): Edit {
  return (schema) => {
    const { [keyword]: taken, ...others } = schema;
    return taken === undefined ? null : others;
  };
}

function limited(schema: JsonSchema, type: string, limit: JsonSchema): JsonSchema | null {
  return schema.type === type ? { ...schema, ...limit } : null;
}

function multiplied(schema: JsonSchema, number: number): JsonSchema | null {
  if (schema.type !== "integer" && schema.type !== "number") return null;
  const step = typeof schema.multipleOf === "number" ? schema.multipleOf : 1;
  return { ...schema, multipleOf: [step * 2, step * 3, 1, 6, 0.05][number % 5] ?? 1 };
}

function inclusive(schema: JsonSchema): JsonSchema | null {
  const { exclusiveMaximum, ...others } = schema;
  return exclusiveMaximum === undefined ? null : { ...others, maximum: exclusiveMaximum };
}

function notNull(schema: JsonSchema): JsonSchema | null {
  if (Array.isArray(schema.type)) return { ...schema, type: schema.type[0] };
  const [first, second] = (schema.anyOf as JsonSchema[] | undefined) ?? [];
  return first !== undefined && second?.type === "null" ? first : null;
}

function withValues(schema: JsonSchema, change: (values: unknown[]) => unknown[]): JsonSchema | null {
  if (!Array.isArray(schema.enum)) return null;
  const values = [...new Set(change(schema.enum))];
  return values.length === 0 ? null : { ...schema, enum: values };
}

function isPlainObject(schema: JsonSchema): boolean {
  return schema.properties !== undefined;
}

function fieldsOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function requiredOf(schema: JsonSchema): readonly string[] {
  return (schema.required ?? []) as readonly string[];
}

function fieldAt(schema: JsonSchema, number: number): string {
  const names = Object.keys(fieldsOf(schema));
  return names[number % names.length] ?? "";
}

function withField(schema: JsonSchema, name: string, field: JsonSchema): JsonSchema | null {
  if (!isPlainObject(schema) || Object.hasOwn(fieldsOf(schema), name)) return null;
  return { ...schema, properties: { ...fieldsOf(schema), [name]: field } };
}

function withoutField(schema: JsonSchema, name: string): JsonSchema | null {
  if (!Object.hasOwn(fieldsOf(schema), name)) return null;
  const { [name]: _taken, ...properties } = fieldsOf(schema);
  return { ...schema, properties, required: requiredOf(schema).filter((it) => it !== name) };
}

function requiring(schema: JsonSchema | null, name: string): JsonSchema | null {
  if (schema === null || !Object.hasOwn(fieldsOf(schema), name)) return null;
  return { ...schema, required: [...new Set([...requiredOf(schema), name])] };
}

function notRequiring(schema: JsonSchema, number: number): JsonSchema | null {
  const required = requiredOf(schema);
  return required.length === 0
    ? null
    : { ...schema, required: required.toSpliced(number % required.length, 1) };
}

function renamed(schema: JsonSchema, name: string, to: string): JsonSchema | null {
  const field = fieldsOf(schema)[name];
  const rest = withoutField(schema, name);
  return field === undefined || rest === null ? null : withField(rest, to, field);
}

function branchesOf(schema: JsonSchema): readonly ["anyOf" | "oneOf", readonly JsonSchema[]] | null {
  if (Array.isArray(schema.anyOf)) return ["anyOf", schema.anyOf];
  return Array.isArray(schema.oneOf) ? ["oneOf", schema.oneOf] : null;
}

function withBranch(schema: JsonSchema, fresh: JsonSchema, number: number): JsonSchema | null {
  const [keyword, branches] = branchesOf(schema) ?? [];
  if (keyword === undefined || branches === undefined) return null;
  const branch = keyword === "oneOf" ? withKind(fresh, `w${number}`) : fresh;
  return { ...schema, [keyword]: [...branches, branch] };
}

function withoutBranch(schema: JsonSchema, number: number): JsonSchema | null {
  const [keyword, branches] = branchesOf(schema) ?? [];
  if (keyword === undefined || branches === undefined || branches.length < 2) return null;
  return { ...schema, [keyword]: branches.toSpliced(number % branches.length, 1) };
}

function withItem(schema: JsonSchema, fresh: JsonSchema): JsonSchema | null {
  if (!Array.isArray(schema.prefixItems)) return null;
  const { maxItems: _fixed, ...others } = schema;
  return { ...others, prefixItems: [...schema.prefixItems, fresh] };
}

function withoutItem(schema: JsonSchema): JsonSchema | null {
  if (!Array.isArray(schema.prefixItems) || schema.prefixItems.length < 2) return null;
  const { minItems: _fixed, ...others } = schema;
  return { ...others, prefixItems: schema.prefixItems.slice(0, -1) };
}
