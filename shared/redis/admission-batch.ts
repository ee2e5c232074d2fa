/**
 * Gathers the jobs that ask to come in at about the same time, so that they cost one call, one reply and, with
 * AOF always, one fsync.
 *
 * A call is sent at the end of the turn of the event loop in which its first job came. While as many calls as
 * allowed are on their way, jobs gather for the next: so calls grow with the load and the delay does not. A
 * job is never in two calls.
 */
import type { AdmissionAnswer, AdmissionOutcome, AdmissionRequest, OnQueueSeen } from "./admission.ts";
import { CALL_CHARS_MAX, CALL_JOBS_MAX } from "./admission.ts";

/** Calls on their way at once: one is being run by Redis while the next one travels. */
const CALLS_IN_FLIGHT_MAX = 2;

/** Jobs that go together and their answers. */
interface Pending {
  readonly jobs: readonly AdmissionRequest[];
  readonly isAtomic: boolean;
  readonly chars: number;
  readonly answered: (outcomes: readonly AdmissionOutcome[]) => void;
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
  async add(job: AdmissionRequest): Promise<AdmissionOutcome> {
    const [outcome] = await this.#ask([job], false);
    if (outcome === undefined) throw new TypeError("a call answers each of its jobs");
    return outcome;
  }

  /** All or none, in one call of their own; at most `CALL_JOBS_MAX` jobs and `CALL_CHARS_MAX` characters. */
  addAll(jobs: readonly AdmissionRequest[]): Promise<readonly AdmissionOutcome[]> {
    return this.#ask(jobs, true);
  }

  #ask(jobs: readonly AdmissionRequest[], isAtomic: boolean): Promise<readonly AdmissionOutcome[]> {
    return new Promise((answered, failed) => {
      let chars = 0;
      for (const job of jobs) chars += job.dataText.length;
      this.#pending.push({ jobs, isAtomic, chars, answered, failed });
      if (this.#isSoon) return;
      this.#isSoon = true;
      setImmediate(() => {
        this.#isSoon = false;
        this.#flush();
      });
    });
  }

  #flush(): void {
    while (this.#pending.length > 0 && this.#inFlight < CALLS_IN_FLIGHT_MAX) this.#sendNext();
  }

  #sendNext(): void {
    const count = countOfNextCall(this.#pending);
    const call = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    const [first] = call;
    if (first === undefined) return;
    this.#inFlight += 1;
    const options = { revision: first.jobs[0]?.revision ?? null, isAtomic: first.isAtomic };
    this.#send(
      call.flatMap(({ jobs }) => jobs),
      options,
    ).then(
      (answer) => this.#ended(() => this.#tell(call, answer)),
      (error: unknown) => this.#ended(() => refuseAll(call, error)),
    );
  }

  #ended(tell: () => void): void {
    this.#inFlight -= 1;
    this.#flush();
    tell();
  }

  #tell(call: readonly Pending[], { outcomes, queues }: AdmissionAnswer): void {
    for (const seen of queues) this.#onSeen(seen);
    let at = 0;
    for (const { jobs, answered } of call) {
      answered(outcomes.slice(at, at + jobs.length));
      at += jobs.length;
    }
  }
}

function refuseAll(call: readonly Pending[], error: unknown): void {
  for (const { failed } of call) failed(error);
}

/** How many of the first of `pending` make the next call: of one revision, within bounds, all or none alone. */
function countOfNextCall(pending: readonly Pending[]): number {
  const [first] = pending;
  if (first === undefined || first.isAtomic) return pending.length === 0 ? 0 : 1;
  let count = 0;
  let chars = 0;
  for (const { jobs, isAtomic, chars: more } of pending) {
    const isOther = isAtomic || jobs[0]?.revision !== first.jobs[0]?.revision;
    if (isOther || count >= CALL_JOBS_MAX || (count > 0 && chars + more > CALL_CHARS_MAX)) break;
    count += 1;
    chars += more;
  }
  return count;
}
