/** What an accepted job survives, as the API found it in Redis itself. */
import { z } from "zod";
import { send } from "../http-client.ts";

const ready = z.object({ durability: z.object({ level: z.string(), basis: z.string() }) });

const MEANINGS = new Map([
  ["disk", "an accepted job is on disk before the answer"],
  ["process", "an accepted job survives crashes, not a power loss"],
]);

export async function describeDurability(apiUrl: string): Promise<string> {
  try {
    const { value } = await send({ method: "GET", baseUrl: apiUrl, path: "/readyz", timeoutMs: 2_000 });
    const { level, basis } = ready.parse(value).durability;
    return `${level} (${basis}): ${MEANINGS.get(level) ?? "see the operator page"}`;
  } catch {
    return "not known: the API did not say";
  }
}
