/**
 * Has the jobs run again that a failed release has exhausted, part by part, as long as a rollout orders it.
 *
 * It remembers only how far it has come: a new leader begins at the rollout's start again, and what was put back is not
 * there any more. Jobs that fail while a pass is under way are found by the next.
 */
import type { Clock } from "#shared/clock";
import { parseRecord } from "#shared/job-record";
import type { Log } from "#shared/log";
import { type FailedJob, REQUEUE_JOBS_MAX, type RequeueStore } from "#shared/redis/requeue-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { toRfc3339 } from "#shared/system-clock";
import type { Term } from "../leadership.ts";
import type { Observation } from "../observe.ts";
import type { Rollout } from "../rollout/rollout-document.ts";
import { decideRequeue } from "./decide-requeue.ts";

/** From the end of a pass to the next, while jobs of the release may still end, and long after. */
const AGAIN_MS = 3_000;
const AGAIN_LATER_MS = 60_000;
const SETTLED_MS = 120_000;

/** Clocks of workers, by which jobs end, may differ by this. */
const CLOCKS_DIFFER_MS = 5_000;

export interface RequeueExhaustedPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<RequeueStore, "failedIn" | "requeue">;
}

export interface PassInput {
  readonly rollout: Rollout;
  readonly observation: Pick<Observation, "snapshot" | "document">;
  readonly term: Pick<Term, "require">;
}

interface Pass {
  /** Jobs that were looked at and stay, by lane. */
  readonly skip: Map<string, number>;
  readonly startedAtMs: number;
  nextAtMs: number;
}

export class RequeueExhausted {
  readonly #ports: RequeueExhaustedPorts;
  readonly #passes = new Map<string, Pass>();

  constructor(ports: RequeueExhaustedPorts) {
    this.#ports = ports;
  }

  /** One part of each lane of the pool. Answers how many jobs wait again. Rejects when Redis is away. */
  async pass(release: string, { rollout, observation, term }: PassInput): Promise<number> {
    const nowMs = this.#ports.clock.monotonicMs();
    const pass = this.#passOf(`${rollout.id}|${release}`, nowMs);
    if (nowMs < pass.nextAtMs) return 0;
    const lanes = observation.snapshot.queues.find((it) => it.queue === rollout.pool)?.lanes ?? [];
    let requeued = 0;
    let isDone = true;
    for (const { lane, failed } of lanes) {
      if (failed === 0) continue;
      term.require();
      const part = await this.#part(lane, pass, { release, rollout, document: observation.document });
      requeued += part.requeued;
      if (!part.isLast) isDone = false;
    }
    if (isDone) this.#end(pass, nowMs);
    if (requeued > 0)
      this.#ports.log.info({ rollout: rollout.id, release, jobs: requeued }, "failed jobs run again");
    return requeued;
  }

  async #part(
    lane: string,
    { skip }: Pass,
    {
      release,
      rollout,
      document,
    }: {
      readonly release: string;
      readonly rollout: Rollout;
      readonly document: RegistryDocument;
    },
  ): Promise<{ readonly requeued: number; readonly isLast: boolean }> {
    const { store } = this.#ports;
    const sinceMs = rollout.createdAtMs - CLOCKS_DIFFER_MS;
    const skipped = skip.get(lane) ?? 0;
    const jobs = await store.failedIn(lane, { sinceMs, skip: skipped, max: REQUEUE_JOBS_MAX });
    const chosen = jobs.flatMap((job) => {
      const { tenant, attemptsMax } = toldBy(job, document);
      const decision = decideRequeue(parseRecord(job.recordText), {
        release,
        since: toRfc3339(sinceMs),
        attemptsMax,
      });
      if (decision.kind === "leave") return [];
      const due = { atMs: Math.round(this.#ports.clock.nowMs()), start: job.starts + 1 };
      return [{ ...job, record: { ...decision.record, due }, tenant }];
    });
    const again = chosen.length === 0 ? [] : await store.requeue(rollout.pool, lane, chosen);
    skip.set(lane, skipped + jobs.length - again.length);
    return { requeued: again.length, isLast: jobs.length < REQUEUE_JOBS_MAX };
  }

  #passOf(key: string, nowMs: number): Pass {
    const known = this.#passes.get(key);
    if (known !== undefined) return known;
    const pass = { skip: new Map<string, number>(), startedAtMs: nowMs, nextAtMs: nowMs };
    this.#passes.set(key, pass);
    return pass;
  }

  #end(pass: Pass, nowMs: number): void {
    pass.skip.clear();
    pass.nextAtMs = nowMs + (nowMs - pass.startedAtMs < SETTLED_MS ? AGAIN_MS : AGAIN_LATER_MS);
  }
}

/** What the stored envelope says, as far as it can be read. */
function toldBy({ data }: FailedJob, { types }: RegistryDocument) {
  const { type, tenant, attempts } = fieldsOf(data);
  const policy = typeof type === "string" && Object.hasOwn(types, type) ? types[type]?.policy : undefined;
  const own = typeof attempts === "number" ? attempts : Number.POSITIVE_INFINITY;
  return {
    tenant: typeof tenant === "string" ? tenant : null,
    attemptsMax: policy === undefined ? null : Math.min(policy.attempts, own),
  };
}

function fieldsOf(data: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
