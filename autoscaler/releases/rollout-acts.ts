/**
 * Carries out what a rollout orders beside shares: quarantines, gates, retirements, jobs that a failed release exhausted.
 *
 * Effects only, each to be repeated at will: an order says how things are to be. A gate goes up only when the gate's own
 * rules agree, and a release retires only when nothing blocks it. One that cannot be carried out holds up no other, and
 * is tried again with the next look.
 */

import { StaleEpochError } from "#shared/errors";
import { laneName } from "#shared/lane";
import type { Log } from "#shared/log";
import type { FleetStore } from "#shared/redis/fleet-store";
import type { GateDecision, GateReadiness, GateRequest } from "#shared/registry/decide-gate";
import { routeOf } from "#shared/registry/decide-lane";
import type { Change } from "#shared/registry/registry-document";
import { toRfc3339 } from "#shared/system-clock";
import type { Term } from "../leadership.ts";
import type { Observation } from "../observe.ts";
import { decideReleaseRetirement } from "../retirement/decide-release-retirement.ts";
import type { Order } from "../rollout/decide-orders.ts";
import type { Rollout } from "../rollout/rollout-document.ts";
import type { LoadEstimates } from "../scaling/load-estimates.ts";
import type { WorkerView } from "../snapshot.ts";
import type { RequeueExhausted } from "./requeue-exhausted.ts";

export interface RolloutActsPorts {
  readonly log: Log;
  readonly fleet: Pick<FleetStore, "order">;
  readonly estimates: Pick<LoadEstimates, "loadSlots">;
  readonly requeue: Pick<RequeueExhausted, "pass">;
  moveGate(move: {
    readonly request: GateRequest;
    readonly readiness: GateReadiness;
    readonly change: Change;
  }): Promise<GateDecision>;
  retireRelease(release: string): Promise<unknown>;
}

export interface ActsInput {
  readonly rollout: Rollout;
  readonly observation: Pick<Observation, "snapshot" | "document" | "redisNowMs">;
  readonly term: Pick<Term, "epoch" | "require">;
}

const TAKE_NOTHING: ReadonlySet<WorkerView["state"]> = new Set(["quarantined", "draining", "dead"]);

export class RolloutActs {
  readonly #ports: RolloutActsPorts;
  /** What could not be done was told: once until it changes. */
  readonly #told = new Map<string, string>();

  constructor(ports: RolloutActsPorts) {
    this.#ports = ports;
  }

  /** @throws {StaleEpochError} when the term is over. Nothing else is. */
  async carryOut(orders: readonly Order[], input: ActsInput): Promise<void> {
    for (const order of orders) {
      try {
        input.term.require();
        await this.#carryOut(order, input);
      } catch (error) {
        if (error instanceof StaleEpochError) throw error;
        this.#ports.log.warn({ err: error, rollout: input.rollout.id, order: order.kind }, "order not done");
      }
    }
  }

  async #carryOut(order: Order, input: ActsInput): Promise<void> {
    switch (order.kind) {
      case "quarantine":
        return this.#quarantine(order.worker, input);
      case "set-gate":
        return this.#setGate(order, input);
      case "retire":
        return this.#retire(order.release, input);
      case "requeue-exhausted":
        await this.#ports.requeue.pass(order.release, input);
        return;
      // Told to the workers of the release; see decide-release-orders.ts.
      case "share":
      case "start-probe":
      case "pause-lanes":
      case "hand-back":
        return;
    }
  }

  async #quarantine(worker: string, { observation, term, rollout }: ActsInput): Promise<void> {
    const view = observation.snapshot.workers.find((it) => it.worker === worker);
    // One that drains takes nothing either, and may have been told to by a person.
    if (view === undefined || TAKE_NOTHING.has(view.state)) return;
    await this.#ports.fleet.order(worker, { epoch: term.epoch, order: "quarantine" });
    this.#ports.log.warn({ worker, rollout: rollout.id }, "worker is quarantined");
  }

  async #setGate(
    { type, version, raise }: Extract<Order, { kind: "set-gate" }>,
    { rollout, observation }: ActsInput,
  ): Promise<void> {
    const { document, redisNowMs } = observation;
    if (document.types[type]?.activeVersion === version) return;
    const change = {
      at: toRfc3339(redisNowMs),
      by: `rollout ${rollout.id}`,
      why: raise ? `${rollout.to} has passed its gates` : `the way back to ${rollout.from}`,
    };
    const request = { type, version, expected: null, force: false, sunset: null };
    const readiness = gateReadiness(observation, { type, version }, this.#ports.estimates);
    const decision = await this.#ports.moveGate({ request, readiness, change });
    const { log } = this.#ports;
    const key = `${rollout.id}|${type}`;
    if (decision.kind === "moved") log.info({ type, version, rollout: rollout.id }, "gate is moved");
    if (decision.kind !== "refused") this.#told.delete(key);
    else if (this.#told.get(key) !== decision.code) {
      this.#told.set(key, decision.code);
      log.warn({ type, version, rollout: rollout.id, reason: decision.reason }, "gate is not moved");
    }
  }

  async #retire(release: string, { observation, rollout }: ActsInput): Promise<void> {
    const { document, snapshot } = observation;
    const { workers, queues } = snapshot;
    const { mayRetire, blockers } = decideReleaseRetirement(document, { release, workers, queues });
    const { log } = this.#ports;
    const key = `${rollout.id}|retire ${release}`;
    if (!mayRetire) {
      const [first] = blockers;
      if (this.#told.get(key) === first?.code) return;
      this.#told.set(key, first?.code ?? "");
      log.warn({ release, rollout: rollout.id, blockers: blockers.map((it) => it.what) }, "not retired yet");
      return;
    }
    if (document.releases[release]?.state === "retired") return;
    await this.#ports.retireRelease(release);
    log.info({ release, rollout: rollout.id }, "release is retired");
  }
}

/** Slots of workers that take from the version's lane, against what its type keeps busy. */
function gateReadiness(
  { document, snapshot }: ActsInput["observation"],
  { type, version }: { readonly type: string; readonly version: number },
  estimates: Pick<LoadEstimates, "loadSlots">,
): GateReadiness {
  const route = routeOf(document, type, version);
  const queue = document.types[type]?.queue;
  const loadSlots = queue === undefined ? null : estimates.loadSlots(queue, type);
  if (route === null) return { readerSlots: 0, loadSlots };
  const lane = laneName(route.queue, route.generation);
  const readers = snapshot.workers.filter(
    ({ state, takes, lanes }) => state === "ok" && takes === "all" && lanes.includes(lane),
  );
  return { readerSlots: readers.reduce((sum, { slots }) => sum + slots, 0), loadSlots };
}
