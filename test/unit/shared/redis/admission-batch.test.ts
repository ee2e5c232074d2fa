import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  CALL_CHARS_MAX,
  CALL_JOBS_MAX,
  type QueueSeen,
} from "#shared/redis/admission";
import {
  AdmissionBatch,
  CALL_ENOUGH,
  CALLS_IN_FLIGHT_MAX,
  groupsOf,
  type SendCall,
} from "#shared/redis/admission-batch";
import { roomyTerms } from "#test/support/add-job";

const terms = roomyTerms("shop.r1");

function job(name: string, changed: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const known = { records: [], fingerprint: "-", dedup: "" };
  const base = {
    jobId: name,
    name: "receipt.render",
    dataText: "{}",
    acceptedAtMs: 1,
    delayMs: 0,
    revision: 1,
  };
  return { ...base, ...known, terms, ...changed };
}

function jobs(count: number, changed: Partial<AdmissionRequest> = {}): AdmissionRequest[] {
  return Array.from({ length: count }, (_, n) => job(`j${n}`, changed));
}

interface Call {
  readonly ids: readonly string[];
  readonly chars: number;
  readonly options: Parameters<SendCall>[1];
  answer(answer?: Partial<AdmissionAnswer>): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A batch whose calls wait for the test; each job's answer is its own id. */
function batchOf() {
  const calls: Call[] = [];
  const seen: QueueSeen[] = [];
  const state = { inFlight: 0, most: 0 };
  const batch = new AdmissionBatch(
    (sent, options) => {
      state.inFlight += 1;
      state.most = Math.max(state.most, state.inFlight);
      return new Promise((resolve, reject) => {
        const outcomes = sent.map(({ jobId }) => ({ kind: "replayed", jobId }) as const);
        calls.push({
          ids: sent.map(({ jobId }) => jobId),
          chars: sent.reduce((sum, { dataText }) => sum + dataText.length, 0),
          options,
          answer: async (answer) => {
            state.inFlight -= 1;
            resolve({ outcomes, queues: [], ...answer });
            await turn();
          },
          fail: async (error) => {
            state.inFlight -= 1;
            reject(error);
            await turn();
          },
        });
      });
    },
    (it) => seen.push(it),
  );
  return { batch, calls, seen, state };
}

/** Lets the event loop turn, so that what was gathered is sent. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Answers calls until none is on its way. */
async function answerAll(calls: readonly Call[], from = 0): Promise<void> {
  for (let at = from; at < calls.length; at += 1) await calls[at]?.answer();
}

describe("jobs that come at about the same time", () => {
  test("go in one call, in order, and each is told its own", async () => {
    const { batch, calls } = batchOf();
    const asked = jobs(5).map((it) => batch.add(it));
    expect(calls).toHaveLength(0);
    await turn();
    expect(calls.map((it) => it.ids)).toEqual([["j0", "j1", "j2", "j3", "j4"]]);
    expect(calls[0]?.options).toEqual({ revision: 1, isAtomic: false });
    await answerAll(calls);
    expect(await Promise.all(asked)).toEqual(jobs(5).map(({ jobId }) => ({ kind: "replayed", jobId })));
  });

  test("go before the turn ends once they are enough for a call", () => {
    const { batch, calls } = batchOf();
    for (const it of jobs(CALL_ENOUGH - 1)) void batch.add(it);
    expect(calls).toHaveLength(0);
    void batch.add(job("last"));
    expect(calls.map((it) => it.ids.length)).toEqual([CALL_ENOUGH]);
  });

  test("do not wait for all of a noisy tenant's, nor for its groups", async () => {
    const { batch, calls } = batchOf();
    // As many calls as may be on their way; all else gathers behind them.
    for (const it of jobs(CALLS_IN_FLIGHT_MAX * CALL_ENOUGH)) void batch.add(it);
    for (let n = 0; n < 3; n += 1) void batch.addGroup(jobs(CALL_JOBS_MAX - 1));
    const quiet = { terms: { ...terms, tenant: "quiet" } };
    void batch.add(job("q0", quiet));
    void batch.add(job("q1", quiet));
    await calls[0]?.answer();
    expect(calls.at(-1)?.ids.slice(-1)).toEqual(["q0"]);
    await calls[1]?.answer();
    // 99 of the noisy one and one of the quiet one, twice.
    expect(calls.slice(-2).map(({ ids }) => [ids.length, ids.at(-1)])).toEqual([
      [100, "q0"],
      [100, "q1"],
    ]);
    await answerAll(calls, 2);
  });

  test("go in calls of at most 100", async () => {
    const { batch, calls } = batchOf();
    const asked = jobs(250).map((it) => batch.add(it));
    await turn();
    await answerAll(calls);
    // Four calls of 16, as many as may be on their way; then 186 that have gathered.
    expect(calls.map((it) => it.ids.length)).toEqual([16, 16, 16, 16, 100, 86]);
    expect((await Promise.all(asked)).map((it) => "jobId" in it && it.jobId)).toEqual(
      jobs(250).map((it) => it.jobId),
    );
  });

  test("go in calls of at most 1 Mi characters, and a larger one alone", async () => {
    const { batch, calls } = batchOf();
    const texts = [CALL_CHARS_MAX / 2, CALL_CHARS_MAX / 2, 1, CALL_CHARS_MAX + 5, 1];
    const asked = texts.map((length, n) => batch.add(job(`j${n}`, { dataText: "x".repeat(length) })));
    await turn();
    await answerAll(calls);
    expect(calls.map((it) => it.ids)).toEqual([["j0", "j1"], ["j2"], ["j3"], ["j4"]]);
    await Promise.all(asked);
  });

  test("go in calls of one revision each", async () => {
    const { batch, calls } = batchOf();
    const revisions = [1, 1, 2, null, null, 1];
    const asked = revisions.map((revision, n) => batch.add(job(`j${n}`, { revision })));
    await turn();
    await answerAll(calls);
    expect(calls.map((it) => [it.options.revision, it.ids.length])).toEqual([
      [1, 2],
      [2, 1],
      [null, 2],
      [1, 1],
    ]);
    await Promise.all(asked);
  });

  test("of which all or none come in are a call of their own", async () => {
    const { batch, calls } = batchOf();
    const before = batch.add(job("before"));
    const all = batch.addAll([job("a"), job("b")]);
    const others = batch.addAll([job("c")]);
    const after = batch.add(job("after"));
    await turn();
    await answerAll(calls);
    expect(calls.map((it) => [it.options.isAtomic, ...it.ids])).toEqual([
      [false, "before"],
      [true, "a", "b"],
      [true, "c"],
      [false, "after"],
    ]);
    expect(await all).toEqual(["a", "b"].map((jobId) => ({ kind: "replayed", jobId })));
    await Promise.all([before, others, after]);
  });
});

describe("jobs of a group", () => {
  test("share a call with others, and each is told its own", async () => {
    const { batch, calls } = batchOf();
    const alone = batch.add(job("alone"));
    const group = batch.addGroup([job("a"), job("b")]);
    const empty = batch.addGroup([]);
    await turn();
    await answerAll(calls);
    expect(calls.map((it) => it.ids)).toEqual([["alone", "a", "b"]]);
    expect(await group).toEqual(["a", "b"].map((jobId) => ({ kind: "replayed", jobId })));
    expect([await alone, await empty]).toEqual([{ kind: "replayed", jobId: "alone" }, []]);
  });

  test("are as many as may go in one call, in order, of one revision", () => {
    fc.assert(
      fc.property(fc.array(anyRequest, { maxLength: 300 }), (requests) => {
        const all = requests.flatMap((request, n) => jobsOf({ ...request, together: 1 }, n));
        const groups = groupsOf(all);
        expect(groups.flat()).toEqual(all);
        for (const group of groups) {
          expect(new Set(group.map((it) => it.revision)).size).toBe(1);
          const chars = group.reduce((sum, { dataText }) => sum + dataText.length, 0);
          expect(isTooLarge({ ids: group.map((it) => it.jobId), chars })).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
    expect(groupsOf(jobs(250)).map((it) => it.length)).toEqual([100, 100, 50]);
  });
});

describe("while calls are on their way", () => {
  test("at most so many are, and jobs gather for the next", async () => {
    const { batch, calls, state } = batchOf();
    const asked: Promise<unknown>[] = [];
    for (let n = 0; n < CALLS_IN_FLIGHT_MAX + 3; n += 1) {
      asked.push(batch.add(job(`j${n}`)));
      await turn();
    }
    const alone = jobs(CALLS_IN_FLIGHT_MAX).map((it) => [it.jobId]);
    expect(calls.map((it) => it.ids)).toEqual(alone);
    await answerAll(calls);
    expect(calls.map((it) => it.ids)).toEqual([...alone, ["j4", "j5", "j6"]]);
    expect(state.most).toBe(CALLS_IN_FLIGHT_MAX);
    await Promise.all(asked);
  });

  test("a failure reaches all jobs of its call, and no other", async () => {
    const { batch, calls } = batchOf();
    const first = Promise.allSettled([batch.add(job("a")), batch.add(job("b"))]);
    await turn();
    const second = Promise.allSettled([batch.add(job("c"))]);
    await turn();
    const lost = new Error("the connection was lost");
    await calls[0]?.fail(lost);
    await calls[1]?.answer();
    expect(await first).toEqual([1, 2].map(() => ({ status: "rejected", reason: lost })));
    expect(await second).toEqual([{ status: "fulfilled", value: { kind: "replayed", jobId: "c" } }]);
    const third = batch.add(job("d"));
    await turn();
    await calls[2]?.answer();
    expect(await third).toMatchObject({ jobId: "d" });
  });

  test("a call that does not answer for each of its jobs fails the job that it forgot", async () => {
    const { batch, calls } = batchOf();
    const asked = Promise.allSettled([batch.add(job("a")), batch.add(job("b"))]);
    await turn();
    await calls[0]?.answer({ outcomes: [{ kind: "created" }] });
    expect(await asked).toMatchObject([{ value: { kind: "created" } }, { reason: expect.any(TypeError) }]);
  });

  test("what a call saw of queues is told before its jobs are", async () => {
    const { batch, calls, seen } = batchOf();
    const asked = batch.add(job("a")).then(() => [...seen]);
    await turn();
    const queues = [{ queue: "shop", depth: 3, admitted: 9 }];
    await calls[0]?.answer({ queues });
    expect(await asked).toEqual(queues);
  });

  test("every job is in one call, and every call within its bounds, however they come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRequest, { maxLength: 150 }), async (requests) => {
        const { calls, state } = await runAll(requests);
        expect(calls.flatMap((it) => it.ids)).toEqual(requests.flatMap(jobsOf).map((it) => it.jobId));
        expect(state.most).toBeLessThanOrEqual(CALLS_IN_FLIGHT_MAX);
        expect(calls.filter(isTooLarge)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

const anyRequest = fc.record({
  revision: fc.constantFrom(1, 2),
  chars: fc.constantFrom(2, 1_000, CALL_CHARS_MAX / 3),
  /** 1: a job by itself. */
  together: fc.constantFrom(1, 1, 1, 3),
  turnAfter: fc.boolean(),
  answerAfter: fc.boolean(),
});

type Asked = typeof anyRequest extends fc.Arbitrary<infer It> ? It : never;

function jobsOf({ revision, chars, together }: Asked, n: number): AdmissionRequest[] {
  return jobs(together, { revision, dataText: "x".repeat(chars) }).map((it) => ({
    ...it,
    jobId: `${n}.${it.jobId}`,
  }));
}

/** Asks for all, with turns and answers in between as they say; ends when each has its answer. */
async function runAll(requests: readonly Asked[]) {
  const { batch, calls, state } = batchOf();
  const asked: Promise<unknown>[] = [];
  let answered = 0;
  for (const request of requests) {
    asked.push(ask(batch, jobsOf(request, asked.length)));
    if (request.turnAfter) await turn();
    if (request.answerAfter && answered < calls.length) await calls[answered++]?.answer();
  }
  await turn();
  await answerAll(calls, answered);
  await Promise.all(asked);
  return { calls, state };
}

function ask(batch: AdmissionBatch, asked: readonly AdmissionRequest[]): Promise<unknown> {
  const [first, second] = asked;
  return first !== undefined && second === undefined ? batch.add(first) : batch.addAll(asked);
}

function isTooLarge({ ids, chars }: Pick<Call, "ids" | "chars">): boolean {
  return ids.length > CALL_JOBS_MAX || (chars > CALL_CHARS_MAX && ids.length > 1);
}
