import { describe, expect, onTestFinished, test } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import type { AuditAct } from "#shared/redis/audit-store";
import type { WorkerHold } from "#shared/redis/worker-holds-store";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";
import { keysOnly, testKey } from "#test/support/api-keys";
import { aPolicy, aRollout, START_MS } from "../rollout/rollout-builder.ts";
import { laneView, queueView, snapshotOf, workerView } from "./build-look.ts";
import { calmPorts } from "./build-ports.ts";

const host = "127.0.0.1:7701";
const body = { why: "its disk is full", by: "ada" };

async function serve(ports: Partial<ControlPorts> = {}) {
  const held: WorkerHold[] = [];
  const retired: string[] = [];
  const acts: AuditAct[] = [];
  const calm = calmPorts();
  const server = await buildControlServer({
    ...calm,
    loopbackOnly: true,
    clock: { nowMs: () => START_MS },
    holds: {
      read: async () => held,
      set: async (hold) => {
        held.push(hold);
        return "set";
      },
    },
    retireRelease: async (release) => void retired.push(release),
    audit: { ...calm.audit, record: async (act) => void acts.push(act) },
    ...ports,
  });
  onTestFinished(() => server.close());
  const post = (url: string, payload: object = body, headers = {}) =>
    server.inject({ method: "POST", url, headers: { host, ...headers }, payload });
  return { server, held, retired, acts, post };
}

const order = (worker: string, what: string) => `/v1/fleet/workers/${worker}/${what}`;

describe("POST /v1/fleet/workers/{worker}/{order}", () => {
  test.each(["drain", "quarantine", "run"])("%s is stored with who and why, and audited", async (what) => {
    const { server, post, held, acts } = await serve();
    const answer = await post(order("w1", what));
    const hold = { worker: "w1", order: what, ...body, at: "1970-01-01T00:16:40.000Z" };
    expect([answer.statusCode, answer.json()]).toEqual([200, { hold }]);
    expect(held).toEqual([hold]);
    expect(acts).toMatchObject([
      { action: `worker.${what}`, target: "w1", why: body.why, after: { by: "ada" }, outcome: "done" },
    ]);
    const listed = await server.inject({ url: "/v1/fleet/holds", headers: { host } });
    expect(listed.json()).toEqual({ holds: [hold] });
  });

  test("is 404 for a worker that is not alive and for an order that is none", async () => {
    const dead = async () => snapshotOf({ workers: [workerView({ state: "dead" })] });
    const { post, held, acts } = await serve({ snapshot: dead });
    for (const worker of ["w1", "w2"]) {
      expect((await post(order(worker, "drain"))).json().code).toBe("WORKER_NOT_FOUND");
    }
    expect((await post(order("w1", "shoot"))).json().code).toBe("WORKER_ORDER_UNKNOWN");
    expect(held).toEqual([]);
    expect(acts.map(({ outcome }) => outcome)).toEqual(["refused", "refused"]);
  });

  test("does not let a worker run that a rollout holds, but lets it be drained", async () => {
    const quarantined = [{ worker: "w1", release: "mail-2", atMs: START_MS, step: 0, why: "it fails" }];
    const view = {
      rollout: aRollout({ quarantined }),
      policy: aPolicy(),
      lastRecord: null,
      observation: null,
    };
    const { rollouts } = calmPorts();
    const { post } = await serve({ rollouts: { ...rollouts, list: async () => [view] } });
    const run = await post(order("w1", "run"));
    expect([run.statusCode, run.json().code]).toEqual([409, "WORKER_HELD"]);
    expect((await post(order("w1", "drain"))).statusCode).toBe(200);
  });

  test("says when too many are held, and when it is not known", async () => {
    const full = await serve({ holds: { read: async () => [], set: async () => "full" } });
    expect((await full.post(order("w1", "drain"))).json().code).toBe("WORKER_HOLDS_FULL");
    const away = await serve({
      holds: { read: async () => [], set: () => Promise.reject(new Error("away")) },
    });
    const answer = await away.post(order("w1", "drain"));
    expect([answer.statusCode, answer.json().code]).toEqual([503, "WORKER_HOLD_UNKNOWN"]);
    expect(away.acts).toMatchObject([{ outcome: "unknown" }]);
  });

  test("needs a reason, and a key that may write", async () => {
    const reader = testKey(["ops:read"]);
    const { post } = await serve({ authentication: keysOnly([reader]) });
    expect((await post(order("w1", "drain"), body, reader.bearer)).statusCode).toBe(403);
    const { post: open } = await serve();
    expect((await open(order("w1", "drain"), { by: "ada" })).json().errors).toMatchObject([
      { pointer: "/why" },
    ]);
  });
});

describe("POST /v1/releases/{release}/retire", () => {
  const registry = {
    ...EMPTY_REGISTRY,
    releases: {
      "shop-1": {
        app: "shop",
        state: "live",
        order: 1,
        publishedAt: "2026-01-01T00:00:00.000Z",
        queues: {},
        types: {},
      },
    },
  } as unknown as typeof EMPTY_REGISTRY;
  const idle = queueView({ lanes: [laneView()] });

  test("retires a release that nothing needs, and audits it", async () => {
    const snapshot = snapshotOf({ workers: [], queues: [idle] });
    const { post, retired, acts } = await serve({
      observation: async () => ({ snapshot, document: registry }),
    });
    const answer = await post("/v1/releases/shop-1/retire");
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { release: "shop-1", state: "retired", retired: true },
    ]);
    expect(retired).toEqual(["shop-1"]);
    expect(acts).toMatchObject([
      { action: "release.retire", target: "shop-1", before: { state: "live" }, outcome: "done" },
    ]);
  });

  test("names everything that is in the way, retires nothing and audits that", async () => {
    const busy = workerView({ state: "draining", busy: 2 });
    const snapshot = snapshotOf({ workers: [busy, workerView({ worker: "w2" })] });
    const { post, retired, acts } = await serve({
      observation: async () => ({ snapshot, document: registry }),
    });
    const answer = await post("/v1/releases/shop-1/retire");
    expect([answer.statusCode, answer.json().code]).toEqual([409, "RELEASE_NEEDED"]);
    expect(answer.json().errors).toMatchObject([
      { rule: "jobs-in-flight", message: "worker w1 has 2 jobs in flight" },
      { rule: "worker-takes-jobs" },
    ]);
    expect(retired).toEqual([]);
    expect(acts).toMatchObject([{ outcome: "refused" }]);
  });

  test("is 404 for a release that is not known, and says when it is not known whether it is done", async () => {
    const snapshot = snapshotOf({ workers: [], queues: [idle] });
    const retireRelease = () => Promise.reject(new Error("away"));
    const observation = async () => ({ snapshot, document: registry });
    const { post, acts } = await serve({ observation, retireRelease });
    expect((await post("/v1/releases/none/retire")).json().code).toBe("RELEASE_NOT_FOUND");
    expect((await post("/v1/releases/shop-1/retire")).json().code).toBe("RETIREMENT_UNKNOWN");
    expect(acts).toMatchObject([{ outcome: "unknown" }]);
  });
});
