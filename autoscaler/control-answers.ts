/**
 * What the control API asks of stores and keepers, each answered soon or not at all: the loops' connection is a
 * patient one, and a viewer is not kept waiting for a Redis that is away.
 */
import type { Clock } from "#shared/clock";
import type { AuditAct, AuditStore } from "#shared/redis/audit-store";
import type { GateKeeper, GateMove } from "./gate-keeper.ts";
import type { LimitsKeeper, OverrideRequest } from "./limits-keeper.ts";
import type { Observer } from "./observe.ts";

/** What the control API asks, each answered soon or not at all. */
export function answersOf({ clock, observer, gateKeeper, audit, limits }: Answering) {
  return {
    audit: {
      record: (act: AuditAct) => audit.record(act),
      page: (limit: number, before: number | null) => answeredSoon(clock, audit.page(limit, before)),
    },
    snapshot: async () => (await answeredSoon(clock, observer.recent())).snapshot,
    observation: () => answeredSoon(clock, observer.recent()),
    gates: () => answeredSoon(clock, gateKeeper.gates()),
    moveGate: (move: GateMove) => answeredSoon(clock, gateKeeper.move(move)),
    limits: {
      view: () => answeredSoon(clock, limits.view()),
      set: (request: OverrideRequest) => answeredSoon(clock, limits.set(request)),
      drop: (path: string) => answeredSoon(clock, limits.drop(path)),
    },
  };
}

interface Answering {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly gateKeeper: GateKeeper;
  readonly audit: AuditStore;
  readonly limits: LimitsKeeper;
}

/** A viewer is not kept waiting for a Redis that is away: the loops' connection is a patient one. */
export async function answeredSoon<Answer>(clock: Clock, answer: Promise<Answer>): Promise<Answer> {
  const late = clock.sleep(VIEW_TIMEOUT_MS).then(() => {
    throw new Error("Redis did not answer in time");
  });
  return Promise.race([answer, late]);
}

const VIEW_TIMEOUT_MS = 2_000;
