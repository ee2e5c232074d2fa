/** Ports of a control API where all is well, nobody is asked for a key and nothing can be changed. */
import { Registry } from "prom-client";
import type { ControlPorts } from "#autoscaler/control-api/server";
import { createLog } from "#shared/log";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";
import { overridesView, snapshotOf } from "./build-look.ts";

export function calmPorts(changes: Partial<ControlPorts> = {}): ControlPorts {
  return {
    log: createLog("test", "silent"),
    loopbackOnly: false,
    authentication: "off",
    metrics: new Registry(),
    readiness: () => ({ durability: null, redisReachable: true, stopping: false, problems: [] }),
    queues: { open: () => Promise.reject(new Error("no queue in this test")) },
    snapshot: async () => snapshotOf(),
    decisions: keptDecisions([]),
    scaling: {
      view: async () => overridesView(),
      freeze: () => Promise.reject(new TypeError("nothing is frozen in this test")),
      thaw: () => Promise.reject(new TypeError("nothing is thawed in this test")),
      bound: () => Promise.reject(new TypeError("no bounds are set in this test")),
      unbound: () => Promise.reject(new TypeError("no bounds are reset in this test")),
    },
    observation: async () => ({ snapshot: snapshotOf(), document: EMPTY_REGISTRY }),
    desired: async () => ({
      kind: "known",
      workers: 2,
      atMs: Date.UTC(2026, 0, 31, 12),
      decisionId: "shop~1-1",
    }),
    desiredPools: ["shop"],
    leader: async () => {
      const leader = { id: "a-1", host: "here", pid: 1, machine: "m", epoch: 3, sinceMs: 0, leftMs: 9_000 };
      return { id: "a-1", role: "leader", look: { leader, autoscalers: [leader] } };
    },
    gates: async () => [],
    moveGate: () => Promise.reject(new TypeError("no gate moves in this test")),
    limits: {
      view: async () => {
        const nothing = { queues: {}, throttles: [] };
        return { revision: 0, base: nothing, inForce: nothing, overrides: [] };
      },
      set: () => Promise.reject(new TypeError("no limit is set in this test")),
      drop: () => Promise.reject(new TypeError("no limit is reset in this test")),
    },
    clock: { nowMs: () => Date.UTC(2026, 2, 1, 3) },
    rollouts: {
      list: async () => [],
      get: async () => null,
      start: () => Promise.reject(new TypeError("no rollout starts in this test")),
      lint: () => Promise.reject(new TypeError("no rollout is asked about in this test")),
      act: () => Promise.reject(new TypeError("no rollout changes in this test")),
      history: async () => [],
      records: async () => [],
    },
    holds: {
      read: async () => [],
      set: () => Promise.reject(new TypeError("no worker is held in this test")),
    },
    retireRelease: () => Promise.reject(new TypeError("no release retires in this test")),
    audit: {
      record: async () => undefined,
      page: async () => ({ entries: [], unreadable: 0, nextBefore: null }),
    },
    ...changes,
  };
}

/** A store that holds these, newest first, and has no page after the first. */
export function keptDecisions(records: readonly unknown[]): ControlPorts["decisions"] {
  const of = (pool: string) => records.filter((it) => (it as { queue?: unknown } | null)?.queue === pool);
  return {
    page: async ({ pool, limit }) => ({
      records: (pool === null ? records : of(pool)).slice(0, limit),
      next: null,
    }),
    find: async (id) => records.find((it) => (it as { id?: unknown } | null)?.id === id) ?? null,
    newestOf: async (pools) => pools.flatMap((pool) => of(pool).slice(0, 1)),
  };
}
