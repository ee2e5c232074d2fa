/**
 * A fleet of the model that writes down what is asked of it and what became of that, for a real Redis to be
 * held against (`redis-fleet.ts`).
 *
 * After each thing that is asked its workers do all there is to do, because real workers do so by
 * themselves: what then is where depends on no one's speed. Handlers fail as `failsAtFirst` says.
 */

import type { RetirementAnswer } from "#autoscaler/retirement/retirement-answer";
import type { EnqueueAnswer } from "#shared/enqueue/enqueuer";
import type { JobRequest } from "#shared/envelope";
import { SluiceError, WorkerRefusedError } from "#shared/errors";
import type { QueuedJob } from "#shared/redis/queued-job";
import type { GateDecision, GateRequest } from "#shared/registry/decide-gate";
import type { PublishDecision } from "#shared/registry/decide-publish";
import type { MigrationTotals } from "#worker/migrate-lane";
import { runs, takers } from "./acts-of-workers.ts";
import { FleetModel, type HandMove } from "./fleet-model.ts";
import type { Build } from "./model-build.ts";
import type { ModelWorker } from "./model-worker.ts";
import type { World } from "./world.ts";

export type Asked =
  | { readonly ask: "publish"; readonly build: Build }
  | {
      readonly ask: "start worker";
      readonly release: string;
      readonly slots: number;
      readonly workerId: string;
    }
  | { readonly ask: "drain"; readonly workerId: string }
  | {
      readonly ask: "enqueue";
      readonly producer: number;
      readonly request: JobRequest;
      readonly delayMs: number;
    }
  | { readonly ask: "refresh"; readonly producer: number }
  | { readonly ask: "move gate"; readonly request: GateRequest; readonly loadSlots: number | null }
  | { readonly ask: "retire"; readonly release: string }
  | { readonly ask: "retire by force"; readonly release: string }
  | { readonly ask: "migrate"; readonly release: string; readonly fromLane: string }
  | { readonly ask: "add by hand"; readonly lane: string; readonly job: QueuedJob }
  | { readonly ask: "move by hand"; readonly move: HandMove };

/** By job, the place that has it and how it ended there, in words. */
export type Stored = Readonly<Record<string, string>>;

export interface Entry {
  readonly asked: Asked;
  readonly verdict: string;
  /** Once everybody has done what there was to do. */
  readonly after: Stored;
}

/** Between two looks at jobs that wait for a retry; shorter than a producer's interval. */
const RETRY_MS = 100;

/** Of some jobs the first run fails, so that a retry is seen too. */
export function failsAtFirst(data: unknown): boolean {
  return (data as { readonly n: number }).n % 7 === 3;
}

export class JournalFleet extends FleetModel {
  readonly entries: Entry[] = [];
  /** The world that it is part of. */
  world: World | null = null;

  override async publish(build: Build): Promise<PublishDecision> {
    const decision = await super.publish(build);
    await this.#note({ ask: "publish", build }, decision.kind);
    return decision;
  }

  override async startWorker(release: string, slots: number): Promise<ModelWorker> {
    const worker = await super.startWorker(release, slots);
    const { workerId, lanes } = worker;
    await this.#note({ ask: "start worker", release, slots, workerId }, lanes.join());
    return worker;
  }

  override async drain(workerId: string): Promise<void> {
    await super.drain(workerId);
    await this.#note({ ask: "drain", workerId }, "done");
  }

  override async offer(producer: number, request: JobRequest, delayMs: number): Promise<EnqueueAnswer> {
    const asked = { ask: "enqueue", producer, request, delayMs } as const;
    try {
      const answer = await super.offer(producer, request, delayMs);
      await this.#note(asked, answer.job.id);
      return answer;
    } catch (error) {
      if (error instanceof SluiceError) await this.#note(asked, error.code);
      throw error;
    }
  }

  override async refresh(producer: number): Promise<void> {
    await super.refresh(producer);
    await this.#note({ ask: "refresh", producer }, "done");
  }

  override async moveGate(request: GateRequest, loadSlots: number | null): Promise<GateDecision> {
    const decision = await super.moveGate(request, loadSlots);
    await this.#note({ ask: "move gate", request, loadSlots }, gateVerdict(decision));
    return decision;
  }

  override async retire(release: string): Promise<RetirementAnswer> {
    const answer = await super.retire(release);
    await this.#note({ ask: "retire", release }, retirementVerdict(answer));
    return answer;
  }

  override async forceRetire(release: string): Promise<void> {
    await super.forceRetire(release);
    await this.#note({ ask: "retire by force", release }, "done");
  }

  override async migrate(release: string, fromLane: string): Promise<MigrationTotals> {
    const asked = { ask: "migrate", release, fromLane } as const;
    try {
      const totals = await super.migrate(release, fromLane);
      await this.#note(asked, JSON.stringify(totals));
      return totals;
    } catch (error) {
      if (error instanceof WorkerRefusedError) await this.#note(asked, error.code);
      throw error;
    }
  }

  override async addByHand(lane: string, job: QueuedJob): Promise<void> {
    await super.addByHand(lane, job);
    await this.#note({ ask: "add by hand", lane, job }, "done");
  }

  override async moveByHand(move: HandMove): Promise<void> {
    await super.moveByHand(move);
    await this.#note({ ask: "move by hand", move }, "done");
  }

  async #note(asked: Asked, verdict: string): Promise<void> {
    await this.#doAllThereIs();
    const after = [...this.queues.whereabouts()].flatMap(([jobId, places]) =>
      places.map(({ place, state }) => [jobId, `${place} ${isEnded(state) ? state : "stored"}`] as const),
    );
    this.entries.push({ asked, verdict, after: Object.fromEntries(after) });
  }

  async #doAllThereIs(): Promise<void> {
    const { world } = this;
    // A job is its client's only once it was answered; until then only the fleet knows it.
    if (world === null) return;
    for (;;) {
      for (const { worker, jobId } of runs(world)) await this.#endRun(world, worker, jobId);
      const [taking] = takers(world);
      if (taking !== undefined) await taking.worker.take(taking.lane);
      else if (this.#isRetrySoon(world)) await this.tick(RETRY_MS);
      else break;
    }
    this.sweep();
  }

  async #endRun({ ledger }: World, worker: ModelWorker, jobId: string): Promise<void> {
    const { written, failures } = ledger.of(jobId);
    const fails = failures === 0 && failsAtFirst(written);
    if (fails) ledger.handlerFails(jobId);
    await worker.finish(jobId, fails ? "throws" : "returns");
  }

  #isRetrySoon({ ledger }: World): boolean {
    return [...this.queues.whereabouts()].some(
      ([jobId, [at]]) => at?.state === "scheduled" && ledger.of(jobId).failures > 0,
    );
  }
}

function isEnded(state: string): boolean {
  return state === "succeeded" || state === "failed";
}

export function gateVerdict(decision: GateDecision): string {
  return decision.kind === "refused" ? decision.code : decision.kind;
}

export function retirementVerdict({ mayRetire, blockers }: RetirementAnswer): string {
  return mayRetire
    ? "retired"
    : blockers
        .map(({ code, jobs = 0 }) => `${code} ${jobs}`)
        .sort()
        .join();
}
