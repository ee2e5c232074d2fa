/** A job may ask for fewer attempts and less time than its type's policy; never for more. */
import { describe, expect, test } from "vitest";
import type { Envelope } from "#shared/envelope";
import { Flag } from "#shared/flag";
import { EMPTY_RECORD } from "#shared/job-record";
import type { Settlement } from "#shared/redis/lane-worker";
import { FakeClock } from "#test/support/fake-clock";
import type { Handler } from "#worker/app";
import { runHandler } from "#worker/run-handler";
import { contractOf, envelope, noChildren, recordingLog, taken } from "./job-builder.ts";

interface Run {
  readonly asks: Partial<Pick<Envelope, "attempts" | "timeoutms">>;
  readonly failures?: number;
}

/** Runs a handler under a policy of 3 attempts and 5 s; every draw is 1/2. */
function run(handler: Handler<unknown>, { asks, failures = 0 }: Run) {
  const clock = new FakeClock();
  const flags = { draining: new Flag(), "lease-lost": new Flag(), cancelled: new Flag() };
  const asked = { ...envelope, ...asks };
  const settlement: Promise<Settlement> = runHandler({
    contract: contractOf(),
    handler,
    envelope: asked,
    data: asked.data,
    job: { ...taken, record: { ...EMPTY_RECORD, failures } },
    startedAt: "2026-01-31T12:00:00.000Z",
    release: "shop-v1",
    workerId: "w-1",
    clock,
    log: recordingLog().log,
    random: () => 0.5,
    discounted: () => new Set(),
    children: noChildren,
    aborts: flags,
  });
  return { clock, settlement };
}

const throwing: Handler<unknown> = () => {
  throw new Error("no");
};

/** Says when its signal aborted, in milliseconds from the start. */
async function toldToEndAfter(asks: Run["asks"]): Promise<number | null> {
  let toldMs: number | null = null;
  const started = run(
    (_job, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          toldMs = started.clock.monotonicMs();
          reject(signal.reason);
        });
      }),
    { asks },
  );
  await started.clock.advance(10_000);
  await started.settlement;
  return toldMs;
}

describe("a job that asks for fewer attempts than its type allows", () => {
  test.each([
    [1, 0, "failed"],
    [2, 0, "retry"],
    [2, 1, "failed"],
    [3, 1, "retry"],
    // The policy's three, whatever is asked for: a worker may be older than the policy that the door knew.
    [9, 2, "failed"],
    [undefined, 2, "failed"],
    [undefined, 1, "retry"],
  ] as const)("%s: after %i failures the next one is %s", async (attempts, failures, kind) => {
    const { settlement } = run(throwing, { asks: attempts === undefined ? {} : { attempts }, failures });
    expect((await settlement).kind).toBe(kind);
  });
});

describe("a job that asks for less time than its type allows", () => {
  test.each([
    [200, 200],
    [5_000, 5_000],
    [9_000, 5_000],
    [undefined, 5_000],
  ] as const)("%s ms: is told to end after %i ms", async (timeoutms, endMs) => {
    expect(await toldToEndAfter(timeoutms === undefined ? {} : { timeoutms })).toBe(endMs);
  });

  test("has the time that it asked for on record", async () => {
    const { clock, settlement } = run(() => new Promise(() => undefined), { asks: { timeoutms: 200 } });
    await clock.advance(1_200);
    expect(await settlement).toMatchObject({
      kind: "retry",
      reason: expect.stringContaining("longer than its 200 ms"),
    });
  });
});
