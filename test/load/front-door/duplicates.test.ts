/**
 * 50 requests at once with one key, 200 times, against producers that are killed at random and started again, with
 * connections cut right after the request was written: exactly one job a key, and no 202 without a job.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { DEFAULT_QUEUE_LIMITS } from "#shared/limits/limits-document";
import { keysOf } from "#shared/redis/keys";
import { LimitsStore } from "#shared/redis/limits-store";
import { Dice } from "#test/support/dice";
import { type Stack, stackTest } from "#test/support/stack";
import { MortalProducers } from "./mortal-producers.ts";
import { rawPost } from "./raw-post.ts";

const KEYS = 200;
const REQUESTS = 50;
/** Keys under way at once. */
const LANES = 4;
const PRODUCERS = 2;
const CUT_SHARE = 0.3;

const LANE = "sluice:probe.r1";

/** What a kind of job carries, where it rests, and whether its queue has priorities. */
const kinds = {
  plain: { more: () => ({}), resting: (stack: Stack) => stack.redis.llen(`${LANE}:wait`), priorities: false },
  scheduled: {
    more: () => ({ scheduledtime: new Date(Date.now() + 3_600_000).toISOString() }),
    resting: (stack: Stack) => stack.redis.zcard(`${LANE}:delayed`),
    priorities: false,
  },
  prioritised: {
    more: () => ({ priority: "high" }),
    resting: (stack: Stack) => stack.redis.zcard(`${LANE}:prioritized`),
    priorities: true,
  },
} as const;

interface Tally {
  readonly told: Map<string, Set<string>>;
  readonly statuses: Record<string, number>;
  readonly outcomes: Record<string, number>;
  requests: number;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Sends one request and notes what came of it. */
async function ask(
  producers: MortalProducers,
  { key, body, isCut }: { readonly key: string; readonly body: string; readonly isCut: boolean },
  tally: Tally,
): Promise<boolean> {
  const port = producers.port();
  if (port === null) {
    await sleep(20);
    return false;
  }
  tally.requests += 1;
  const answer = await rawPost({ port, key, body, isCut });
  count(tally.statuses, answer.kind === "answered" ? String(answer.status) : answer.kind);
  if (answer.kind !== "answered" || answer.status !== 202) return false;
  count(tally.outcomes, String(answer.body.outcome));
  const told = tally.told.get(key) ?? new Set();
  tally.told.set(key, told.add(String(answer.body.id)));
  return true;
}

/** All duplicates of a key at once; then, as an honest client, again until there is an answer. */
async function storm(
  producers: MortalProducers,
  dice: Dice,
  { key, body }: { key: string; body: string },
  tally: Tally,
) {
  const cuts = Array.from({ length: REQUESTS }, () => dice.chance(CUT_SHARE));
  await Promise.all(cuts.map((isCut) => ask(producers, { key, body, isCut }, tally)));
  for (let tries = 0; !tally.told.has(key); tries += 1) {
    if (tries > 500) throw new Error(`no answer for ${key}`);
    if (!(await ask(producers, { key, body, isCut: false }, tally))) await sleep(20);
  }
}

/** Ids of the jobs in Redis by what they carry. */
async function storedBy(stack: Stack): Promise<Map<number, string[]>> {
  const stored = new Map<number, string[]>();
  for (const place of ["probe.r1", "probe.r2", "probe.parked", "probe.dead"]) {
    const start = `sluice:${place}:`;
    for (const key of await stack.redis.keys(`${start}probe~*`)) {
      const { n } = JSON.parse((await stack.redis.hget(key, "data")) ?? "{}").data;
      stored.set(n, [...(stored.get(n) ?? []), key.slice(start.length)]);
    }
  }
  return stored;
}

describe("duplicates while producers are killed and connections cut", () => {
  for (const [name, kind] of Object.entries(kinds)) {
    stackTest(`are one ${name} job a key`, async ({ stack }) => {
      const seed = randomInt(2 ** 31);
      const dice = new Dice(seed);
      await stack.publish("probe-v1");
      const probe = { ...DEFAULT_QUEUE_LIMITS, priorities: kind.priorities };
      await new LimitsStore(stack.redis, keysOf("sluice")).publishBase(
        { queues: { probe }, throttles: [] },
        Date.now(),
      );
      const producers = new MortalProducers(stack, new Dice(seed + 1), PRODUCERS);
      await producers.start();
      const tally: Tally = { told: new Map(), statuses: {}, outcomes: {}, requests: 0 };
      const startedMs = performance.now();
      let next = 0;
      const lane = async () => {
        for (let n = next++; n < KEYS; n = next++) {
          const body = JSON.stringify({ type: "probe.task", schemaversion: 1, data: { n }, ...kind.more() });
          await storm(producers, dice, { key: `${name}-${n}`, body }, tally);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      const seconds = (performance.now() - startedMs) / 1_000;
      await producers.spare();
      const { requests, statuses, outcomes } = tally;
      const facts = {
        seed,
        seconds: Math.round(seconds),
        kills: producers.kills,
        requests,
        statuses,
        outcomes,
      };
      process.stdout.write(`${name}: ${JSON.stringify(facts)}\n`);

      const stored = await storedBy(stack);
      expect(stored.size).toBe(KEYS);
      for (const [n, ids] of stored) {
        expect(ids).toHaveLength(1);
        expect([...(tally.told.get(`${name}-${n}`) ?? [])]).toEqual(ids);
      }
      expect(await kind.resting(stack)).toBe(KEYS);
      expect(Object.keys(statuses).filter((it) => !["202", "503", "cut", "broken"].includes(it))).toEqual([]);
      // Else it was no test: they died in the middle, and requests were lost.
      expect(producers.kills).toBeGreaterThan(5);
      expect(statuses.cut).toBeGreaterThan(1_000);
      expect(statuses.broken).toBeGreaterThan(0);
    });
  }
});
