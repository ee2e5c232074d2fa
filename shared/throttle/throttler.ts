/**
 * Asks the throttles whether a request's jobs may come in: at once, later, at low priority, or not.
 *
 * A request that no throttle applies to costs no round trip. One that several apply to is decided in one
 * step, and nothing is taken unless it is let in. What was taken is not given back when the jobs are refused
 * for another reason after it: ask last of what needs no Redis, and before anything is stored.
 *
 * Knows no HTTP: the job API and handlers that enqueue ask the same way. Concurrency caps count the requests
 * of this process, so whoever is let in calls `release` when the request has ended, however it ended.
 */
import { NotEnqueuedError } from "../errors.ts";
import type { Excess, Throttle } from "../limits/limits-document.ts";
import { subjectOf, type ThrottleSubject, throttlesFor } from "../limits/limits-for.ts";
import type { Limits } from "../limits/resolve-limits.ts";
import { THROTTLE_DELAY_MS_MAX, type ThrottleStore, type ThrottleTerms } from "../redis/throttle-store.ts";
import { ConcurrencyCaps } from "./concurrency-caps.ts";
import { type Counted, counterOf, delaysMsOf, waitMsOf } from "./counted.ts";
import type { Quota } from "./quota.ts";
import { cappedQuota, quotaOf } from "./quota-of.ts";

export interface ThrottleRequest extends ThrottleSubject {
  /** Jobs of the request, 1 to 1,000,000. */
  readonly cost: number;
  /** Policy of the jobs' type: holds where a throttle says nothing of its own. */
  readonly excess: Excess;
}

interface LetIn {
  readonly fields: readonly Quota[];
  /** Ends the request's hold on concurrency caps; does nothing the second time. */
  release(): void;
}

export type ThrottleRefusal = {
  readonly kind: "reject";
  /** When the same request passes, if nobody else takes in between; see `costMax`. */
  readonly retryAfterMs: number;
  /** Names of the throttles that refused, at least one. */
  readonly violated: readonly string[];
  /** The request asks for more at once than ever fits: at most so many do, `retryAfterMs` from now. `null`: it fits. */
  readonly costMax: number | null;
  readonly fields: readonly Quota[];
};

export type ThrottleAnswer =
  | ({ readonly kind: "pass" } & LetIn)
  | ({
      readonly kind: "delay";
      /** When the last of the jobs may run, from now; above 0, at most an hour. */
      readonly delayMs: number;
      /** When each may run, one a job, ascending; 0: at once. These times are reserved. */
      readonly delaysMs: readonly number[];
      /** Another throttle is over its limit, too, and asks for low priority. */
      readonly degraded: boolean;
    } & LetIn)
  | ({ readonly kind: "degrade" } & LetIn)
  | ThrottleRefusal;

export interface ThrottlerPorts {
  readonly store: Pick<ThrottleStore, "take">;
  /** What is in force now. */
  limits(): Limits;
}

/** How long a request holds a cap is not known; most end within a second. */
const CONCURRENCY_RETRY_MS = 1_000;

const NOTHING_HELD = () => undefined;

const UNTHROTTLED: Promise<ThrottleAnswer> = Promise.resolve({
  kind: "pass",
  fields: [],
  release: NOTHING_HELD,
});

export class Throttler {
  readonly #ports: ThrottlerPorts;
  readonly #caps = new ConcurrencyCaps();

  constructor(ports: ThrottlerPorts) {
    this.#ports = ports;
  }

  /** @throws {NotEnqueuedError} when Redis cannot be asked: nothing could be enqueued then. */
  take(request: ThrottleRequest): Promise<ThrottleAnswer> {
    const throttles = throttlesFor(this.#ports.limits(), request);
    return throttles.length === 0 ? UNTHROTTLED : this.#takeFrom(throttles, request);
  }

  /** The most jobs that one take may ask for; `Infinity` when nothing bounds it. */
  costMax(who: ThrottleSubject & { readonly excess: Excess }): number {
    const costs = throttlesFor(this.#ports.limits(), who)
      .filter(isCounted)
      .map((it) => costMaxOf(it, who.excess));
    return Math.min(Number.POSITIVE_INFINITY, ...costs);
  }

  async #takeFrom(throttles: readonly Throttle[], request: ThrottleRequest): Promise<ThrottleAnswer> {
    const terms = throttles.flatMap((throttle): ThrottleTerms[] => {
      const subject = subjectOf(throttle, request);
      return subject === null ? [] : [{ throttle, subject, excess: throttle.excess ?? request.excess }];
    });
    const hold = this.#hold(terms.filter(({ throttle }) => !isCounted(throttle)));
    const counted = terms.filter(({ throttle }) => isCounted(throttle));
    if (hold.refused.length > 0) return capRefusal(hold, counted);
    try {
      const counts = counted.length === 0 ? [] : await this.#counts(request.cost, counted);
      const answer = answerOf({ terms: counted, counts, cost: request.cost, hold });
      if (answer.kind === "reject") hold.release();
      return answer;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #counts(cost: number, terms: readonly ThrottleTerms[]): Promise<readonly Counted[]> {
    try {
      return await this.#ports.store.take({ cost, terms });
    } catch (error) {
      throw new NotEnqueuedError("the throttles could not be asked", { cause: error });
    }
  }

  /** Holds every cap; when one refuses, none. */
  #hold(terms: readonly ThrottleTerms[]): Hold {
    const releases: (() => void)[] = [];
    const release = () => {
      for (const it of releases) it();
    };
    const over = terms.filter(({ throttle: { name, limit }, subject }) => {
      const held = this.#caps.hold(name, subject, limit);
      if (held !== null) releases.push(held);
      return held === null;
    });
    const refused = over.filter(({ excess }) => excess !== "degrade").map(({ throttle }) => throttle.name);
    const fields = terms.map((it) =>
      cappedQuota(it, { held: this.#caps.held(it.throttle.name, it.subject), violated: over.includes(it) }),
    );
    if (refused.length > 0) release();
    return {
      refused,
      degraded: over.length > refused.length,
      fields,
      release: releases.length > 0 ? release : NOTHING_HELD,
    };
  }
}

/** What the caps of a request say. */
interface Hold {
  /** Names of the caps that refuse. */
  readonly refused: readonly string[];
  readonly degraded: boolean;
  readonly fields: readonly Quota[];
  readonly release: () => void;
}

interface Decided {
  readonly terms: readonly ThrottleTerms[];
  readonly counts: readonly Counted[];
  readonly cost: number;
  readonly hold: Hold;
}

function isCounted({ algorithm }: Throttle): boolean {
  return algorithm !== "concurrency";
}

function answerOf({ terms, counts, cost, hold }: Decided): ThrottleAnswer {
  const pairs = terms.flatMap((it, index) => {
    const counted = counts[index];
    return counted === undefined ? [] : [{ ...it, counter: counterOf(it.throttle), counted }];
  });
  const isRefused = pairs.some(({ counted }) => counted.verdict === "refused");
  const quotas = pairs.map((it) => quotaOf(it, { ...it, cost: isRefused ? 0 : cost }));
  const fields = [...hold.fields, ...quotas];
  if (isRefused) {
    const refusing = pairs.filter(({ counted }) => counted.verdict === "refused");
    return refusalOf(refusing, { cost, fields });
  }
  const degraded = hold.degraded || pairs.some(({ counted }) => counted.verdict === "degraded");
  const delayed = pairs.filter(({ counted }) => counted.verdict === "delayed");
  const { release } = hold;
  if (delayed.length === 0) return { kind: degraded ? "degrade" : "pass", fields, release };
  const delaysMs = delayed
    .map(({ counter, counted }) => delaysMsOf(counter, counted, cost))
    .reduce((longest, more) => longest.map((delayMs, job) => Math.max(delayMs, more[job] ?? 0)));
  return { kind: "delay", delayMs: delaysMs.at(-1) ?? 0, delaysMs, degraded, fields, release };
}

function refusalOf(
  refusing: readonly (ThrottleTerms & { readonly counted: Counted })[],
  { cost, fields }: { readonly cost: number; readonly fields: readonly Quota[] },
): ThrottleRefusal {
  const costMax = Math.min(...refusing.map(({ throttle, excess }) => costMaxOf(throttle, excess)));
  const waits = refusing.map(({ throttle, counted, excess }) => {
    const wanted = { cost: Math.min(cost, costMax), delayMaxMs: delayMaxOf(throttle, excess) };
    return waitMsOf(counterOf(throttle), counted, wanted) ?? 0;
  });
  const retryAfterMs = Math.max(...waits);
  return {
    kind: "reject",
    retryAfterMs,
    violated: refusing.map(({ throttle }) => throttle.name),
    costMax: costMax < cost ? costMax : null,
    // Of one that may delay, the next that runs at once may be further off than the next that is let in.
    fields: fields.map((it) => (it.violated ? { ...it, resetMs: Math.min(it.resetMs, retryAfterMs) } : it)),
  };
}

/** Nothing was asked of the counted throttles: they only state what they allow. */
function capRefusal({ refused, fields }: Hold, counted: readonly ThrottleTerms[]): ThrottleRefusal {
  return {
    kind: "reject",
    retryAfterMs: CONCURRENCY_RETRY_MS,
    violated: refused,
    costMax: null,
    fields: [...fields, ...counted.map((it) => quotaOf(it, null))],
  };
}

function costMaxOf(throttle: Throttle, excess: Excess): number {
  const { kind, limit, windowMs, burst } = counterOf(throttle);
  // More than fits at once is let in at low priority all the same.
  if (excess === "degrade") return Number.POSITIVE_INFINITY;
  return kind === "bucket" ? burst + Math.floor((delayMaxOf(throttle, excess) * limit) / windowMs) : burst;
}

function delayMaxOf({ algorithm }: Throttle, excess: Excess): number {
  const isBucket = algorithm === "token-bucket" || algorithm === "leaky-bucket";
  return excess === "delay" && isBucket ? THROTTLE_DELAY_MS_MAX : 0;
}
