/**
 * What the admission script has to decide, written a second time: plainly, in memory, a job at a time.
 *
 * Only what matters to decisions is kept; how BullMQ's keys look is held against BullMQ itself elsewhere.
 */
import type { AdmissionOutcome, AdmissionRequest, AdmissionTerms } from "#shared/redis/admission";

const JOB_BYTES = 1_000;
const RECORD_BYTES = 250;
/** Open jobs of a tenant that are looked through at once. */
const LOOKED_MAX = 50;

interface ModelJob {
  readonly place: string;
  readonly queue: string;
  readonly isScheduled: boolean;
  hasEnded: boolean;
}

interface State {
  readonly jobs: Map<string, ModelJob>;
  /** What each record was used for. */
  readonly records: Map<string, { readonly fingerprint: string; readonly jobId: string }>;
  readonly dedups: Map<string, string>;
  /** Ids by `<queue>|<tenant>`; ended ones stay until they are looked for. */
  readonly open: Map<string, Set<string>>;
  /** Those whose ended ones are not looked for now. */
  readonly looked: Set<string>;
  room: number | null;
}

export class AdmissionModel {
  #state: State = {
    jobs: new Map(),
    records: new Map(),
    dedups: new Map(),
    open: new Map(),
    looked: new Set(),
    room: null,
  };

  get room(): number | null {
    return this.#state.room;
  }

  set room(room: number | null) {
    this.#state.room = room;
  }

  /** Ids of all jobs that are there. */
  get jobIds(): string[] {
    return [...this.#state.jobs.keys()].toSorted();
  }

  openOf(queue: string, tenant: string): string[] {
    return [...(this.#state.open.get(`${queue}|${tenant}`) ?? [])].toSorted();
  }

  placeOf(jobId: string): string | null {
    return this.#state.jobs.get(jobId)?.place ?? null;
  }

  end(jobId: string): void {
    const job = this.#state.jobs.get(jobId);
    if (job !== undefined) job.hasEnded = true;
  }

  remove(jobId: string): void {
    this.#state.jobs.delete(jobId);
  }

  /** So long that every open set may be looked through again. */
  timePasses(): void {
    this.#state.looked.clear();
  }

  admitAll(jobs: readonly AdmissionRequest[], isAtomic: boolean): AdmissionOutcome[] {
    const before = copyOf(this.#state);
    const outcomes = jobs.map((job) => this.#admit(job));
    const isWhole = !outcomes.some(isRefusal);
    if (!isAtomic || isWhole) return outcomes;
    this.#state = before;
    const added = new Set(jobs.filter((_job, n) => outcomes[n]?.kind === "created").map((it) => it.jobId));
    return outcomes.map((it) => {
      const isOfThese = it.kind === "created" || ("jobId" in it && added.has(it.jobId));
      return isOfThese ? { kind: "aborted" } : it;
    });
  }

  #admit(job: AdmissionRequest): AdmissionOutcome {
    const known = this.#known(job) ?? this.#refusal(job);
    if (known !== null) return known;
    const { terms, jobId } = job;
    this.#spend(job.dataText.length + JOB_BYTES + job.records.length * RECORD_BYTES);
    this.#remember(job, job.records, jobId);
    if (job.dedup !== "") this.#state.dedups.set(job.dedup, jobId);
    const place = terms.place ?? "";
    this.#state.jobs.set(jobId, { place, queue: terms.queue, isScheduled: job.delayMs > 0, hasEnded: false });
    this.#open(terms).add(jobId);
    return { kind: "created" };
  }

  #known(job: AdmissionRequest): AdmissionOutcome | null {
    const { records, jobs, dedups } = this.#state;
    const used = job.records.find((it) => records.has(it));
    const unused = job.records.slice(0, used === undefined ? undefined : job.records.indexOf(used));
    const record = used === undefined ? undefined : records.get(used);
    if (record !== undefined) {
      if (record.fingerprint !== job.fingerprint) return { kind: "conflict" };
      return this.#same(job, unused, { kind: "replayed", jobId: record.jobId });
    }
    const isNamed = job.records.some((it) => it.startsWith("id:"));
    if (isNamed && jobs.get(job.jobId)?.queue === job.terms.queue) {
      return this.#same(job, unused, { kind: "replayed", jobId: job.jobId });
    }
    const twin = dedups.get(job.dedup);
    if (twin === undefined || jobs.get(twin)?.hasEnded !== false) return null;
    return this.#same(job, unused, { kind: "deduplicated", jobId: twin });
  }

  #same(
    job: AdmissionRequest,
    unused: readonly string[],
    outcome: AdmissionOutcome & { readonly jobId: string },
  ): AdmissionOutcome {
    const bytes = unused.length * RECORD_BYTES;
    if (bytes > 0 && !this.#fits(bytes)) return { kind: "refused", reason: "memory" };
    this.#spend(bytes);
    this.#remember(job, unused, outcome.jobId);
    return outcome;
  }

  #refusal(job: AdmissionRequest): AdmissionOutcome | null {
    if (job.terms.place === null) return { kind: "unroutable" };
    const full = this.#fullOf(job);
    if (full !== null) return { kind: "refused", reason: full };
    const { dataText, records, terms } = job;
    if (!this.#hasPlaceFor(terms)) return { kind: "refused", reason: "tenant" };
    const bytes = dataText.length + JOB_BYTES + records.length * RECORD_BYTES;
    return this.#fits(bytes) ? null : { kind: "refused", reason: "memory" };
  }

  #fullOf({ terms, delayMs }: AdmissionRequest): "scheduled" | "backlog" | null {
    const resting = [...this.#state.jobs.values()].filter((it) => it.queue === terms.queue && !it.hasEnded);
    const scheduled = resting.filter((it) => it.isScheduled).length;
    if (delayMs > 0) return scheduled >= terms.scheduledMax ? "scheduled" : null;
    return resting.length - scheduled >= terms.depthMax ? "backlog" : null;
  }

  /** Looks for ended ones only where there would be no place, and not again for a while. */
  #hasPlaceFor(terms: AdmissionTerms): boolean {
    const open = this.#open(terms);
    const name = nameOf(terms);
    if (open.size < terms.tenantMax) return true;
    if (this.#state.looked.has(name)) return false;
    if (open.size > LOOKED_MAX) throw new RangeError("the model looks at all of them at once");
    for (const jobId of open) if (this.#state.jobs.get(jobId)?.hasEnded !== false) open.delete(jobId);
    this.#state.looked.add(name);
    return open.size < terms.tenantMax;
  }

  #remember({ fingerprint }: AdmissionRequest, records: readonly string[], jobId: string): void {
    for (const record of records) this.#state.records.set(record, { fingerprint, jobId });
  }

  #fits(bytes: number): boolean {
    return this.#state.room === null || this.#state.room >= bytes;
  }

  #spend(bytes: number): void {
    if (this.#state.room !== null) this.#state.room -= bytes;
  }

  #open(terms: AdmissionTerms): Set<string> {
    const name = nameOf(terms);
    const open = this.#state.open.get(name) ?? new Set();
    this.#state.open.set(name, open);
    return open;
  }
}

function nameOf({ queue, tenant }: AdmissionTerms): string {
  return `${queue}|${tenant}`;
}

function isRefusal({ kind }: AdmissionOutcome): boolean {
  return kind === "conflict" || kind === "unroutable" || kind === "refused";
}

function copyOf({ jobs, records, dedups, open, looked, room }: State): State {
  return {
    jobs: new Map([...jobs].map(([id, job]) => [id, { ...job }])),
    records: new Map(records),
    dedups: new Map(dedups),
    open: new Map([...open].map(([name, ids]) => [name, new Set(ids)])),
    looked: new Set(looked),
    room,
  };
}
