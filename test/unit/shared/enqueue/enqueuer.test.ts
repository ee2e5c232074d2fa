/** What the enqueuer makes of what Redis says, and what it asks Redis at all. No Redis. */
import { describe, expect, test } from "vitest";
import { BatchAbortedError, IdempotencyMismatchError, NoRoomError } from "#shared/admission-errors";
import { ArrivalCounter } from "#shared/enqueue/arrival-counter";
import { Backlogs } from "#shared/enqueue/backlogs";
import { Enqueuer } from "#shared/enqueue/enqueuer";
import { REFUSALS_ENOUGH } from "#shared/enqueue/room-refusals";
import type { JobRequest } from "#shared/envelope";
import { EnvelopeInvalidError, NotEnqueuedError, ThrottledError } from "#shared/errors";
import { DEFAULT_QUEUE_LIMITS } from "#shared/limits/limits-document";
import type { AdmissionOutcome, AdmissionRequest } from "#shared/redis/admission";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { ThrottleAnswer, ThrottleRequest } from "#shared/throttle/throttler";
import { FakeClock } from "#test/support/fake-clock";
import { registryWithReceipts } from "#test/unit/producer/server-builder";
import { aThrottle } from "../limits/limits-builder.ts";

const request: JobRequest = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-1" } };
const by = { tenant: "acme", keyId: "k1" };

type Say = AdmissionOutcome | ((job: AdmissionRequest) => AdmissionOutcome) | Error;

interface Doors {
  /** What Redis says, call by call; the last again and again. */
  readonly says?: readonly Say[];
  readonly throttle?: (asked: ThrottleRequest) => ThrottleAnswer;
  readonly excess?: "reject" | "delay" | "degrade";
  readonly newest?: RegistryDocument;
}

function enqueuerOf({ says = [{ kind: "created" }], throttle, excess = "reject", newest }: Doors = {}) {
  const clock = new FakeClock();
  const backlogs = new Backlogs(clock);
  const asked: AdmissionRequest[] = [];
  const taken: ThrottleRequest[] = [];
  const counts = { refreshes: 0, released: 0, calls: 0 };
  const registry = {
    document: withExcess(registryWithReceipts(), excess),
    refresh: async () => undefined as unknown,
  };
  registry.refresh = async () => {
    counts.refreshes += 1;
    if (newest !== undefined) registry.document = newest;
  };
  const answer = (job: AdmissionRequest): AdmissionOutcome => {
    asked.push(job);
    const said = says[Math.min(counts.calls, says.length - 1)] ?? { kind: "created" };
    if (said instanceof Error) throw said;
    return typeof said === "function" ? said(job) : said;
  };
  const admitAll = async (jobs: readonly AdmissionRequest[]) => {
    const outcomes = jobs.map(answer);
    counts.calls += 1;
    return outcomes;
  };
  const load = { announce: async () => undefined } as unknown as ConstructorParameters<
    typeof ArrivalCounter
  >[0];
  const throttles = throttle === undefined ? [] : [aThrottle({ name: "t" })];
  const enqueuer = new Enqueuer({
    queues: {
      admitAll,
      admitEach: async (jobs) =>
        admitAll(jobs).catch((error: unknown) => jobs.map(() => ({ kind: "failed", error }) as const)),
      admit: async (job) => (await admitAll([job]))[0] ?? { kind: "aborted" },
    },
    reader: { find: async () => null },
    arrivals: new ArrivalCounter(load, clock),
    clock,
    backlogs,
    limits: () => ({ queues: { shop: { ...DEFAULT_QUEUE_LIMITS, waitMaxMs: 3_600_000 } }, throttles }),
    throttler: {
      take: async (it) => {
        taken.push(it);
        return withRelease(throttle?.(it), () => {
          counts.released += 1;
        });
      },
    },
    registry,
  });
  return { enqueuer, asked, taken, counts, clock, backlogs };
}

function withRelease(answer: ThrottleAnswer | undefined, release: () => void): ThrottleAnswer {
  if (answer === undefined) throw new Error("nothing is throttled here");
  return answer.kind === "reject" ? answer : { ...answer, release };
}

function withExcess(document: RegistryDocument, excess: NonNullable<Doors["excess"]>): RegistryDocument {
  const types = Object.entries(document.types).map(([name, type]) => [
    name,
    { ...type, policy: { ...type.policy, excess } },
  ]);
  return { ...document, types: Object.fromEntries(types) };
}

const REPLAYED: AdmissionOutcome = { kind: "replayed", jobId: "shop~before" };
const FULL: AdmissionOutcome = { kind: "refused", reason: "backlog" };
const PASS: ThrottleAnswer = { kind: "pass", fields: [], release: () => undefined };
const REJECT: ThrottleAnswer = {
  kind: "reject",
  retryAfterMs: 700,
  violated: ["t"],
  costMax: null,
  fields: [],
};

describe("a request that is not taken now, and may have been taken before", () => {
  const expired = { ...request, id: "1", expirytime: "2026-01-31T11:59:59Z" };

  test("is the job that it was, although its time is over", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [REPLAYED] });
    const answer = await enqueuer.enqueue(expired, by);
    expect(answer).toMatchObject({ outcome: "replayed", job: { id: "shop~before" } });
    expect(asked[0]?.terms.place).toBeNull();
  });

  test("is told why it is not taken when Redis does not know it", async () => {
    const { enqueuer } = enqueuerOf({ says: [{ kind: "unroutable" }] });
    await expect(enqueuer.enqueue(expired, by)).rejects.toMatchObject({
      code: "ENVELOPE_INVALID",
      issues: [{ pointer: "/expirytime", rule: "past" }],
    });
  });

  test("is told at once when it has neither key nor id", async () => {
    const { enqueuer, asked } = enqueuerOf();
    const { id: _id, ...nameless } = expired;
    await expect(enqueuer.enqueue(nameless, by)).rejects.toBeInstanceOf(EnvelopeInvalidError);
    expect(asked).toEqual([]);
  });

  test("is refused for its data without asking: what is wrong now was wrong then", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [REPLAYED] });
    const wrong = { ...expired, data: {} };
    await expect(enqueuer.enqueue(wrong, by)).rejects.toMatchObject({ code: "DATA_INVALID" });
    expect(asked).toEqual([]);
  });
});

describe("a job for which there is no room", () => {
  test("is promised a place by the backlog's drain, and only when it is the backlog that is full", async () => {
    const { enqueuer, backlogs, clock } = enqueuerOf({
      says: ["tenant", "scheduled", "memory", "backlog"].map((reason) => ({
        kind: "refused" as const,
        reason: reason as "tenant",
      })),
    });
    // 10 are taken a second.
    for (let second = 0; second <= 2; second += 1) {
      backlogs.seen({ queue: "shop", depth: 32_404, admitted: 10 * second });
      if (second < 2) await clock.advance(1_000);
    }
    const told: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      const error = await enqueuer.enqueue(request, by).catch((it: unknown) => it);
      if (error instanceof NoRoomError) told.push([error.code, error.retryAfterMs]);
    }
    expect(told).toEqual([
      ["TENANT_BACKLOG_FULL", 2_000],
      ["SCHEDULED_FULL", 2_000],
      ["MEMORY_LOW", 5_000],
      // 36,000 may wait (an hour at 10 a second), 90 % of them of this priority: five have to go, and nobody was
      // promised a place before.
      ["BACKLOG_FULL", 500],
    ]);
  });

  test("comes in later when its policy says so", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [FULL, { kind: "created" }], excess: "delay" });
    expect(await enqueuer.enqueue(request, by)).toMatchObject({
      outcome: "created",
      job: { state: "scheduled" },
    });
    expect(asked.map((it) => it.delayMs)).toEqual([0, 2_000]);
  });

  test("comes in at low priority when its policy says so, where the most important would", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [FULL, { kind: "created" }], excess: "degrade" });
    expect((await enqueuer.enqueue({ ...request, priority: "high" }, by)).outcome).toBe("created");
    // 95 % and all of 100,000.
    expect(asked.map((it) => it.terms.depthMax)).toEqual([95_000, 100_000]);
    expect(asked.map((it) => JSON.parse(it.dataText).priority)).toEqual(["high", "low"]);
  });

  test.each(["delay", "degrade"] as const)(
    "is refused with the policy %s, too, when even that has no room",
    async (excess) => {
      const { enqueuer, counts } = enqueuerOf({ says: [FULL], excess });
      await expect(enqueuer.enqueue(request, by)).rejects.toMatchObject({ code: "BACKLOG_FULL" });
      expect(counts.calls).toBe(2);
    },
  );
});

describe("the size of a queue's jobs", () => {
  test("is measured from what came in, never from what was refused", async () => {
    const { enqueuer, backlogs } = enqueuerOf({ says: [FULL, { kind: "created" }] });
    const large = { ...request, data: { orderId: "x".repeat(100_000) } };
    await expect(enqueuer.enqueue(large, by)).rejects.toBeInstanceOf(NoRoomError);
    expect(backlogs.loadOf("shop").meanBytes).toBeNull();
    await enqueuer.enqueue({ ...request, data: { orderId: "日" } }, by);
    expect(backlogs.loadOf("shop").meanBytes).toBeLessThan(400);
  });
});

describe("a registry that has changed since the request was routed", () => {
  test("is read once for all that were, and they are routed again", async () => {
    const newest = { ...registryWithReceipts(), revision: 9 };
    const { enqueuer, asked, counts } = enqueuerOf({
      says: [(job) => (job.revision === 9 ? { kind: "created" } : { kind: "stale" })],
      newest,
    });
    const answers = await Promise.all([1, 2, 3].map(() => enqueuer.enqueue(request, by)));
    expect(answers.map((it) => it.outcome)).toEqual(["created", "created", "created"]);
    expect(counts.refreshes).toBe(1);
    expect(new Set(asked.slice(3).map((it) => it.revision))).toEqual(new Set([9]));
  });

  test("and goes on changing is no reason to wait for ever", async () => {
    const { enqueuer, counts } = enqueuerOf({ says: [{ kind: "stale" }] });
    await expect(enqueuer.enqueue(request, by)).rejects.toBeInstanceOf(NotEnqueuedError);
    expect(counts.calls).toBe(5);
    const all = await enqueuer.enqueueMany([request, request], () => by, true);
    expect(all).toEqual([1, 2].map(() => ({ error: expect.any(NotEnqueuedError) })));
  });
});

describe("jobs of which all come in or none", () => {
  test("are refused together, each for its own reason", async () => {
    const { enqueuer, asked } = enqueuerOf();
    const results = await enqueuer.enqueueMany([request, { ...request, data: {} }], () => by, true);
    expect(results).toEqual([
      { error: expect.any(BatchAbortedError) },
      { error: expect.objectContaining({ code: "DATA_INVALID" }) },
    ]);
    expect(asked).toEqual([]);
  });

  test("are told what Redis says of each", async () => {
    const { enqueuer } = enqueuerOf({
      says: [
        ({ name: _name, jobId: _id, records }) =>
          records.length > 0 ? { kind: "conflict" } : { kind: "aborted" },
      ],
    });
    const results = await enqueuer.enqueueMany([request, { ...request, id: "1" }], () => by, true);
    expect(results).toEqual([
      { error: expect.any(BatchAbortedError) },
      { error: expect.any(IdempotencyMismatchError) },
    ]);
  });

  test("fail together when Redis is away", async () => {
    const { enqueuer } = enqueuerOf({ says: [new NotEnqueuedError("Redis is not reachable")] });
    const results = await enqueuer.enqueueMany([request, request], () => by, true);
    expect(results).toEqual([1, 2].map(() => ({ error: expect.any(NotEnqueuedError) })));
  });

  test("ask the throttles once for all of a type, and hold nothing afterwards", async () => {
    const { enqueuer, taken, counts } = enqueuerOf({ throttle: () => PASS });
    const results = await enqueuer.enqueueMany([request, request, request], () => by, true);
    expect(results.every((it) => "answer" in it)).toBe(true);
    expect(taken).toEqual([{ ...by, type: "receipt.render", cost: 3, excess: "reject" }]);
    expect(counts.released).toBe(1);
  });

  test("do not come in over a limit", async () => {
    const { enqueuer, asked } = enqueuerOf({ throttle: () => REJECT });
    const results = await enqueuer.enqueueMany([request, request], () => by, true);
    expect(results).toEqual([1, 2].map(() => ({ error: expect.any(ThrottledError) })));
    expect(asked).toEqual([]);
  });

  test("come in each at its own time when a throttle delays them", async () => {
    const { enqueuer, asked } = enqueuerOf({
      throttle: () => ({ ...PASS, kind: "delay", delayMs: 500, delaysMs: [0, 500], degraded: false }),
    });
    await enqueuer.enqueueMany([request, request], () => by, true);
    expect(asked.map((it) => it.delayMs)).toEqual([0, 500]);
  });
});

describe("a throttled job", () => {
  test("that is wrong costs nothing", async () => {
    const { enqueuer, taken } = enqueuerOf({ throttle: () => PASS });
    await expect(enqueuer.enqueue({ ...request, data: {} }, by)).rejects.toMatchObject({
      code: "DATA_INVALID",
    });
    expect(taken).toEqual([]);
  });

  test("that was taken before is answered so, though its sender has spent what it may hand in", async () => {
    const throttle = () => REJECT;
    const known = enqueuerOf({ throttle, says: [REPLAYED] });
    const answer = await known.enqueuer.enqueue(request, { ...by, idempotencyKey: "k" });
    expect(answer).toMatchObject({ outcome: "replayed", job: { id: "shop~before" } });
    // Without a lane: only a job that is known is answered.
    expect(known.asked.map((it) => it.terms.place)).toEqual([null]);
    const other = enqueuerOf({ throttle, says: [{ kind: "conflict" }] });
    await expect(other.enqueuer.enqueue(request, { ...by, idempotencyKey: "k" })).rejects.toBeInstanceOf(
      IdempotencyMismatchError,
    );
  });

  test("is told to wait when it is new, cannot be known, or Redis does not say", async () => {
    const throttle = () => REJECT;
    const cases = [
      { says: { kind: "unroutable" } as const, key: "k", calls: 1 },
      { says: { kind: "created" } as const, key: undefined, calls: 0 },
      { says: new NotEnqueuedError("Redis is not reachable"), key: "k", calls: 1 },
    ];
    for (const { says, key, calls } of cases) {
      const { enqueuer, asked } = enqueuerOf({ throttle, says: [says] });
      const terms = key === undefined ? by : { ...by, idempotencyKey: key };
      await expect(enqueuer.enqueue(request, terms)).rejects.toBeInstanceOf(ThrottledError);
      expect(asked).toHaveLength(calls);
    }
  });

  test("is let go however it ended", async () => {
    const { enqueuer, counts } = enqueuerOf({ throttle: () => PASS, says: [{ kind: "conflict" }] });
    await expect(enqueuer.enqueue(request, by)).rejects.toBeInstanceOf(IdempotencyMismatchError);
    expect(counts.released).toBe(1);
  });

  test.each([
    ["delay", { ...PASS, kind: "delay", delayMs: 500, delaysMs: [500], degraded: true }, 500, "low"],
    ["degrade", { ...PASS, kind: "degrade" }, 0, "low"],
    ["pass", PASS, 0, undefined],
  ] as const)("is made what the answer %s says", async (_kind, answer, delayMs, priority) => {
    const { enqueuer, asked } = enqueuerOf({ throttle: () => answer });
    await enqueuer.enqueue(request, by);
    expect(asked[0]?.delayMs).toBe(delayMs);
    expect(JSON.parse(asked[0]?.dataText ?? "").priority).toBe(priority);
  });
});

describe("jobs that there is no room for, one after the other", () => {
  const flood = async (enqueuer: Enqueuer, job: JobRequest) => {
    for (let n = 0; n < REFUSALS_ENOUGH; n += 1) {
      await expect(enqueuer.enqueue(job, by)).rejects.toBeInstanceOf(NoRoomError);
    }
  };

  test("are refused without asking Redis each time", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [FULL] });
    await flood(enqueuer, request);
    await flood(enqueuer, request);
    expect(asked).toHaveLength(REFUSALS_ENOUGH);
  });

  test("are asked for each time when they could be a repeat", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [FULL] });
    await flood(enqueuer, request);
    await flood(enqueuer, { ...request, id: "1" });
    await flood(enqueuer, { ...request, dedupkey: "d" });
    const keyed = { ...by, idempotencyKey: "k" };
    await expect(enqueuer.enqueue(request, keyed)).rejects.toBeInstanceOf(NoRoomError);
    expect(asked).toHaveLength(3 * REFUSALS_ENOUGH + 1);
  });

  test("are told what is wrong with them all the same", async () => {
    const { enqueuer } = enqueuerOf({ says: [FULL] });
    await flood(enqueuer, request);
    await expect(enqueuer.enqueue({ ...request, data: {} }, by)).rejects.toMatchObject({
      code: "DATA_INVALID",
    });
  });

  test("come in later or at low priority each time when that is their policy", async () => {
    const { enqueuer, asked } = enqueuerOf({ says: [FULL], excess: "degrade" });
    await flood(enqueuer, request);
    await flood(enqueuer, request);
    // Each is asked for twice: as it is, and at low priority.
    expect(asked).toHaveLength(4 * REFUSALS_ENOUGH);
  });
});
