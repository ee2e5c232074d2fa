/** Requests to the admission script, and what Redis holds after it, for tests. */
import type { Redis } from "ioredis";
import type { AdmissionOutcome, AdmissionRequest, AdmissionTerms } from "#shared/redis/admission";
import { roomyTerms } from "./add-job.ts";
import { everyKeyOf } from "./queue-keys.ts";

/** Terms of the queue `shop` with two lanes, of which jobs go to the newer. */
export function shopTerms(changes: Partial<AdmissionTerms> = {}): AdmissionTerms {
  return roomyTerms("shop.r2", { queue: "shop", lanes: ["shop.r1", "shop.r2"], tenant: "acme", ...changes });
}

/** A job that nobody can repeat. */
export function jobAsking(name: string, changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    jobId: `shop~${name}`,
    name: "receipt.render",
    dataText: '{"n":1}',
    acceptedAtMs: 1_700_000_000_000,
    delayMs: 0,
    terms: shopTerms(),
    revision: null,
    records: [],
    fingerprint: "-",
    dedup: "",
    ...changes,
  };
}

/** Remembered by its own id. */
export function named(name: string, changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return jobAsking(name, { records: [`id:${name}`], fingerprint: "f", ...changes });
}

export function kindsOf(outcomes: readonly AdmissionOutcome[]): string[] {
  return outcomes.map((it) => (it.kind === "refused" ? it.reason : it.kind));
}

/** Ids of all jobs of a place, whatever their state. */
export async function jobsIn(redis: Redis, prefix: string, place: string): Promise<string[]> {
  const start = `${prefix}:${place}:`;
  const keys = await redis.keys(`${start}shop~*`);
  return keys.map((key) => key.slice(start.length)).toSorted();
}

/** All that is stored under the prefix, without what opening a queue leaves there. */
export async function allStored(redis: Redis, prefix: string): Promise<Record<string, unknown>> {
  const keys = await everyKeyOf(redis, `${prefix}:`);
  return Object.fromEntries(Object.entries(keys).filter(([name]) => !name.endsWith(":meta")));
}
