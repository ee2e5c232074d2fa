import { describe, expect, test } from "vitest";
import { TerminalJobError } from "#shared/errors";
import { Flag } from "#shared/flag";
import { EMPTY_RECORD, RESULT_BYTES_MAX } from "#shared/job-record";
import type { Settlement } from "#shared/redis/lane-worker";
import { FakeClock, settled } from "#test/support/fake-clock";
import type { Handler, HandlerContext } from "#worker/app";
import type { AbortCause } from "#worker/decide-outcome";
import { type HandlerRun, runHandler } from "#worker/run-handler";
import { contractOf, envelope, noChildren, recordingLog, taken } from "./job-builder.ts";

interface Started {
  readonly clock: FakeClock;
  readonly lines: ReturnType<typeof recordingLog>["lines"];
  readonly settlement: Promise<Settlement>;
  abort(cause: AbortCause): void;
}

/** Starts a handler under a policy of 3 attempts, 5 s and 1 s of backoff; every draw is 1/2. */
function start(
  handler: Handler<unknown>,
  { clock = new FakeClock(), ...changed }: Partial<HandlerRun> & { readonly clock?: FakeClock } = {},
): Started {
  const { log, lines } = recordingLog();
  const flags = {
    draining: new Flag(),
    "lease-lost": new Flag(),
    cancelled: new Flag(),
  };
  const settlement = runHandler({
    contract: contractOf(),
    handler,
    envelope,
    data: envelope.data,
    job: taken,
    startedAt: "2026-01-31T12:00:00.000Z",
    release: "shop-v1",
    workerId: "w-1",
    clock,
    log,
    random: () => 0.5,
    discounted: () => new Set(),
    children: noChildren,
    aborts: flags,
    ...changed,
  });
  return { clock, lines, settlement, abort: (cause) => flags[cause].raise() };
}

/** A handler that ends when it is told to. */
const obedient: Handler<unknown> = (_job, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** A handler that never hears. */
const deaf: Handler<unknown> = () => new Promise(() => undefined);

function throwing(thrown: unknown): Handler<unknown> {
  return () => {
    throw thrown;
  };
}

describe("a handler that returns", () => {
  test.each([
    ["nothing", undefined, {}],
    ["null", null, { result: null }],
    ["a value", { pages: 2 }, { result: { pages: 2 } }],
    ["a function, which JSON does not have", () => 1, {}],
  ])("%s has succeeded", async (_what, value, kept) => {
    const { settlement, clock } = start(() => value);
    expect(await settlement).toEqual({
      kind: "finished",
      outcome: { outcome: "succeeded", release: "shop-v1", ...kept },
    });
    expect(clock.waiting).toBe(0);
  });

  test("a result of 16 KiB as JSON is kept, one byte more only by its size", async () => {
    // Two quotes and the text.
    const largest = "x".repeat(RESULT_BYTES_MAX - 2);
    expect(await start(() => largest).settlement).toMatchObject({ outcome: { result: largest } });
    const { settlement } = start(() => `${largest}x`);
    expect(await settlement).toEqual({
      kind: "finished",
      outcome: { outcome: "succeeded", release: "shop-v1", resultBytesDropped: 16_385 },
    });
  });

  test("a result is measured in bytes, not in characters", async () => {
    // 6,000 characters of three bytes each, and two quotes.
    const { settlement } = start(() => "日".repeat(6_000));
    expect(await settlement).toMatchObject({ outcome: { resultBytesDropped: 18_002 } });
  });

  test("a result that is no JSON is not kept, and the job has succeeded all the same", async () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const value of [circular, 1n]) {
      const { settlement, lines } = start(() => value);
      expect(await settlement).toEqual({
        kind: "finished",
        outcome: { outcome: "succeeded", release: "shop-v1" },
      });
      expect(lines.map((line) => line.msg)).toEqual(["the handler's result is not JSON and is not kept"]);
    }
  });
});

describe("what a handler is given", () => {
  test("is the job, its fence and its attempt", async () => {
    let seen: { job?: unknown; context?: HandlerContext } = {};
    const record = { ...EMPTY_RECORD, failures: 2 };
    const { settlement, lines } = start(
      (job, context) => {
        seen = { job, context };
        context.log("half done", { pages: 1 });
      },
      { job: { ...taken, starts: 7, record } },
    );
    await settlement;
    const { data: _data, ...attributes } = envelope;
    expect(seen.job).toEqual({
      jobId: "shop~abc",
      type: "receipt.render",
      data: { orderId: "o-1" },
      schemaVersion: 1,
      attributes,
    });
    expect(seen.context).toMatchObject({
      fence: { jobId: "shop~abc", starts: 7 },
      attempt: 3,
      release: "shop-v1",
    });
    expect(lines).toMatchObject([{ msg: "half done", jobId: "shop~abc", type: "receipt.render", pages: 1 }]);
  });
});

describe("a handler that throws", () => {
  test("is tried again, with the attempt on record", async () => {
    const { settlement } = start(throwing(new RangeError("no paper")));
    const entry = {
      attempt: 1,
      release: "shop-v1",
      worker: "w-1",
      startedAt: "2026-01-31T12:00:00.000Z",
      endedAt: "2026-01-31T12:00:00.000Z",
      outcome: "retry",
      code: "RangeError",
      message: "no paper",
    };
    expect(await settlement).toEqual({
      kind: "retry",
      // 1,000 x 2^0, of which the draw takes half.
      delayMs: 500,
      reason: "RangeError: no paper",
      record: { attempts: [entry], failures: 1, handBacks: 0 },
    });
  });

  test("fails the job at its last attempt", async () => {
    const job = { ...taken, record: { ...EMPTY_RECORD, failures: 2 } };
    const { settlement, lines } = start(throwing(new Error("no paper")), { job });
    expect(await settlement).toMatchObject({
      kind: "failed",
      reason: "Error: no paper",
      record: { failures: 3, attempts: [{ attempt: 3, outcome: "failed" }] },
    });
    expect(lines).toMatchObject([{ msg: "job has failed", code: "Error", reason: "attempts-exhausted" }]);
  });

  test("fails it at once when it says that trying again cannot help", async () => {
    const { settlement } = start(throwing(new TerminalJobError("no such order")));
    expect(await settlement).toMatchObject({ kind: "failed", reason: "JOB_TERMINAL: no such order" });
  });

  test("is known by its error's own code before its name", async () => {
    const error = Object.assign(new Error("down"), { code: "ECONNREFUSED" });
    expect(await start(throwing(error)).settlement).toMatchObject({ reason: "ECONNREFUSED: down" });
  });

  test("has its code cut to 64 characters and its message to 1,024", async () => {
    const error = Object.assign(new Error("m".repeat(5_000)), { code: "C".repeat(500) });
    const settlement = await start(throwing(error)).settlement;
    expect(settlement).toMatchObject({
      record: { attempts: [{ code: "C".repeat(64), message: "m".repeat(1_024) }] },
    });
  });

  test.each([
    ["a text", "no paper", "Error: no paper"],
    ["nothing", undefined, "Error: undefined"],
    ["a symbol", Symbol("s"), "Error: Symbol(s)"],
    ["an object without a prototype", Object.create(null), /^Error: /],
    ["an error whose message is no text", Object.assign(new Error(), { message: 42 }), "Error: 42"],
    ["an error whose name is no text", Object.assign(new Error("m"), { name: null }), /: m$/],
  ])("counts as an attempt when it throws %s", async (_what, thrown, reason) => {
    expect(await start(throwing(thrown)).settlement).toMatchObject({
      kind: "retry",
      reason: typeof reason === "string" ? reason : expect.stringMatching(reason),
      record: { failures: 1 },
    });
  });

  test("counts the same when its promise is rejected", async () => {
    const { settlement } = start(() => Promise.reject(new Error("later")));
    expect(await settlement).toMatchObject({ kind: "retry", reason: "Error: later" });
  });
});

describe("a handler whose time is up", () => {
  test("is told so by its signal, and tried again", async () => {
    let reason: unknown;
    const { clock, settlement } = start((job, context) => {
      context.signal.addEventListener("abort", () => {
        reason = context.signal.reason;
      });
      return obedient(job, context);
    });
    await clock.advance(4_999);
    expect(reason).toBeUndefined();
    await clock.advance(1);
    expect(reason).toMatchObject({ code: "JOB_TIMEOUT", timeoutMs: 5_000 });
    expect(await settlement).toMatchObject({
      kind: "retry",
      reason: "JOB_TIMEOUT: The handler ran longer than its 5000 ms",
      record: { failures: 1, attempts: [{ code: "JOB_TIMEOUT", endedAt: "2026-01-31T12:00:05.000Z" }] },
    });
  });

  test("fails the job when that was its last attempt", async () => {
    const job = { ...taken, record: { ...EMPTY_RECORD, failures: 2 } };
    const { clock, settlement } = start(obedient, { job });
    await clock.advance(5_000);
    expect(await settlement).toMatchObject({ kind: "failed" });
  });

  test("is left behind one second later when it does not hear", async () => {
    const { clock, settlement, lines } = start(deaf);
    let done = false;
    const watched = settlement.then(() => {
      done = true;
    });
    // 5 s of time and 1 s of grace.
    await clock.advance(5_999);
    expect(done).toBe(false);
    await clock.advance(1);
    await watched;
    expect(await settlement).toMatchObject({
      kind: "retry",
      record: { attempts: [{ code: "JOB_TIMEOUT" }] },
    });
    expect(lines.map((line) => line.msg)).toEqual(["handler ignored its signal and was left behind"]);
    expect(clock.waiting).toBe(0);
  });

  test("has succeeded all the same when it returns in the grace", async () => {
    const clock = new FakeClock();
    const slow = () => clock.sleep(5_500).then(() => "late");
    const { settlement } = start(slow, { clock });
    await clock.advance(5_500);
    expect(await settlement).toMatchObject({ kind: "finished", outcome: { result: "late" } });
  });

  test("changes nothing by what it does after being left behind", async () => {
    let fail: (error: Error) => void = () => undefined;
    const { clock, settlement } = start(
      () =>
        new Promise((_resolve, reject) => {
          fail = reject;
        }),
    );
    await clock.advance(6_000);
    const before = await settlement;
    // An unhandled rejection would fail the run of the tests.
    fail(new Error("too late"));
    await settled();
    expect(await settlement).toBe(before);
  });
});

describe("a run that is ended from outside", () => {
  test("goes back to the head when the worker drains, and no attempt is counted", async () => {
    const { settlement, abort } = start(obedient);
    abort("draining");
    expect(await settlement).toEqual({
      kind: "returned",
      record: {
        failures: 0,
        handBacks: 0,
        attempts: [expect.objectContaining({ outcome: "handed-back", code: "DRAINING", attempt: 1 })],
      },
    });
  });

  test("is abandoned when the lease is lost, and says nothing of the job", async () => {
    const { settlement, abort } = start(obedient);
    abort("lease-lost");
    expect(await settlement).toEqual({ kind: "abandoned" });
  });

  test("is cancelled when an operator says so", async () => {
    const { settlement, abort } = start(obedient);
    abort("cancelled");
    expect(await settlement).toEqual({
      kind: "finished",
      outcome: { outcome: "cancelled", release: "shop-v1" },
    });
  });

  test.each(["draining", "lease-lost", "cancelled"] as const)(
    "is left behind a second after %s when its handler does not hear",
    async (cause) => {
      const { clock, settlement, abort, lines } = start(deaf);
      abort(cause);
      await clock.advance(1_000);
      expect((await settlement).kind).not.toBe("retry");
      expect(lines).toHaveLength(1);
      expect(clock.waiting).toBe(0);
    },
  );

  test.each(["draining", "lease-lost", "cancelled"] as const)(
    "is told by its signal when %s came before it began",
    async (cause) => {
      const aborts = {
        draining: new Flag(),
        "lease-lost": new Flag(),
        cancelled: new Flag(),
      };
      aborts[cause].raise();
      let aborted = false;
      const { settlement } = start(
        async (_job, { signal }) => {
          aborted = signal.aborted;
          signal.throwIfAborted();
        },
        { aborts },
      );
      expect((await settlement).kind).not.toBe("retry");
      expect(aborted).toBe(true);
    },
  );

  test("has succeeded all the same when it returns after the signal", async () => {
    const clock = new FakeClock();
    const slow = () => clock.sleep(100).then(() => "done");
    const { settlement, abort } = start(slow, { clock });
    abort("draining");
    await clock.advance(100);
    expect(await settlement).toMatchObject({ kind: "finished", outcome: { result: "done" } });
  });

  test.each(["timeout", "draining"] as const)(
    "is cancelled and not run again when the order comes after %s, in the grace",
    async (cause) => {
      const { clock, settlement, abort } = start(deaf);
      if (cause === "timeout") await clock.advance(5_000);
      else abort(cause);
      await clock.advance(500);
      abort("cancelled");
      await clock.advance(500);
      expect(await settlement).toMatchObject({ kind: "finished", outcome: { outcome: "cancelled" } });
    },
  );

  test("counts by what ended it first", async () => {
    const { clock, settlement, abort } = start(deaf);
    await clock.advance(5_000);
    abort("draining");
    await clock.advance(1_000);
    expect(await settlement).toMatchObject({
      kind: "retry",
      record: { attempts: [{ code: "JOB_TIMEOUT" }] },
    });
  });

  test("leaves nobody waiting on the flags that outlive it", async () => {
    const flag = new CountingFlag();
    const aborts = { draining: flag, "lease-lost": flag, cancelled: flag };
    await start(() => 1, { aborts }).settlement;
    expect([flag.waited, flag.waiting]).toEqual([3, 0]);
  });
});

class CountingFlag extends Flag {
  waited = 0;
  waiting = 0;

  override onRaised(act: () => void): () => void {
    this.waited += 1;
    this.waiting += 1;
    const forget = super.onRaised(act);
    return () => {
      this.waiting -= 1;
      forget();
    };
  }
}
