import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineContract } from "#shared/contracts/contract";
import { Flag } from "#shared/flag";
import { type AttemptEntry, EMPTY_RECORD } from "#shared/job-record";
import type { Settlement, TakenJob } from "#shared/redis/lane-worker";
import { FakeClock, settled } from "#test/support/fake-clock";
import { defineJob, type Handler, type JobDefinition } from "#worker/app";
import { type EndedRun, JobProcessor } from "#worker/process-job";
import { contractOf, envelope, noChildren, recordingLog, taken } from "./job-builder.ts";

/** A processor of one release whose draws are all 1/2, and what it called. */
function processorOf(
  handler: Handler<unknown>,
  contract: JobDefinition["contract"] = contractOf(),
  discounted: ReadonlySet<string> = new Set(),
) {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const pickedUp: [string, number | null][] = [];
  const runsEnded: [string, number][] = [];
  const reading: unknown[] = [];
  const ended: EndedRun[] = [];
  const unread = { jobs: 0 };
  const processor = new JobProcessor({
    app: { name: "shop", jobs: [defineJob(contract, handler)] },
    queue: "shop",
    release: "shop-v1",
    workerId: "w-1",
    clock,
    log,
    random: () => 0.5,
    children: noChildren,
    discounted: () => discounted,
    onPickedUp: (_job, type, dueAtMs) => pickedUp.push([type, dueAtMs]),
    onRunEnded: (run) => {
      ended.push(run);
      runsEnded.push([run.type, run.busyMs]);
    },
    onUnread: () => {
      unread.jobs += 1;
    },
    onRead: (lane) => reading.push([lane, "read"]),
    onBuildDefect: (lane, defect) => reading.push([lane, defect]),
  });
  return { clock, lines, processor, pickedUp, runsEnded, ended, reading, unread };
}

const healthy = new Flag();

/** How a job settles that must never reach its handler. */
async function settledUnrun(
  job: Partial<TakenJob>,
  contract?: JobDefinition["contract"],
): Promise<Settlement> {
  const { processor, runsEnded } = processorOf(() => {
    throw new Error("the handler was run");
  }, contract);
  const settlement = await processor.process({ ...taken, ...job }, healthy);
  expect(runsEnded).toEqual([]);
  return settlement;
}

/** A hand-back that nobody pays for: 2,000 x 2^0, of which the draw takes three quarters. */
function handedBack(code: string) {
  return {
    kind: "handed-back",
    delayMs: 1_500,
    record: {
      failures: 0,
      handBacks: 1,
      attempts: [expect.objectContaining({ attempt: 1, outcome: "handed-back", code, worker: "w-1" })],
    },
  };
}

function quarantined(code: string, message: unknown = expect.any(String)) {
  return {
    kind: "moved",
    place: "shop.dead",
    record: {
      failures: 0,
      handBacks: 0,
      attempts: [expect.objectContaining({ outcome: "quarantined", code, message })],
    },
  };
}

describe("a job that the build reads", () => {
  test("is run, and its slot time is counted", async () => {
    const { clock, processor, pickedUp, runsEnded } = processorOf(() => clock.sleep(250));
    const settlement = processor.process(taken, healthy);
    await clock.advance(250);
    expect(await settlement).toMatchObject({ kind: "finished", outcome: { outcome: "succeeded" } });
    expect(runsEnded).toEqual([["receipt.render", 250]]);
    expect(pickedUp).toEqual([["receipt.render", taken.dueAtMs]]);
  });

  test("counts its slot time when its handler throws, too", async () => {
    const { processor, runsEnded } = processorOf(() => {
      throw new Error("no paper");
    });
    expect((await processor.process(taken, healthy)).kind).toBe("retry");
    expect(runsEnded).toEqual([["receipt.render", 0]]);
  });

  test("may name critical attributes that the build understands", async () => {
    const data = { ...envelope, subject: "order", correlationid: "c", crit: "subject correlationid" };
    const { processor } = processorOf(() => "done");
    expect((await processor.process({ ...taken, data }, healthy)).kind).toBe("finished");
  });

  test("is run on its third loss of a worker, the last", async () => {
    const { processor } = processorOf(() => "done");
    expect((await processor.process({ ...taken, crashes: 3 }, healthy)).kind).toBe("finished");
  });
});

describe("what a job says of the build", () => {
  const upcasting = defineContract({
    type: "receipt.render",
    queue: "shop",
    versions: [
      { version: 1, minReaderVersion: 1, schema: z.looseObject({ orderId: z.string() }) },
      {
        version: 2,
        minReaderVersion: 2,
        schema: z.looseObject({ total: z.int() }),
        upcast: () => ({ total: "none" }),
      },
    ],
  });

  async function readingOf(data: unknown, contract: JobDefinition["contract"]): Promise<unknown[]> {
    const { processor, reading } = processorOf(() => "done", contract);
    await processor.process({ ...taken, data }, healthy);
    return reading;
  }

  test("is that it was read, once, whatever its handler then does", async () => {
    expect(await readingOf(envelope, contractOf())).toEqual([["shop.r1", "read"]]);
  });

  test("is a defect, with the step that fails, when the step's result is not valid", async () => {
    expect(await readingOf(envelope, upcasting)).toEqual([
      ["shop.r1", { type: "receipt.render", targetVersion: 2, code: "UPCAST_FAILED", jobId: "shop~abc" }],
    ]);
  });

  test.each([
    ["poison", { data: { orderId: 7 } }],
    ["too new", { schemaversion: 3, minreaderversion: 3 }],
    ["foreign", { type: "csv.summarise" }],
    ["of another major", { specversion: "2.0" }],
    ["not for it to understand", { lockkey: "l", crit: "lockkey" }],
    ["no envelope", { type: undefined }],
    ["expired", { expirytime: "2026-01-31T12:00:00Z" }],
  ])("is nothing when it is %s", async (_what, changed) => {
    expect(await readingOf({ ...envelope, ...changed }, upcasting)).toEqual([]);
  });
});

describe("a job that the build does not read", () => {
  test.each([
    ["too new", { schemaversion: 3, minreaderversion: 3 }, 1],
    ["of another major", { specversion: "2.0" }, 1],
    ["poison, which no build reads", { data: { orderId: 7 } }, 0],
    ["one that it reads", {}, 0],
  ])("is told as unread when it is %s", async (_what, changed, jobs) => {
    const { processor, unread } = processorOf(() => "done");
    await processor.process({ ...taken, data: { ...envelope, ...changed } }, healthy);
    expect(unread.jobs).toBe(jobs);
  });
});

describe("a run that has ended", () => {
  test("is told with its type, tenant, what was known before, and how it settled", async () => {
    const record = { ...EMPTY_RECORD, failures: 1 };
    const { processor, ended } = processorOf(() => {
      throw new Error("no paper");
    });
    await processor.process({ ...taken, record }, healthy);
    const { tenant: _tenant, ...withoutTenant } = envelope;
    await processor.process({ ...taken, data: withoutTenant }, healthy);
    expect(ended).toMatchObject([
      { type: "receipt.render", tenant: "default", record, settlement: { kind: "retry" } },
      { tenant: "default", record: EMPTY_RECORD },
    ]);
  });

  test("does not fail the job for failures of a discounted release", async () => {
    const record = { ...EMPTY_RECORD, failures: 2, attempts: [failure("shop-v0"), failure("shop-v0")] };
    const settle = async (discounted: readonly string[]) => {
      const throwing = () => {
        throw new Error("no paper");
      };
      const { processor } = processorOf(throwing, contractOf(), new Set(discounted));
      return (await processor.process({ ...taken, record }, healthy)).kind;
    };
    // The policy allows three attempts: this is the third, and the first that counts without shop-v0's.
    expect(await settle([])).toBe("failed");
    expect(await settle(["shop-v0"])).toBe("retry");
    expect(await settle(["shop-v1"])).toBe("retry");
    expect(await settle(["shop-v2"])).toBe("failed");
  });
});

function failure(release: string): AttemptEntry {
  const at = "2026-01-31T11:59:00.000Z";
  const words = { worker: "w-9", startedAt: at, endedAt: at, code: "Error", message: "no" };
  return { ...words, attempt: 1, release, outcome: "retry" };
}

describe("a job is quarantined and never run", () => {
  test("when its data is not what its own version promises", async () => {
    expect(await settledUnrun({ data: { ...envelope, data: { orderId: 7 } } })).toEqual(
      quarantined("DATA_INVALID", expect.stringContaining("/orderId")),
    );
  });

  test("when it has lost more than three workers", async () => {
    expect(await settledUnrun({ crashes: 4 })).toEqual(
      quarantined("WORKER_LOST", "it lost 4 workers while running"),
    );
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "hello"],
    ["what another producer wrote", { orderId: "o-1" }],
    ["an envelope without a type", { ...envelope, type: undefined }],
    ["an envelope whose minimum reader is none", { ...envelope, minreaderversion: 0 }],
    ["a specversion that is no text", { ...envelope, specversion: 1 }],
  ])("when Redis holds %s for it", async (_what, data) => {
    expect(await settledUnrun({ data })).toEqual(quarantined("ENVELOPE_INVALID"));
  });

  test("with its reason cut to 1,024 characters and without its data", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `field${index}`);
    const schema = z.looseObject(Object.fromEntries(names.map((name) => [name, z.int()])));
    const versions = [{ version: 1, minReaderVersion: 1, schema }];
    const contract = defineContract({ type: "receipt.render", queue: "shop", versions });
    const data = { ...envelope, data: { field0: "hunter2" } };
    const settlement = await settledUnrun({ data }, contract);
    const { message } = (settlement.kind === "moved" && settlement.record.attempts[0]) || { message: "" };
    expect(message).toHaveLength(1_024);
    expect(message).not.toContain("hunter2");
  });
});

describe("a job is handed back without an attempt", () => {
  const contract = defineContract({
    type: "receipt.render",
    queue: "shop",
    versions: [2, 3].map((version) => ({ version, minReaderVersion: version, schema: z.looseObject({}) })),
  });

  test.each([
    ["it is written for newer readers", { schemaversion: 4, minreaderversion: 4 }, "TOO_NEW"],
    ["it is older than what the build reads", { schemaversion: 1, minreaderversion: 1 }, "TOO_OLD"],
    ["its type is not the build's", { type: "csv.summarise" }, "FOREIGN"],
    ["its envelope is of another major", { specversion: "2.0" }, "FOREIGN"],
    [
      "it needs what the build does not know",
      { minreaderversion: 2, lockkey: "l", crit: "lockkey" },
      "UNKNOWN_CRIT",
    ],
  ])("when %s", async (_what, changed, code) => {
    expect(await settledUnrun({ data: { ...envelope, ...changed } }, contract)).toEqual(handedBack(code));
  });

  test("when its envelope is of another major that looks like nothing we know", async () => {
    expect(await settledUnrun({ data: { specversion: "3.0", kind: ["x"] } })).toEqual(handedBack("FOREIGN"));
  });

  test("when the build's own upcaster fails", async () => {
    const upcasting = defineContract({
      type: "receipt.render",
      queue: "shop",
      versions: [
        { version: 1, minReaderVersion: 1, schema: z.looseObject({ orderId: z.string() }) },
        {
          version: 2,
          minReaderVersion: 2,
          schema: z.looseObject({}),
          upcast: () => {
            throw new Error("hunter2");
          },
        },
      ],
    });
    const settlement = await settledUnrun({}, upcasting);
    expect(settlement).toEqual(handedBack("UPCAST_FAILED"));
    expect(JSON.stringify(settlement)).not.toContain("hunter2");
  });

  test("longer each time, and parked after eight", async () => {
    const data = { ...envelope, type: "csv.summarise" };
    // 2,000 x 2^4, of which the draw takes three quarters.
    expect(await settledUnrun({ data, record: { ...EMPTY_RECORD, handBacks: 4 } })).toMatchObject({
      kind: "handed-back",
      delayMs: 24_000,
      record: { handBacks: 5 },
    });
    expect(await settledUnrun({ data, record: { ...EMPTY_RECORD, handBacks: 8 } })).toEqual({
      kind: "moved",
      place: "shop.parked",
      record: {
        failures: 0,
        handBacks: 8,
        attempts: [expect.objectContaining({ outcome: "parked", code: "FOREIGN" })],
      },
    });
  });

  test("and keeps the attempts that it has had", async () => {
    const data = { ...envelope, type: "csv.summarise" };
    expect(await settledUnrun({ data, record: { ...EMPTY_RECORD, failures: 2 } })).toMatchObject({
      record: { failures: 2, attempts: [{ attempt: 3 }] },
    });
  });
});

describe("a job whose time to run has passed", () => {
  test.each([
    ["is expired from that very moment", "2026-01-31T12:00:00Z", "expired"],
    ["is expired by the moment, not by its text", "2026-01-31T13:59:00+02:00", "expired"],
    ["is run a millisecond before", "2026-01-31T12:00:00.001Z", "succeeded"],
  ])("%s", async (_what, expirytime, outcome) => {
    // The clock stands at 2026-01-31T12:00:00Z.
    const { processor } = processorOf(() => undefined);
    const data = { ...envelope, expirytime };
    expect(await processor.process({ ...taken, data }, healthy)).toEqual({
      kind: "finished",
      outcome: { outcome, release: "shop-v1" },
    });
  });
});

describe("ending runs", () => {
  const obedient: Handler<unknown> = (_job, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });

  test("a drain that is out of time sends back all that runs, and all that is taken after it", async () => {
    const { processor } = processorOf(obedient);
    const running = ["a", "b"].map((jobId) => processor.process({ ...taken, jobId }, healthy));
    processor.abortForDrain();
    expect((await Promise.all(running)).map((it) => it.kind)).toEqual(["returned", "returned"]);
    const { processor: late } = processorOf((_job, { signal }) => signal.throwIfAborted());
    late.abortForDrain();
    expect((await late.process(taken, healthy)).kind).toBe("returned");
  });

  test("handing runs back ends those of the lanes that are left, and nothing that is taken later", async () => {
    const { processor } = processorOf(obedient);
    const run = (lane: string, jobId: string) => processor.process({ ...taken, lane, jobId }, healthy);
    const [left, kept] = [run("shop.r1", "a"), run("shop.r2", "b")];
    processor.handBackRuns((lane) => lane === "shop.r1");
    expect(await left).toMatchObject({ kind: "returned", record: { failures: 0, handBacks: 0 } });
    const later = run("shop.r1", "c");
    await settled();
    processor.cancel("b");
    processor.cancel("c");
    expect(await Promise.all([kept, later])).toMatchObject([{ kind: "finished" }, { kind: "finished" }]);
  });

  test("cancelling ends the run of that job alone", async () => {
    const { processor } = processorOf(obedient);
    const [first, second] = ["a", "b"].map((jobId) => processor.process({ ...taken, jobId }, healthy));
    processor.cancel("a");
    processor.cancel("unknown");
    expect(await first).toMatchObject({ outcome: { outcome: "cancelled" } });
    let ended = false;
    const watched = second?.then(() => {
      ended = true;
    });
    await settled();
    expect(ended).toBe(false);
    processor.cancel("b");
    await watched;
  });

  test("cancelling a job that has ended does nothing to its next run", async () => {
    let runs = 0;
    const { processor } = processorOf((_job, { signal }) => {
      runs += 1;
      signal.throwIfAborted();
    });
    await processor.process(taken, healthy);
    processor.cancel(taken.jobId);
    expect((await processor.process(taken, healthy)).kind).toBe("finished");
    expect(runs).toBe(2);
  });

  test("a lost lease leaves the job to whoever has it now", async () => {
    const { processor } = processorOf(obedient);
    const lease = new Flag();
    const running = processor.process(taken, lease);
    lease.raise();
    expect(await running).toEqual({ kind: "abandoned" });
  });
});
