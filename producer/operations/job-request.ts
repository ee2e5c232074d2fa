/** The two forms in which a client hands in a job, as the documents show them; `envelope.ts` checks them. */
import { z } from "zod";
import { clientAttributes } from "#shared/envelope";
import { component } from "#shared/http/operation";

/** Names of attributes that are RFC 3339 timestamps. */
const MOMENTS = new Set(["expirytime", "scheduledtime"]);

/** Each attribute with its own rule as its description; the rule is what a refusal would say. */
export const describedAttributes = Object.fromEntries(
  Object.entries(clientAttributes).map(([name, schema]) => {
    const rule = (schema as z.ZodType).safeParse(null).error?.issues[0]?.message ?? "";
    const shown = MOMENTS.has(name) ? momentLike(schema) : schema.clone();
    return [name, shown.describe(rule.replace(/^must be /, ""))];
  }),
) as unknown as typeof clientAttributes;

export const jobRequestSchema = component("JobRequest", z.strictObject(describedAttributes));

export const cloudEventSchema = component(
  "CloudEvent",
  z.looseObject({
    ...describedAttributes,
    specversion: z.literal("1.0"),
    datacontenttype: z.literal("application/json").optional(),
  }),
);

function momentLike(schema: z.ZodType): z.ZodType {
  const moment = z.string().meta({ format: "date-time" });
  return schema.safeParse(undefined).success ? moment.optional() : moment;
}
