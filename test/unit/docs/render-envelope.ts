/** docs/reference/envelope.md: what a client may set, by the rules that answer a wrong request. */
import { clientAttributes } from "#shared/envelope";
import { code, table } from "./rendered-blocks.ts";

/** No attribute may be either: the one is no JSON, the other longer than any text. */
const AGAINST_EVERY_RULE = [Symbol("no JSON"), "\u0000".repeat(4_096)];

export function renderEnvelope(): Readonly<Record<string, string>> {
  const rows = Object.entries(clientAttributes).map(([name, schema]) => {
    const broken = AGAINST_EVERY_RULE.flatMap((value) => schema.safeParse(value).error?.issues ?? []);
    const rules = new Set(broken.map(({ message }) => message.replace(/^must (be )?/, "")));
    return [code(name), schema.safeParse(undefined).success ? "no" : "yes", [...rules].join("; ")];
  });
  return { "client-attributes": table(["Attribute", "Required", "Rule"], rows) };
}
