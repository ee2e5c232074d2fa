/** What a rollout's preflight is decided on, from one look and what is stored. Pure. */
import type { SluiceConfig } from "#shared/sluice-config";
import type { Observation } from "../observe.ts";
import { isFinished, leaverOf } from "../rollout/decide-leaving.ts";
import type { PreflightFacts, RolloutRequest } from "../rollout/decide-preflight.ts";
import type { StartAsk } from "../rollout/rollout-desk.ts";
import type { Rollout } from "../rollout/rollout-document.ts";
import { contractView, gatesOf } from "./contract-view.ts";
import { decidePoolReleases } from "./decide-pool-releases.ts";
import { isTaking } from "./observe-rollout.ts";

export interface Asked {
  readonly ask: StartAsk;
  readonly config: Pick<SluiceConfig, "releases" | "channels" | "pools">;
  readonly observation: Pick<Observation, "snapshot" | "document">;
  /** The newest rollout of the pool. */
  readonly latest: Rollout | null;
  /** Redis' clock. */
  readonly nowMs: number;
}

export function preflightFacts({ ask, config, observation, latest, nowMs }: Asked): {
  readonly request: RolloutRequest;
  readonly facts: PreflightFacts;
} {
  const { snapshot, document } = observation;
  const { pool, to, by, why } = ask;
  const startable = new Set(config.releases.map(({ id }) => id));
  const stateOf = (release: string) => {
    const known = Object.hasOwn(document.releases, release) ? document.releases[release] : undefined;
    if (known === undefined || !Object.hasOwn(known.queues, pool)) return null;
    // One that nobody can start is as good as gone.
    return known.state === "live" && startable.has(release) ? ("live" as const) : ("retired" as const);
  };
  const live = Object.entries(document.releases)
    .filter(([release]) => stateOf(release) === "live")
    .toSorted(([, a], [, b]) => a.order - b.order)
    .map(([release]) => release);
  const { incumbent } = decidePoolReleases(latest, live);
  const from = ask.from ?? incumbent ?? "";
  const leavers = latest === null || isFinished(latest) ? [] : leaversOf(latest);
  const taking = snapshot.workers.filter((it) => it.queue === pool && isTaking(it)).map((it) => it.release);
  const present = new Set([...(incumbent === null ? [] : [incumbent]), ...taking]);
  const queue = snapshot.queues.find((it) => it.queue === pool);
  return {
    request: {
      id: `${to}-${Math.round(nowMs).toString(36)}`,
      pool,
      from,
      to,
      by,
      why,
      gates: gatesOf(document, pool, to),
    },
    facts: {
      nowMs,
      contract: queue === undefined ? null : contractView(document, { pool, from, to }, queue),
      fromState: stateOf(from),
      toState: stateOf(to),
      liveReleases: [...present].filter((release) => !leavers.includes(release)),
      latest,
    },
  };
}

function leaversOf(latest: Rollout): readonly string[] {
  return [leaverOf(latest), ...latest.drainers.map(({ release }) => release)];
}
