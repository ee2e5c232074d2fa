/** A document in Redis with its revision beside it, changed only by whoever has seen the revision that is there. */
import type { RedisConnection } from "./connection.ts";

/** KEYS: document, revision. ARGV: expected revision, new revision, new document. Returns 1 when set. */
const COMPARE_AND_SET = `
if tonumber(redis.call("GET", KEYS[2]) or "0") ~= tonumber(ARGV[1]) then return 0 end
redis.call("MSET", KEYS[1], ARGV[3], KEYS[2], ARGV[2])
return 1
`;

/** Others may change it at the same moment; each lost race is one retry. */
export const CAS_ATTEMPTS_MAX = 20;

export interface Replacement {
  readonly key: string;
  readonly revisionKey: string;
  /** The revision that must still be there; 0: nothing is stored. */
  readonly expected: number;
  readonly document: { readonly revision: number };
}

/** Answers whether it was set. */
export async function compareAndSet(
  redis: RedisConnection,
  { key, revisionKey, expected, document }: Replacement,
): Promise<boolean> {
  const { revision } = document;
  const text = JSON.stringify(document);
  return (await redis.eval(COMPARE_AND_SET, 2, key, revisionKey, expected, revision, text)) === 1;
}
