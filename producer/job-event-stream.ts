/**
 * One job's changes as server-sent events (WHATWG HTML, 9.2), and the places for such streams.
 *
 * A stream begins with the present state, whatever its reader has seen before, and tells each change that a
 * look finds; states that came and went between two looks are not told. It ends with the job, after a time,
 * or when its reader does not keep up. It holds no more than a bounded buffer and a place in the watch.
 */
import { Readable } from "node:stream";
import type { Clock } from "#shared/clock";
import { isEnded } from "#shared/job-state";
import type { JobView } from "#shared/redis/job-lookup";
import type { JobNews, JobWatch } from "#shared/redis/job-watch";

/** Streams of a process, and of one caller. */
export const STREAMS_MAX = 500;
export const CALLER_STREAMS_MAX = 20;

/** Bytes that may wait for a reader. */
export const BUFFER_BYTES_MAX = 64 * 1024;

const KEEP_ALIVE_MS = 15_000;
const STREAM_MS_MAX = 600_000;

/** How long a reader waits before it asks again. */
const RECONNECT_MS = 2_000;

/** The id of the last event: whoever comes back with it has seen the end. */
export const END_ID = "end";

export interface StreamFacts {
  readonly job: JobView;
  readonly watch: Pick<JobWatch, "subscribe">;
  readonly clock: Clock;
  /** What the reader sent as Last-Event-ID. */
  readonly lastEventId: string | undefined;
}

/** The part of a view that changes. */
function changingPartOf(job: JobView) {
  const { state, release, worker, dueAt, startedAt, finishedAt, progress } = job;
  const { failed, starts, crashes } = job.attempts;
  return {
    state,
    attempts: { failed, starts, crashes },
    release,
    worker,
    dueAt,
    startedAt,
    finishedAt,
    progress,
  };
}

export class JobEventStream {
  /** What the reader gets. It is over when this has closed. */
  readonly body: Readable;
  readonly #facts: StreamFacts;
  readonly #leave: Array<() => void> = [];
  #nextId: number;
  #told = "";

  /** @param facts the job as it is now; the stream begins with it. */
  constructor(facts: StreamFacts) {
    this.#facts = facts;
    this.#nextId = firstIdAfter(facts.lastEventId);
    this.body = new Readable({ read: () => undefined });
    this.body.once("close", () => {
      for (const leave of this.#leave.splice(0)) leave();
    });
  }

  /** Answers whether there was room in the watch; without it nothing has begun. */
  begin(): boolean {
    const { job, watch, clock } = this.#facts;
    if (!isEnded(job.state)) {
      const leave = watch.subscribe(job.id, (news) => this.#hear(news));
      if (leave === null) return false;
      this.#leave.push(
        leave,
        clock.after(STREAM_MS_MAX, () => this.end()),
      );
      this.#keepAlive();
    }
    this.#write(`retry: ${RECONNECT_MS}\n\n`);
    this.#tell(job);
    return true;
  }

  /** Ends what is said so far; the reader comes back by itself. Twice is once. */
  end(): void {
    if (!this.body.destroyed && !this.body.readableEnded) this.body.push(null);
    for (const leave of this.#leave.splice(0)) leave();
  }

  #hear(news: JobNews): void {
    if (news.kind === "changed") this.#tell(news.job);
    else this.#endWith(null);
  }

  #tell(job: JobView): void {
    const data = JSON.stringify(changingPartOf(job));
    // The first look tells what was told already.
    if (data !== this.#told) {
      this.#told = data;
      this.#write(`event: state\nid: ${this.#nextId}\ndata: ${data}\n\n`);
      this.#nextId += 1;
    }
    if (isEnded(job.state)) this.#endWith(job);
  }

  /** @param job `null` when it is gone. */
  #endWith(job: JobView | null): void {
    const data = JSON.stringify({ id: this.#facts.job.id, state: job?.state ?? null });
    this.#write(`event: end\nid: ${END_ID}\ndata: ${data}\n\n`);
    this.end();
  }

  #keepAlive(): void {
    let cancel: () => void;
    const beat = () => {
      this.#write(": still here\n\n");
      cancel = this.#facts.clock.after(KEEP_ALIVE_MS, beat);
    };
    cancel = this.#facts.clock.after(KEEP_ALIVE_MS, beat);
    this.#leave.push(() => cancel());
  }

  #write(text: string): void {
    if (this.body.destroyed || this.body.readableEnded) return;
    this.body.push(text);
    if (this.body.readableLength > BUFFER_BYTES_MAX) this.body.destroy();
  }
}

/** Ids go on rising over a reader's connections, where it names the last one. */
function firstIdAfter(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) + 1 : 1;
}

export type Admission = "entered" | "process-full" | "caller-full";

/** The streams of a process. */
export class JobEventStreams {
  readonly #open = new Set<JobEventStream>();
  readonly #byCaller = new Map<string, number>();

  get size(): number {
    return this.#open.size;
  }

  /** Whether `caller` may have one more. */
  roomFor(caller: string): Admission {
    if (this.#open.size >= STREAMS_MAX) return "process-full";
    return (this.#byCaller.get(caller) ?? 0) >= CALLER_STREAMS_MAX ? "caller-full" : "entered";
  }

  /** Counts a stream until it closes. */
  enter(caller: string, stream: JobEventStream): void {
    this.#open.add(stream);
    this.#byCaller.set(caller, (this.#byCaller.get(caller) ?? 0) + 1);
    stream.body.once("close", () => {
      this.#open.delete(stream);
      const left = (this.#byCaller.get(caller) ?? 1) - 1;
      if (left === 0) this.#byCaller.delete(caller);
      else this.#byCaller.set(caller, left);
    });
  }

  endAll(): void {
    for (const stream of this.#open) stream.end();
  }
}
