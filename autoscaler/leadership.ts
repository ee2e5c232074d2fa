/**
 * Leads while the lease is held, and stands by while another holds it.
 *
 * A term has an epoch, and a signal that aborts when it is over. It ends by the monotonic clock, before the lease in
 * Redis can: whoever could not renew for `ACT_MS` since it last asked stops by itself, whether or not Redis can be
 * heard. A process that was paused finds that out when it asks `require()` right before an effect. What slips through
 * between that and the effect is refused by its epoch, in Redis and on the executor's disk.
 *
 * It does none of the leader's work, which is given to it, and never decides what is done about a lost term but this:
 * the work is told, and the next term begins with a higher epoch.
 */
import type { Clock } from "#shared/clock";
import { StaleEpochError } from "#shared/errors";
import type { Log } from "#shared/log";
import { type Acquired, LEASE_MS, type LeaderLease } from "#shared/redis/leader-lease";

const RENEW_MS = 2_500;

/** After a renewal that was not answered. */
const RETRY_MS = 500;

/** How often a standby tries; sooner when the lease is given back. */
const TRY_MS = 1_000;

/** A leader acts no longer than this after it last asked for a renewal that was granted. */
export const ACT_MS = LEASE_MS - 2_000;

/** The leader's work may take this long to end before the lease is given back. */
const WORK_END_MS = 1_000;
const RELEASE_MS = 500;

/** Redis has been there without a break when nothing failed for this long. */
const CALM_MS = 15_000;

export interface Term {
  readonly epoch: number;
  /** Aborts when the term is over, or the process shall stop. */
  readonly over: AbortSignal;
  /** To be called right before each effect. @throws {StaleEpochError} when the term is over. */
  require(): void;
}

export type Role = "leader" | "standby" | "unknown";

export interface LeadershipPorts {
  readonly lease: Pick<LeaderLease, "acquire" | "renew" | "release">;
  readonly clock: Clock;
  readonly log: Log;
  /** The highest epoch that the executor has on disk. @throws when it cannot be read. */
  epochMin(): number;
  /** The leader's work; resolves soon after the term is over. */
  lead(term: Term): Promise<void>;
}

export class Leadership {
  readonly #ports: LeadershipPorts;
  #term: Term | null = null;
  #wake = new AbortController();
  /** When this process last knew that somebody leads, and that nobody could be asked; monotonic. */
  #ledAtMs: number;
  #failedAtMs: number;
  #onTerm: () => void = () => undefined;
  #heldByOther = false;
  #isFailing = false;

  constructor(ports: LeadershipPorts) {
    this.#ports = ports;
    const nowMs = ports.clock.monotonicMs();
    this.#ledAtMs = nowMs;
    this.#failedAtMs = nowMs;
  }

  /** Calls `onTerm` whenever a term has begun. */
  onTerm(onTerm: () => void): void {
    this.#onTerm = onTerm;
  }

  /** The term while this process leads, else `null`. */
  get term(): Term | null {
    return this.#term;
  }

  /** `unknown` while Redis does not say. */
  get role(): Role {
    if (this.#term !== null) return "leader";
    return this.#heldByOther ? "standby" : "unknown";
  }

  /** Since when nobody is known to lead, as a length of time in milliseconds. */
  get leaderlessMs(): number {
    return this.#ports.clock.monotonicMs() - this.#ledAtMs;
  }

  /** Whether Redis has answered for so long that a silent worker is silent by itself. */
  get calm(): boolean {
    return this.#ports.clock.monotonicMs() - this.#failedAtMs > CALM_MS;
  }

  /** The lease has been given back: try at once. */
  released(): void {
    this.#wake.abort();
  }

  /** Resolves once `stop` aborts and the work has ended; a lease that is held is given back. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, lease } = this.#ports;
    while (!stop.aborted) {
      this.#wake = new AbortController();
      const askedAtMs = clock.monotonicMs();
      const acquired = await this.#acquire();
      if (acquired?.kind === "leading") await this.#lead(acquired.epoch, askedAtMs, stop);
      const waitMs = acquired?.kind === "held" ? Math.min(TRY_MS, acquired.leftMs + 1) : TRY_MS;
      if (acquired?.kind !== "leading") await clock.sleep(waitMs, AbortSignal.any([stop, this.#wake.signal]));
    }
    await Promise.race([lease.release().catch(() => undefined), clock.sleep(RELEASE_MS)]);
  }

  async #acquire(): Promise<Acquired | null> {
    const { clock, lease, log, epochMin } = this.#ports;
    try {
      const acquired = await lease.acquire(epochMin());
      this.#heldByOther = acquired.kind === "held";
      this.#isFailing = false;
      this.#ledAtMs = clock.monotonicMs();
      return acquired;
    } catch (error) {
      if (!this.#isFailing)
        log.warn({ err: error }, "the leader's lease cannot be asked for; nothing is done");
      this.#isFailing = true;
      this.#heldByOther = false;
      this.#failedAtMs = clock.monotonicMs();
      return null;
    }
  }

  async #lead(epoch: number, askedAtMs: number, stop: AbortSignal): Promise<void> {
    const { clock, log, lead } = this.#ports;
    const lost = new AbortController();
    const over = AbortSignal.any([lost.signal, stop]);
    const time = { actUntilMs: askedAtMs + ACT_MS };
    const term: Term = {
      epoch,
      over,
      require: () => {
        if (over.aborted || clock.monotonicMs() >= time.actUntilMs) throw new StaleEpochError(epoch, null);
      },
    };
    this.#term = term;
    log.info({ epoch }, "this autoscaler leads");
    this.#onTerm();
    const work = lead(term).catch((error: unknown) => log.error({ err: error }, "the leader's work failed"));
    await this.#hold(epoch, time, stop);
    lost.abort();
    this.#term = null;
    if (!stop.aborted) log.warn({ epoch }, "this autoscaler leads no more");
    await Promise.race([work, clock.sleep(WORK_END_MS)]);
  }

  /** Renews until the term is over or `stop` aborts. */
  async #hold(epoch: number, time: { actUntilMs: number }, stop: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    let waitMs = RENEW_MS;
    for (;;) {
      const leftMs = time.actUntilMs - clock.monotonicMs();
      if ((await clock.sleep(Math.max(0, Math.min(waitMs, leftMs)), stop)) === "aborted") return;
      const askedAtMs = clock.monotonicMs();
      if (askedAtMs >= time.actUntilMs || this.#isOvertaken(epoch)) return;
      const held = await this.#renew(epoch, time.actUntilMs - askedAtMs);
      if (held === false) return;
      if (held) time.actUntilMs = askedAtMs + ACT_MS;
      waitMs = held ? RENEW_MS : RETRY_MS;
    }
  }

  /** On disk: Redis may have forgotten a term that this machine has heard of, and all of ours would be refused. */
  #isOvertaken(epoch: number): boolean {
    try {
      return this.#ports.epochMin() > epoch;
    } catch {
      return false;
    }
  }

  /** `null` when there is no answer. */
  async #renew(epoch: number, leftMs: number): Promise<boolean | null> {
    const { clock, lease } = this.#ports;
    const answered = new AbortController();
    try {
      const late = clock.sleep(leftMs, answered.signal).then(() => null);
      const held = await Promise.race([lease.renew(epoch), late]);
      if (held === true) this.#ledAtMs = clock.monotonicMs();
      return held;
    } catch {
      this.#failedAtMs = clock.monotonicMs();
      return null;
    } finally {
      answered.abort();
    }
  }
}
