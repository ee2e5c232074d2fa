/** What a handler enqueues: whose it is, what its id is, and when it is refused. */
import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { IdempotencyMismatchError, NoRoomError } from "#shared/admission-errors";
import type { OncePorts } from "#shared/enqueue/enqueue-once";
import type { Envelope, JobRequest } from "#shared/envelope";
import { EnvelopeInvalidError, NotEnqueuedError } from "#shared/errors";
import { Flag } from "#shared/flag";
import { FakeClock, settled } from "#test/support/fake-clock";
import { registryWithReceipts } from "#test/unit/producer/server-builder";
import type { Handler } from "#worker/app";
import { type ChildJob, ChildJobs } from "#worker/child-jobs";
import { runHandler } from "#worker/run-handler";
import { contractOf, envelope, recordingLog, taken } from "./job-builder.ts";

interface Asked {
  readonly request: JobRequest;
  readonly tenant: string;
}

/** A door that knows ids, as Redis does, across runs. */
function doorOf({ fails = null, down = false }: { fails?: Error | null; down?: boolean } = {}) {
  const asked: Asked[] = [];
  const created: string[] = [];
  let opened = 0;
  const ports: OncePorts = {
    registry: registryWithReceipts,
    enqueue: async (request, { tenant }) => {
      if (fails !== null) throw fails;
      const isKnown = asked.some((it) => it.request.id === request.id);
      asked.push({ request, tenant });
      const outcome = isKnown ? "replayed" : "created";
      return { job: { id: `shop~${request.id}`, type: request.type, state: "waiting" }, outcome };
    },
  };
  const clock = new FakeClock();
  const children = new ChildJobs({
    open: async () => {
      opened += 1;
      if (down) throw new Error("ECONNREFUSED");
      return ports;
    },
    nowMs: () => clock.nowMs(),
    onCreated: (type) => created.push(type),
  });
  return { asked, created, children, clock, opened: () => opened };
}

const flags = () => ({ draining: new Flag(), "lease-lost": new Flag(), cancelled: new Flag() });

/** Runs a handler of the job `shop~abc`; the answers of its `enqueue` are what it returns. */
function run(
  handler: Handler<unknown>,
  {
    door = doorOf(),
    parent = envelope,
    aborts = flags(),
  }: {
    readonly door?: ReturnType<typeof doorOf>;
    readonly parent?: Envelope;
    readonly aborts?: ReturnType<typeof flags>;
  } = {},
) {
  const settlement = runHandler({
    contract: contractOf(),
    handler,
    envelope: parent,
    data: parent.data,
    job: taken,
    startedAt: "2026-01-31T12:00:00.000Z",
    release: "shop-v1",
    workerId: "w-1",
    clock: door.clock,
    log: recordingLog().log,
    random: () => 0.5,
    discounted: () => new Set(),
    children: door.children,
    aborts,
  });
  return { door, settlement };
}

const child: ChildJob = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-2" } };

/** Ids are the hash of parent and number of the call, from 1. */
const idOf = (ordinal: number) => hash("sha256", JSON.stringify([taken.jobId, ordinal]));

describe("a job that a handler enqueues", () => {
  test("is its parent's in tenant, source, cause, correlation and trace", async () => {
    const traced = {
      ...envelope,
      tenant: "acme",
      correlationid: "c-1",
      traceparent: "00-a-b-01",
      tracestate: "x=1",
    };
    const { door, settlement } = run((_job, { enqueue }) => enqueue(child), { parent: traced });
    expect(await settlement).toMatchObject({ outcome: { result: { id: `shop~${idOf(1)}`, isNew: true } } });
    expect(door.asked).toEqual([
      {
        tenant: "acme",
        request: {
          ...child,
          id: idOf(1),
          source: "/jobs/shop~abc",
          causationid: "shop~abc",
          correlationid: "c-1",
          traceparent: "00-a-b-01",
          tracestate: "x=1",
        },
      },
    ]);
    expect(door.created).toEqual(["receipt.render"]);
  });

  test("begins a correlation when its parent has none", async () => {
    const { door, settlement } = run((_job, { enqueue }) => enqueue(child));
    await settlement;
    expect(door.asked[0]?.request.correlationid).toBe("shop~abc");
  });

  test("waits as long as it says, from now", async () => {
    const { door, settlement } = run((_job, { enqueue }) => enqueue({ ...child, delayMs: 90_000 }));
    await settlement;
    // The clock stands at noon.
    expect(door.asked[0]?.request.scheduledtime).toBe("2026-01-31T12:01:30.000Z");
  });

  test("is not added again by another run of its parent", async () => {
    const door = doorOf();
    const handler: Handler<unknown> = (_job, { enqueue }) => Promise.all([enqueue(child), enqueue(child)]);
    await run(handler, { door }).settlement;
    const again = await run(handler, { door }).settlement;
    expect(door.asked.map(({ request }) => request.id)).toEqual([idOf(1), idOf(2), idOf(1), idOf(2)]);
    expect(again).toMatchObject({ outcome: { result: [{ isNew: false }, { isNew: false }] } });
    expect(door.created).toHaveLength(2);
  });

  test("stays as it was when another run asks for something else", async () => {
    const door = doorOf({ fails: new IdempotencyMismatchError() });
    const { settlement } = run((_job, { enqueue }) => enqueue({ ...child, delayMs: 5 }), { door });
    expect(await settlement).toMatchObject({ outcome: { outcome: "succeeded", result: { isNew: false } } });
  });

  test("has JSON for data: what JSON turns it into is what is checked", async () => {
    const data = { orderId: "o-2", at: { toJSON: () => "noon" }, gone: undefined };
    const { door, settlement } = run((_job, { enqueue }) => enqueue({ ...child, data }));
    await settlement;
    expect(door.asked[0]?.request.data).toEqual({ orderId: "o-2", at: "noon" });
  });

  test("costs a worker nothing before it is the first", async () => {
    const { door, settlement } = run(() => "done");
    await settlement;
    expect(door.opened()).toBe(0);
  });
});

describe("a refusal", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;

  test.each<[string, Partial<Record<keyof ChildJob, unknown>>, string]>([
    ["a negative delay", { delayMs: -1 }, "/delayMs"],
    ["a delay that is no number", { delayMs: Number.NaN }, "/delayMs"],
    ["circular data", { data: circular }, "/data"],
    ["data that is no object", { data: 7 }, "/data"],
    ["data with a forbidden name", { data: JSON.parse('{"a":{"__proto__":1}}') }, "/data/a/__proto__"],
    ["an id of its own", { id: "mine" } as object, "/id"],
    ["a type that is none", { type: "receipt" }, "/type"],
  ])("of %s says where", async (_what, wrong, pointer) => {
    const door = doorOf();
    let thrown: unknown;
    await run(
      async (_job, { enqueue }) => {
        await enqueue({ ...child, ...wrong } as ChildJob).catch((error: unknown) => {
          thrown = error;
        });
      },
      { door },
    ).settlement;
    expect(thrown).toBeInstanceOf(EnvelopeInvalidError);
    expect((thrown as EnvelopeInvalidError).issues.map((it) => it.pointer)).toEqual([pointer]);
    expect(door.asked).toEqual([]);
  });

  test("that may pass makes the run fail and run again, when it is not caught", async () => {
    const door = doorOf({ fails: new NoRoomError("BACKLOG_FULL", "shop has no room", 1_000) });
    const { settlement } = run((_job, { enqueue }) => enqueue(child), { door });
    expect(await settlement).toMatchObject({
      kind: "retry",
      record: { attempts: [{ code: "BACKLOG_FULL" }] },
    });
  });

  test("for good fails the job, when it is not caught", async () => {
    const { settlement } = run((_job, { enqueue }) => enqueue({ ...child, type: "x" }));
    expect(await settlement).toMatchObject({
      kind: "failed",
      record: { attempts: [{ code: "ENVELOPE_INVALID" }] },
    });
  });

  test("by a Redis that is away is retryable", async () => {
    let thrown: unknown;
    const handler: Handler<unknown> = (_job, { enqueue }) =>
      enqueue(child).catch((error: unknown) => {
        thrown = error;
      });
    await run(handler, { door: doorOf({ down: true }) }).settlement;
    expect(thrown).toBeInstanceOf(NotEnqueuedError);
  });
});

describe("a run that is over", () => {
  test.each(["draining", "lease-lost", "cancelled"] as const)(
    "enqueues nothing when it is %s",
    async (cause) => {
      const aborts = flags();
      const door = doorOf();
      let refused: unknown;
      const { settlement } = run(
        async (_job, { enqueue, signal }) => {
          aborts[cause].raise();
          await enqueue(child).catch((error: unknown) => {
            refused = error;
          });
          throw signal.reason;
        },
        { door, aborts },
      );
      await settlement;
      expect(refused).toEqual(new Error(cause));
      expect(door.asked).toEqual([]);
    },
  );

  test("enqueues nothing when its handler has returned", async () => {
    const door = doorOf();
    const late: Promise<unknown>[] = [];
    const { settlement } = run(
      (_job, { enqueue }) => {
        late.push(settled().then(() => enqueue(child)));
        late[0]?.catch(() => undefined);
      },
      { door },
    );
    await settlement;
    await expect(late[0]).rejects.toThrow("the run has ended");
    expect(door.asked).toEqual([]);
  });
});
