/**
 * Gathers the jobs that ask to come in at about the same time, so that they cost one call, one reply and, with
 * AOF always, one fsync.
 *
 * A call is sent at the end of the turn of the event loop in which its first job came, or sooner when enough have
 * gathered, so that Redis works on them while this process still reads others. While as many calls as allowed are
 * on their way, jobs gather for the next: so calls grow with the load and the delay does not. A job is never in
 * two calls.
 */
import type { AdmissionAnswer, AdmissionOutcome, AdmissionRequest, OnQueueSeen } from "./admission.ts";
import { CALL_CHARS_MAX, CALL_JOBS_MAX } from "./admission.ts";

/** Calls on their way at once: those that come while Redis writes its file share the next write. */
export const CALLS_IN_FLIGHT_MAX = 4;

/** Requests that are enough for a call before the turn ends: measured, a tenth more a second than without. */
export const CALL_ENOUGH = 16;

/** One job, or several that stay together, with whom to tell. */
interface Pending {
  readonly first: AdmissionRequest;
  /** `null`: the first is the only one. */
  readonly jobs: readonly AdmissionRequest[] | null;
  readonly isAtomic: boolean;
  readonly chars: number;
  /** Of one job by itself. */
  readonly answered: (outcome: AdmissionOutcome) => void;
  readonly allAnswered: (outcomes: readonly AdmissionOutcome[]) => void;
  readonly failed: (error: unknown) => void;
}

/** Sends one call, all of whose jobs were routed by the same revision. */
export type SendCall = (
  jobs: readonly AdmissionRequest[],
  options: { readonly revision: number | null; readonly isAtomic: boolean },
) => Promise<AdmissionAnswer>;

export class AdmissionBatch {
  readonly #send: SendCall;
  readonly #onSeen: OnQueueSeen;
  #pending: Pending[] = [];
  #inFlight = 0;
  #isSoon = false;

  constructor(send: SendCall, onSeen: OnQueueSeen) {
    this.#send = send;
    this.#onSeen = onSeen;
  }

  /** Resolves once Redis has decided; rejects with what the whole call was refused for. */
  add(job: AdmissionRequest): Promise<AdmissionOutcome> {
    return new Promise((answered, failed) => {
      const chars = job.dataText.length;
      this.#push({ first: job, jobs: null, isAtomic: false, chars, answered, allAnswered: nobody, failed });
    });
  }

  /** All or none, in one call of their own; at most `CALL_JOBS_MAX` jobs and `CALL_CHARS_MAX` characters. */
  addAll(jobs: readonly AdmissionRequest[]): Promise<readonly AdmissionOutcome[]> {
    return this.#together(jobs, true);
  }

  /**
   * Several that came together, each with its own outcome: cheaper than one by one. At most `CALL_JOBS_MAX` of
   * `CALL_CHARS_MAX` characters, all routed by the same revision; they share a call with others.
   */
  addGroup(jobs: readonly AdmissionRequest[]): Promise<readonly AdmissionOutcome[]> {
    return this.#together(jobs, false);
  }

  #together(jobs: readonly AdmissionRequest[], isAtomic: boolean): Promise<readonly AdmissionOutcome[]> {
    return new Promise((allAnswered, failed) => {
      const [first] = jobs;
      if (first === undefined) return allAnswered([]);
      let chars = 0;
      for (const job of jobs) chars += job.dataText.length;
      this.#push({ first, jobs, isAtomic, chars, answered: nobody, allAnswered, failed });
    });
  }

  #push(pending: Pending): void {
    this.#pending.push(pending);
    if (this.#pending.length >= CALL_ENOUGH) this.#flush();
    if (this.#isSoon || this.#pending.length === 0) return;
    this.#isSoon = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isSoon = false;
    this.#flush();
  };

  #flush(): void {
    while (this.#pending.length > 0 && this.#inFlight < CALLS_IN_FLIGHT_MAX) this.#sendNext();
  }

  #sendNext(): void {
    const { count, jobs } = this.#nextCall();
    const call = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    const [first] = call;
    if (first === undefined) return;
    this.#inFlight += 1;
    this.#send(jobs, { revision: first.first.revision, isAtomic: first.isAtomic }).then(
      (answer) => this.#ended(() => this.#tell(call, answer)),
      (error: unknown) => this.#ended(() => refuseAll(call, error)),
    );
  }

  #nextCall(): { readonly count: number; readonly jobs: AdmissionRequest[] } {
    const all = nextCall(this.#pending);
    if (all.count === this.#pending.length) return all;
    this.#pending = inTurns(this.#pending);
    return nextCall(this.#pending);
  }

  #ended(tell: () => void): void {
    this.#inFlight -= 1;
    this.#flush();
    tell();
  }

  #tell(call: readonly Pending[], { outcomes, queues }: AdmissionAnswer): void {
    for (const seen of queues) this.#onSeen(seen);
    let at = 0;
    for (const { jobs, answered, allAnswered, failed } of call) {
      const outcome = outcomes[at];
      if (jobs !== null) allAnswered(outcomes.slice(at, at + jobs.length));
      else if (outcome !== undefined) answered(outcome);
      else failed(new TypeError("a call answers each of its jobs"));
      at += jobs?.length ?? 1;
    }
  }
}

/** Parts of `jobs`, in order, each of which may go as one group. */
export function groupsOf(jobs: readonly AdmissionRequest[]): readonly (readonly AdmissionRequest[])[] {
  const groups: AdmissionRequest[][] = [];
  let group: AdmissionRequest[] = [];
  let chars = 0;
  for (const job of jobs) {
    const [first] = group;
    const isFull = group.length >= CALL_JOBS_MAX || chars + job.dataText.length > CALL_CHARS_MAX;
    if (first === undefined || isFull || first.revision !== job.revision) {
      group = [];
      groups.push(group);
      chars = 0;
    }
    group.push(job);
    chars += job.dataText.length;
  }
  return groups;
}

function nobody(): void {
  throw new TypeError("nobody waits for this answer");
}

function refuseAll(call: readonly Pending[], error: unknown): void {
  for (const { failed } of call) failed(error);
}

/** The same, one of each tenant and then the next of each. */
function inTurns(pending: Pending[]): Pending[] {
  const lines = new Map<string, Pending[]>();
  for (const it of pending) {
    const { tenant } = it.first.terms;
    const line = lines.get(tenant);
    if (line === undefined) lines.set(tenant, [it]);
    else line.push(it);
  }
  if (lines.size === 1) return pending;
  const turns: Pending[] = [];
  for (let round = 0; turns.length < pending.length; round += 1) {
    for (const line of lines.values()) {
      const it = line[round];
      if (it !== undefined) turns.push(it);
    }
  }
  return turns;
}

/** How many of the first of `pending` make the next call: of one revision, within bounds, all or none alone. */
function nextCall(pending: readonly Pending[]): {
  readonly count: number;
  readonly jobs: AdmissionRequest[];
} {
  const jobs: AdmissionRequest[] = [];
  const [first] = pending;
  let count = 0;
  let chars = 0;
  for (const it of pending) {
    if (first === undefined || (count > 0 && !fitsWith(it, first, { jobs: jobs.length, chars }))) break;
    if (it.jobs === null) jobs.push(it.first);
    else jobs.push(...it.jobs);
    count += 1;
    chars += it.chars;
  }
  return { count, jobs };
}

function fitsWith(it: Pending, first: Pending, taken: { readonly jobs: number; readonly chars: number }) {
  if (it.isAtomic || first.isAtomic || it.first.revision !== first.first.revision) return false;
  return taken.jobs + (it.jobs?.length ?? 1) <= CALL_JOBS_MAX && taken.chars + it.chars <= CALL_CHARS_MAX;
}
