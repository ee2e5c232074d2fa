/** Whether the channel of the pool is open to the release that is to be brought in; how it stands in the pools before. */
import { z } from "zod";
import { fromRfc3339 } from "#shared/system-clock";
import { stateOf } from "../rollout/decide-act.ts";
import { type ChannelBypass, decideChannel, type PoolStanding } from "../rollout/decide-channels.ts";
import type { Rollout } from "../rollout/rollout-document.ts";
import { decidePoolReleases } from "./decide-pool-releases.ts";
import type { Asked } from "./preflight-facts.ts";

const bypassDocument = z.object({
  channel: z.string(),
  release: z.string(),
  by: z.string(),
  why: z.string(),
  expiresAtMs: z.number(),
});

export interface ChannelFacts {
  /** The newest rollout of each pool. */
  readonly rollouts: ReadonlyMap<string, Rollout>;
  /** As they are stored. */
  readonly bypasses: readonly unknown[];
  past(pool: string): Promise<readonly Rollout[]>;
}

/** The blockers; none when the pool is in no channel. */
export async function askedChannel(
  asked: Asked,
  { rollouts, bypasses, past }: ChannelFacts,
): Promise<readonly { readonly code: "channel"; readonly what: string }[]> {
  const { ask, config, nowMs } = asked;
  const { channels = [] } = config;
  const channel = channels.find(({ pools }) => pools.includes(ask.pool));
  if (channel === undefined) return [];
  const standings = await Promise.all(
    channels
      .flatMap(({ pools }) => pools)
      .map(async (pool) => {
        const latest = rollouts.get(pool) ?? null;
        const known = latest === null ? [] : [latest, ...(await past(pool))];
        return standingIn(pool, known, asked);
      }),
  );
  const decision = decideChannel({
    release: ask.to,
    channel: channel.name,
    channels,
    standings,
    bypasses: [...bypasses.flatMap(bypassIn), ...bypassAskedFor(asked, channel.name)],
    nowMs,
  });
  return decision.kind === "open" ? [] : [{ code: "channel", what: decision.reason }];
}

/** By the newest of the pool's rollouts that brought the release in, or was to. */
export function standingIn(pool: string, rollouts: readonly Rollout[], asked: Asked): PoolStanding {
  const { ask, observation } = asked;
  const rollout = rollouts.find(({ to }) => to === ask.to);
  const healthy = isHealthy(pool, rollout, asked);
  if (rollout === undefined) {
    const known = observation.document.releases[ask.to];
    const isFirst = rollouts.length === 0 && incumbentOf(pool, asked) === ask.to;
    if (!isFirst || known === undefined) return { pool, standing: "absent", currentSinceMs: null, healthy };
    return { pool, standing: "current", currentSinceMs: fromRfc3339(known.publishedAt), healthy };
  }
  const { currentAtMs, direction } = rollout;
  const state = stateOf(rollout);
  if (direction === "back" || state === "halted") {
    return { pool, standing: "failed", currentSinceMs: null, healthy };
  }
  const standing = currentAtMs === null ? "coming" : "current";
  return { pool, standing, currentSinceMs: currentAtMs, healthy };
}

/** No lane of the pool is an alarm, and nothing is unknown of its rollout. `null` for a pool that was not seen. */
function isHealthy(pool: string, rollout: Rollout | undefined, { observation }: Asked): boolean | null {
  const queue = observation.snapshot.queues.find((it) => it.queue === pool);
  if (queue === undefined) return null;
  if (rollout?.state === "unknown") return null;
  return !queue.lanes.some(({ orphaned, tripped }) => orphaned || tripped);
}

function incumbentOf(pool: string, { observation, config }: Asked): string | null {
  const named = new Set(config.releases.map(({ id }) => id));
  const live = Object.entries(observation.document.releases)
    .filter(([id, it]) => it.state === "live" && named.has(id) && Object.hasOwn(it.queues, pool))
    .toSorted(([, a], [, b]) => a.order - b.order);
  return decidePoolReleases(
    null,
    live.map(([id]) => id),
  ).incumbent;
}

function bypassIn(stored: unknown): ChannelBypass[] {
  const read = bypassDocument.safeParse(stored);
  return read.success ? [read.data] : [];
}

function bypassAskedFor({ ask }: Asked, channel: string): ChannelBypass[] {
  const { to, by, why, bypassChannelUntilMs } = ask;
  if (bypassChannelUntilMs === undefined) return [];
  return [{ channel, release: to, by, why, expiresAtMs: bypassChannelUntilMs }];
}
