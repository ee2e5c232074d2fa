/**
 * Into which channel a release may go next: ordered groups of pools, such as playground, test, production.
 *
 * Pure. A release enters a channel only after it is current in every pool of the one before, has soaked there and is
 * healthy; a failure anywhere stops it there. Each channel goes back alone: nothing here looks at the channels after.
 * A bypass opens one channel to one release, with a reason and an end, and is told in the answer so that it is audited.
 */

export interface Channel {
  readonly name: string;
  readonly pools: readonly string[];
  /** How long the release has to be current and healthy here before it may go on, in milliseconds. */
  readonly soakMs: number;
}

/** How the release stands in one pool. */
export interface PoolStanding {
  readonly pool: string;
  /** `failed`: halted or rolled back there, and not brought in again since. `null`: not known. */
  readonly standing: "absent" | "coming" | "current" | "failed" | null;
  readonly currentSinceMs: number | null;
  /** Whether what is measured since is in order; `null` while that is not known. */
  readonly healthy: boolean | null;
}

export interface ChannelBypass {
  readonly channel: string;
  readonly release: string;
  readonly by: string;
  readonly why: string;
  readonly expiresAtMs: number;
}

export interface ChannelQuestion {
  readonly release: string;
  /** The channel that it is to enter. */
  readonly channel: string;
  /** In the order in which releases go through them. */
  readonly channels: readonly Channel[];
  readonly standings: readonly PoolStanding[];
  readonly bypasses: readonly ChannelBypass[];
  readonly nowMs: number;
}

export type ChannelDecision =
  | { readonly kind: "open"; readonly bypassed: ChannelBypass | null; readonly reason: string }
  | {
      readonly kind: "shut";
      readonly code: "channel-unknown" | "failed" | "not-known" | "not-current" | "unhealthy" | "soaking";
      readonly reason: string;
      /** From when on it may be open by time alone, if that is what is missing. */
      readonly opensAtMs: number | null;
    };

export function decideChannel(question: ChannelQuestion): ChannelDecision {
  const { channel, channels, release, nowMs } = question;
  const index = channels.findIndex(({ name }) => name === channel);
  if (index === -1) {
    const known = channels.map(({ name }) => name).join(", ");
    return shut("channel-unknown", `there is no channel ${channel}; there are: ${known}`);
  }
  const blocker = channelBlocker(question, channels.slice(0, index));
  if (blocker === null) {
    const reason =
      index === 0 ? `${channel} is the first channel` : `every channel before ${channel} is healthy`;
    return { kind: "open", bypassed: null, reason };
  }
  const bypass = question.bypasses.find((it) => isInForce(it, { channel, release, nowMs }));
  if (bypass === undefined) return blocker;
  return {
    kind: "open",
    bypassed: bypass,
    reason: `${bypass.by} opened it: ${bypass.why}; otherwise ${blocker.reason}`,
  };
}

type Shut = Extract<ChannelDecision, { kind: "shut" }>;

/** A failure anywhere before comes first; then the channel right before has to be ready. */
function channelBlocker(question: ChannelQuestion, before: readonly Channel[]): Shut | null {
  const standingOf = (pool: string) => question.standings.find((it) => it.pool === pool);
  const failed = before.flatMap(({ pools }) => pools).find((it) => standingOf(it)?.standing === "failed");
  if (failed !== undefined) return shut("failed", `${question.release} failed in the pool ${failed}`);
  const last = before.at(-1);
  if (last === undefined) return null;
  const blockers = last.pools.flatMap(
    (pool) => poolBlocker(standingOf(pool), { pool, last, question }) ?? [],
  );
  // What only time can mend is said last, and then the longest wait.
  const [first] = blockers.toSorted((left, right) => (left.opensAtMs ?? 0) - (right.opensAtMs ?? 0));
  const isTimeOnly = blockers.every(({ opensAtMs }) => opensAtMs !== null);
  return (
    (isTimeOnly ? blockers.toSorted((a, b) => (b.opensAtMs ?? 0) - (a.opensAtMs ?? 0))[0] : first) ?? null
  );
}

function poolBlocker(
  standing: PoolStanding | undefined,
  {
    pool,
    last,
    question,
  }: { readonly pool: string; readonly last: Channel; readonly question: ChannelQuestion },
): Shut | null {
  const { release, nowMs } = question;
  if (standing === undefined || standing.standing === null) {
    return shut("not-known", `how ${release} stands in the pool ${pool} is not known`);
  }
  if (standing.standing !== "current" || standing.currentSinceMs === null) {
    return shut("not-current", `${release} is not current in the pool ${pool} of ${last.name}`);
  }
  if (standing.healthy === null) return shut("not-known", `whether the pool ${pool} is healthy is not known`);
  if (!standing.healthy) return shut("unhealthy", `the pool ${pool} of ${last.name} is not healthy`);
  const opensAtMs = standing.currentSinceMs + last.soakMs;
  if (nowMs >= opensAtMs) return null;
  const leftS = Math.ceil((opensAtMs - nowMs) / 1000);
  return {
    ...shut("soaking", `${release} soaks in the pool ${pool} of ${last.name}: ${leftS} s left`),
    opensAtMs,
  };
}

function isInForce(
  bypass: ChannelBypass,
  { channel, release, nowMs }: Pick<ChannelQuestion, "channel" | "release" | "nowMs">,
): boolean {
  return (
    bypass.channel === channel &&
    bypass.release === release &&
    bypass.expiresAtMs > nowMs &&
    bypass.by.trim() !== "" &&
    bypass.why.trim() !== ""
  );
}

function shut(code: Shut["code"], reason: string): Shut {
  return { kind: "shut", code, reason, opensAtMs: null };
}
