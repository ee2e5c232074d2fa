/** The commands that Redis carries out while something happens, those inside scripts included. */
import type { Redis } from "ioredis";

/** By name, lower case; what the counting itself needs is left out. */
export async function commandsDuring(
  redis: Redis,
  act: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const before = await callsOf(redis);
  await act();
  const after = await callsOf(redis);
  const counts = [...after].map(([name, calls]) => [name, calls - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(
    counts.filter(([name, calls]) => calls > 0 && name !== "info").toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function callsOf(redis: Redis): Promise<ReadonlyMap<string, number>> {
  const text = await redis.info("commandstats");
  const line = /^cmdstat_(\S+?):calls=(\d+)/gm;
  return new Map([...text.matchAll(line)].map(([, name = "", calls]) => [name, Number(calls)]));
}
