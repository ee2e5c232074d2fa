/**
 * The `RateLimit-Policy` and `RateLimit` response fields (draft-ietf-httpapi-ratelimit-headers-10): structured
 * field Lists (RFC 9651) whose items are Strings, the names of throttles.
 *
 * Of a policy: `q` what it grants, `w` its window in seconds, `qu` what it counts where that is not requests (a
 * job counts as one), `pk` by whom it counts, as a hash. Of a limit: `r` what would pass now, `t` the seconds
 * until one more does. A refusal tells the limits that refused alone, so that its Retry-After is not
 * earlier than any `t`. The draft is not an RFC: names may still change.
 */
import { createHash } from "node:crypto";
import { type BareItem, type Item, serializeList } from "structured-headers";
import type { Quota } from "../throttle/quota.ts";

/** Bytes of a partition's hash: enough to tell one caller's partitions apart. */
const PARTITION_BYTES = 8;

/** Header fields by lower-case name; none when no throttle applied. */
export function rateLimitHeaders(quotas: readonly Quota[]): Readonly<Record<string, string>> {
  if (quotas.length === 0) return {};
  const policy = quotas.map(policyText).join(", ");
  const violated = quotas.filter((it) => it.violated);
  const told = (violated.length > 0 ? violated : quotas).filter((it) => it.remaining !== null);
  if (told.length === 0) return { "ratelimit-policy": policy };
  return { "ratelimit-policy": policy, ratelimit: serializeList(told.map(limitItem)) };
}

/** Whole seconds for Retry-After: rounded up, at least 1. */
export function retryAfterSecondsOf(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

/** Policies as texts, which change as seldom as limits do: worked out for each request they are most of what it is told. */
const policyTexts = new Map<string, string>();
const POLICY_TEXTS_MAX = 1_000;

function policyText(of: Quota): string {
  const { name, quota, windowMs, unit, partition } = of;
  const key = JSON.stringify([name, quota, windowMs, unit, partition]);
  const known = policyTexts.get(key);
  if (known !== undefined) return known;
  if (policyTexts.size >= POLICY_TEXTS_MAX) policyTexts.clear();
  const text = serializeList([policyItem(of)]);
  policyTexts.set(key, text);
  return text;
}

function policyItem({ name, quota, windowMs, unit, partition }: Quota): Item {
  return [
    name,
    parameters({
      q: quota,
      w: windowMs === null ? null : Math.ceil(windowMs / 1_000),
      qu: unit === "jobs" ? null : unit,
      pk: partition === null ? null : hashOf(partition),
    }),
  ];
}

function limitItem({ name, remaining, resetMs }: Quota): Item {
  return [name, parameters({ r: remaining, t: resetMs === 0 ? null : Math.ceil(resetMs / 1_000) })];
}

function parameters(values: Readonly<Record<string, BareItem | null>>): Map<string, BareItem> {
  return new Map(Object.entries(values).filter((entry): entry is [string, BareItem] => entry[1] !== null));
}

function hashOf(partition: string): Buffer {
  return createHash("sha256").update(partition).digest().subarray(0, PARTITION_BYTES);
}
