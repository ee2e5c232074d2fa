/**
 * What a wire schema may not hold, because its JSON Schema would then say something else than the
 * reader does: transforms, refinements, `.catch`, coercion, and objects that strip or refuse unknown
 * fields. A lint of one schema; comparing two is not done here.
 */
import { z } from "zod";

/** The parts of a zod definition that the lint looks at. */
interface Definition {
  readonly type: string;
  readonly coerce?: boolean;
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly check: string } } }[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly [part: string]: unknown;
}

const TRANSFORM = "a transform or preprocess step, which readers of other builds do not share";

const REFUSED_TYPES = new Map([
  ["transform", TRANSFORM],
  ["catch", ".catch(), which destroys the value it replaces"],
  ["custom", "a custom check, which JSON Schema cannot express"],
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
  for (const [name, part] of partsOf(schema, definition)) visit(part, `${path}${name}`, walk);
}

/** Codecs are pipes with a function; `trim()` and its like are checks that write over the value. */
function transforms(definition: Definition): boolean {
  if (definition.type === "pipe" && typeof definition.transform === "function") return true;
  return definition.checks?.some((check) => check._zod.def.check === "overwrite") ?? false;
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
    z.toJSONSchema(schema, { io: "input" });
    return [];
  } catch (error) {
    return [`cannot be written as JSON Schema: ${error instanceof Error ? error.message : String(error)}`];
  }
}
