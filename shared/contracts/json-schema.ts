/** A zod schema as the JSON Schema that is published: what a writer may send, in JSON Schema 2020-12. */
import { z } from "zod";
import type { JsonSchema } from "./wire-schema.ts";

/**
 * Plain data, the same after a trip through JSON.
 *
 * @throws when the schema holds what JSON does not have.
 */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  // What a writer may leave out counts, not what a reader fills in.
  const { $schema: _dialect, ...body } = z.toJSONSchema(schema, { io: "input" });
  return JSON.parse(JSON.stringify(body));
}
