/** The control API's raw board over real BullMQ queues. */
import { describe, expect } from "vitest";
import { buildControlServer } from "#autoscaler/control-api/server";
import type { Snapshot } from "#autoscaler/snapshot";
import { LaneQueues } from "#shared/redis/lane-queues";
import { addJob } from "#test/support/add-job";
import { bullmqFinder } from "#test/support/bullmq-finder";
import { redisTest } from "#test/support/redis-test";
import { laneView, queueView, snapshotOf } from "../unit/autoscaler/control-api/build-look.ts";
import { calmPorts } from "../unit/autoscaler/control-api/build-ports.ts";

function serve(queues: LaneQueues, snapshot: () => Snapshot) {
  return buildControlServer(calmPorts({ queues, snapshot: async () => snapshot() }));
}

const job = { jobId: "j1", name: "shop.pay", dataText: '{"amount":5}', acceptedAtMs: 1, delayMs: 0 };

interface BoardQueue {
  readonly name: string;
  readonly readOnlyMode: boolean;
  readonly allowRetries: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

describe("the raw board", () => {
  redisTest("shows every lane, parked and dead of the registry, read only", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    let snapshot = snapshotOf();
    const server = await serve(queues, () => snapshot);
    const shown = async (): Promise<readonly BoardQueue[]> =>
      (await server.inject("/raw/api/queues")).json().queues;

    await addJob(queues, "shop.r1", job);
    const first = await shown();
    expect(first.map(({ name }) => name)).toEqual(["shop.r1", "shop.parked", "shop.dead"]);
    expect(first.every((it) => it.readOnlyMode && !it.allowRetries)).toBe(true);
    expect(first[0]?.counts).toMatchObject({ waiting: 1 });

    snapshot = snapshotOf({ queues: [queueView({ lanes: [laneView({ lane: "shop.r2", generation: 2 })] })] });
    expect((await shown()).map(({ name }) => name)).toEqual(["shop.parked", "shop.dead", "shop.r2"]);
    await server.close();
  });

  redisTest("shows a job and leaves it as it is, whatever it is asked", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const server = await serve(queues, () => snapshotOf());
    await addJob(queues, "shop.r1", job);

    const answer = await server.inject("/raw/api/queues/shop.r1/j1");
    expect(answer.json()).toMatchObject({ job: { id: "j1", name: "shop.pay" } });
    for (const url of ["/raw/api/queues/shop.r1/empty", "/raw/api/queues/shop.r1/j1/clean"]) {
      expect((await server.inject({ method: "PUT", url })).statusCode).toBe(405);
    }
    expect(await bullmqFinder(queues).find(["shop.r1"], "j1")).toMatchObject([{ state: "waiting" }]);
    await server.close();
  });
});
