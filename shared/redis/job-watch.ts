/**
 * Watches jobs for everybody in a process who waits for one: requests and streams share one look.
 *
 * While somebody watches, all watched jobs are looked at together about six times a second, in calls of at
 * most `GLANCE_JOBS_MAX`, and less often when that is much; while nobody does, nothing happens. It asks instead of listening, because a look
 * that failed is made again, where an event that was missed is gone. While Redis is away nobody is told
 * anything: what is told is known. It counts places, so its cost in Redis is bounded whatever clients do.
 */
import type { Clock } from "../clock.ts";
import { Flag } from "../flag.ts";
import { isEnded } from "../job-state.ts";
import type { JobView } from "./job-lookup.ts";
import { GLANCE_JOBS_MAX, type Glance, type JobReader } from "./job-reader.ts";

/** From the end of a look to the next, unless looks are slow: they take a tenth of the time, at least once a second. */
const LOOK_INTERVAL_MS = 150;
const LOOK_INTERVAL_MS_MAX = 1_000;
const LOOK_SHARE = 0.1;

/** Requests and streams that may wait in a process. */
export const WATCHERS_MAX = 2_000;

/** Jobs that are read in full at the same time. */
const READS_MAX = 20;

/** A job that is in no place that this process knows may be in a lane that it will know in a moment. */
const MISSES_MAX = 20;

/** `gone`: the job is no longer known, it was cleaned away. */
export type JobNews = { readonly kind: "changed"; readonly job: JobView } | { readonly kind: "gone" };

export type JobListener = (news: JobNews) => void;

export interface JobWatchPorts {
  readonly reader: Pick<JobReader, "find" | "glance">;
  readonly clock: Clock;
}

interface Watched {
  readonly listeners: Set<JobListener>;
  /** Those who want to hear of the end only. */
  readonly waiters: Set<JobListener>;
  mark: string | null;
  misses: number;
}

export class JobWatch {
  readonly #ports: JobWatchPorts;
  readonly #watched = new Map<string, Watched>();
  /** Of the waits; the look has a signal of its own, on which not so many may listen. */
  readonly #stopped = new Flag();
  readonly #stop = new AbortController();
  #watchers = 0;
  #isLooking = false;

  constructor(ports: JobWatchPorts) {
    this.#ports = ports;
  }

  /** Whether one more can wait; without room `untilEnded` gives `null` at once, and so does `subscribe`. */
  get hasRoom(): boolean {
    return this.#watchers < WATCHERS_MAX && !this.#stop.signal.aborted;
  }

  get isStopped(): boolean {
    return this.#stopped.raised;
  }

  /** Jobs that are looked at. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * The job once it has ended; `null` when the time is up, `signal` aborts, the job is gone, the watch is
   * stopped or has no room. Never rejects. Whoever waits asks for the job again to say how it is.
   */
  untilEnded(
    jobId: string,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<JobView | null> {
    if (timeoutMs <= 0 || signal.aborted || !this.hasRoom) return Promise.resolve(null);
    return new Promise((resolve) => {
      const end = (job: JobView | null) => {
        cancelTimeout();
        forgetStop();
        signal.removeEventListener("abort", giveUp);
        leave();
        resolve(job);
      };
      const giveUp = () => end(null);
      const leave = this.#enter(jobId, "waiters", (news) => end(news.kind === "gone" ? null : news.job));
      const cancelTimeout = this.#ports.clock.after(timeoutMs, giveUp);
      signal.addEventListener("abort", giveUp, { once: true });
      const forgetStop = this.#stopped.onRaised(giveUp);
    });
  }

  /**
   * Tells `listener` how the job is at the first look and after each change, until the returned function is
   * called; twice is once. `null` when there is no room.
   */
  subscribe(jobId: string, listener: JobListener): (() => void) | null {
    return this.hasRoom ? this.#enter(jobId, "listeners", listener) : null;
  }

  /** Ends every wait, and tells nobody anything more. For good. */
  stop(): void {
    this.#stop.abort();
    this.#stopped.raise();
    this.#watched.clear();
  }

  #enter(jobId: string, as: "listeners" | "waiters", listener: JobListener): () => void {
    const watched: Watched = this.#watched.get(jobId) ?? {
      listeners: new Set(),
      waiters: new Set(),
      mark: null,
      misses: 0,
    };
    // A newcomer has seen nothing yet.
    if (as === "listeners") watched.mark = null;
    // Of its own: the same function may be given twice.
    const own: JobListener = (news) => listener(news);
    watched[as].add(own);
    this.#watched.set(jobId, watched);
    this.#watchers += 1;
    if (!this.#isLooking) void this.#look();
    return () => {
      if (!watched[as].delete(own)) return;
      this.#watchers -= 1;
      if (watched.listeners.size + watched.waiters.size === 0) this.#watched.delete(jobId);
    };
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    const { clock } = this.#ports;
    let pauseMs = LOOK_INTERVAL_MS;
    while (this.#watched.size > 0) {
      if ((await clock.sleep(pauseMs, this.#stop.signal)) === "aborted") break;
      const beganMs = clock.monotonicMs();
      // While Redis is away nothing is known, and the next look tells what has changed until then.
      await this.#lookOnce().catch(() => undefined);
      const fairMs = (clock.monotonicMs() - beganMs) * (1 / LOOK_SHARE - 1);
      pauseMs = Math.min(LOOK_INTERVAL_MS_MAX, Math.max(LOOK_INTERVAL_MS, fairMs));
    }
    this.#isLooking = false;
  }

  async #lookOnce(): Promise<void> {
    const jobIds = [...this.#watched.keys()];
    for (let from = 0; from < jobIds.length; from += GLANCE_JOBS_MAX) {
      const chunk = jobIds.slice(from, from + GLANCE_JOBS_MAX);
      const glances = await this.#ports.reader.glance(chunk);
      const changed = chunk.flatMap((jobId, at) => this.#changeOf(jobId, glances[at] ?? null));
      for (let first = 0; first < changed.length; first += READS_MAX) {
        await Promise.all(changed.slice(first, first + READS_MAX).map((it) => this.#tell(it)));
      }
    }
  }

  #changeOf(jobId: string, glance: Glance | null): readonly Change[] {
    const watched = this.#watched.get(jobId);
    if (watched === undefined) return [];
    if (glance === null) {
      watched.misses += 1;
      if (watched.misses > MISSES_MAX) inform([...watched.waiters, ...watched.listeners], { kind: "gone" });
      return [];
    }
    watched.misses = 0;
    const isNews = glance.mark !== watched.mark && watched.listeners.size > 0;
    const isAwaited = isEnded(glance.state) && watched.waiters.size > 0;
    return isNews || isAwaited ? [{ jobId, watched, mark: glance.mark }] : [];
  }

  async #tell({ jobId, watched, mark }: Change): Promise<void> {
    const job = await this.#ports.reader.find(jobId);
    if (job === null || this.#stop.signal.aborted) return;
    const isNews = mark !== watched.mark;
    watched.mark = mark;
    const hearers = [...(isEnded(job.state) ? watched.waiters : []), ...(isNews ? watched.listeners : [])];
    inform(hearers, { kind: "changed", job });
  }
}

interface Change {
  readonly jobId: string;
  readonly watched: Watched;
  readonly mark: string;
}

function inform(hearers: readonly JobListener[], news: JobNews): void {
  for (const hear of hearers) hear(news);
}
