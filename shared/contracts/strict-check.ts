/**
 * The strict check at the door: data against the declared version's JSON Schema, unknown fields refused.
 *
 * Writer closed, reader open: because nothing undeclared is ever stored, a newer version may add an
 * optional field without an older writer having used that name before. The schemas come from the
 * registry as data, so a producer can check versions it has no code for.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import * as formats from "ajv-formats";
import { core } from "zod";
import type { Issue } from "../errors.ts";
import { pointerTo } from "../json-pointer.ts";
import { closed, type JsonSchema, nodesOf } from "./wire-schema.ts";

export { closed, type JsonSchema } from "./wire-schema.ts";

/** Issues of one document shown at most; a hostile one could have thousands. */
const ISSUES_MAX = 20;

/** Answers the issues of a document, empty when it is valid. Pointers start at `pointerPrefix`. */
export type StrictCheck = (data: unknown) => readonly Issue[];

/** Compiles `schema` closed, as the door asks. Compiling costs milliseconds: keep the result. */
export function compileStrictCheck(schema: JsonSchema, pointerPrefix: string): StrictCheck {
  requireUsable(schema);
  return compileCheck(closed(schema), pointerPrefix);
}

/**
 * Asks whether the door could compile `schema`, without compiling it: it must be a valid JSON Schema, its
 * regular expressions Unicode ones.
 *
 * @throws {Error} saying why not.
 */
export function requireUsable(schema: JsonSchema): void {
  // One for all: it compiles the schema of schemas, which takes ten times as long as an ordinary one.
  judge ??= newChecker();
  if (judge.validateSchema(schema) !== true)
    throw new Error(judge.errorsText(judge.errors, { dataVar: "it" }));
  for (const { node } of nodesOf(schema)) {
    for (const pattern of [node.pattern, ...Object.keys(node.patternProperties ?? {})]) {
      if (typeof pattern === "string") new RegExp(pattern, "u");
    }
  }
}

/** Compiles `schema` as it is. It must be a valid schema: asking that is not done here. */
export function compileCheck(schema: JsonSchema | boolean, pointerPrefix: string): StrictCheck {
  const validate: ValidateFunction = newChecker().compile(schema);
  return (data) => {
    if (validate(data)) return [];
    return (validate.errors ?? []).slice(0, ISSUES_MAX).map((error) => toIssue(error, pointerPrefix));
  };
}

let judge: Ajv2020 | null = null;

function newChecker(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    validateSchema: false,
    validateFormats: true,
    ownProperties: true,
    // It would print each format it does not know; zod writes a pattern beside those.
    logger: false,
  });
  formats.default.default(ajv);
  multiplesAsReadersSeeThem(ajv);
  return ajv;
}

/** Ajv divides doubles, so 19.99 would be no multiple of 0.01; readers compare decimals. */
function multiplesAsReadersSeeThem(ajv: Ajv2020): void {
  ajv.removeKeyword("multipleOf");
  ajv.addKeyword({
    keyword: "multipleOf",
    type: "number",
    schemaType: "number",
    validate: (step: number, value: number) => core.util.floatSafeRemainder(value, step) === 0,
    error: { message: ({ schema }) => `must be a multiple of ${schema}` },
  });
}

function toIssue(error: ErrorObject, prefix: string): Issue {
  const at = prefix + error.instancePath;
  const field = fieldOf(error);
  const pointer = field === null ? at : at + pointerTo([field]);
  switch (error.keyword) {
    case "additionalProperties":
      return { pointer, rule: "unknown-field", message: "is not a field of this version; remove it" };
    case "required":
      return { pointer, rule: "required", message: "is missing; this version requires it" };
    case "enum":
      return { pointer, rule: "enum", message: `must be one of ${allowedValues(error)}` };
    default:
      return { pointer, rule: error.keyword, message: error.message ?? "is not valid" };
  }
}

function fieldOf(error: ErrorObject): string | null {
  if (error.keyword === "additionalProperties") return String(error.params.additionalProperty);
  if (error.keyword === "required") return String(error.params.missingProperty);
  return null;
}

function allowedValues(error: ErrorObject): string {
  const allowed: unknown = error.params.allowedValues;
  return Array.isArray(allowed)
    ? allowed.map((value) => JSON.stringify(value)).join(", ")
    : "the listed values";
}
