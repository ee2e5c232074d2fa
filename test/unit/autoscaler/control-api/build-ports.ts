/** Ports of a control API where all is well, nobody is asked for a key and nothing can be changed. */
import { Registry } from "prom-client";
import type { ControlPorts } from "#autoscaler/control-api/server";
import { createLog } from "#shared/log";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";
import { snapshotOf } from "./build-look.ts";

export function calmPorts(changes: Partial<ControlPorts> = {}): ControlPorts {
  return {
    log: createLog("test", "silent"),
    loopbackOnly: false,
    authentication: "off",
    metrics: new Registry(),
    readiness: () => ({ durability: null, redisReachable: true, stopping: false, problems: [] }),
    queues: { open: () => Promise.reject(new Error("no queue in this test")) },
    snapshot: async () => snapshotOf(),
    decisions: async () => [],
    observation: async () => ({ snapshot: snapshotOf(), document: EMPTY_REGISTRY }),
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
    audit: {
      record: async () => undefined,
      page: async () => ({ entries: [], unreadable: 0, nextBefore: null }),
    },
    ...changes,
  };
}
