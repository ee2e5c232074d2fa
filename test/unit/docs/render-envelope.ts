/** docs/reference/envelope.md: what a client may set, by the rules that answer a wrong request. */
import { clientAttributes } from "#shared/envelope";
import { code, table } from "./rendered-blocks.ts";

/** Nothing that any attribute may be. */
const AGAINST_EVERY_RULE = Symbol("no JSON");

export function renderEnvelope(): Readonly<Record<string, string>> {
  const rows = Object.entries(clientAttributes).map(([name, schema]) => {
    const rule = schema.safeParse(AGAINST_EVERY_RULE).error?.issues[0]?.message ?? "";
    return [code(name), schema.safeParse(undefined).success ? "no" : "yes", rule.replace(/^must be /, "")];
  });
  return { "client-attributes": table(["Attribute", "Required", "Rule"], rows) };
}
