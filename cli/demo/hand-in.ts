/**
 * Hands a demo's jobs in at their times and keeps the ids that were answered: an open loop, so a slow door cannot
 * thin the load out.
 *
 * What is refused for now, or whose fate is not known, is handed in again under the same id, which makes it the same
 * job; so what counts as accepted is what the API has answered with an id, and nothing else. Jobs are written as the
 * newest version that is accepted; one that comes too late for its version is written again as an older one.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "#shared/clock";
import { typesAnswer, understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { decideTypeVersion } from "../commands/decide-type-version.ts";
import { type HttpAnswer, requestJson, send } from "../http-client.ts";
import { type DemoJob, demoJob, jobsDue, type LoadPlan, orderData } from "./decide-demo-jobs.ts";
import type { AcceptedJob } from "./decide-ledger.ts";

export const DEMO_TYPE = "demo.order";
export const DEMO_QUEUE = "demo";

const BEAT_MS = 50;
const VERSIONS_MS = 500;
const BATCH_MAX = 500;
const ROUNDS_MAX = 40;
const RETRY_MS = 250;

export interface AcceptedOrder extends AcceptedJob {
  readonly n: number;
}

export interface HandedIn {
  readonly accepted: readonly AcceptedOrder[];
  /** Jobs that were refused for good, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Jobs of which it never became known whether they are in. */
  readonly unknown: number;
  /** The longest that a job was handed in after its time, in milliseconds. */
  readonly latestMs: number;
}

export interface HandInPorts {
  readonly apiUrl: string;
  readonly clock: Clock;
  /** Ends the load early. */
  readonly stop: AbortSignal;
}

const batchAnswer = z.object({
  results: z.array(
    z.object({
      index: z.int(),
      outcome: z.string(),
      id: z.string().optional(),
      problem: z.object({ code: z.string() }).optional(),
    }),
  ),
});

const FATE_UNKNOWN = "FATE_UNKNOWN";

/** Refusals that another try may turn. */
const FOR_NOW = new Set([
  FATE_UNKNOWN,
  "BACKLOG_FULL",
  "MEMORY_LOW",
  "NOT_ENQUEUED",
  "OVERLOADED",
  "TENANT_BACKLOG_FULL",
  "THROTTLED",
  "VERSION_NOT_ACTIVE",
]);

interface Pending {
  readonly job: DemoJob;
  /** Why it is not in yet; `null` before it was answered. */
  readonly code: string | null;
}

export class HandIn {
  readonly #ports: HandInPorts;
  readonly #run = randomUUID();
  readonly #accepted: AcceptedOrder[] = [];
  readonly #refused: Record<string, number> = {};
  readonly #underWay = new Set<Promise<void>>();
  #unknown = 0;
  #latestMs = 0;
  #version = 1;
  #failure: unknown = null;

  constructor(ports: HandInPorts) {
    this.#ports = ports;
  }

  /** So far. */
  get handedIn(): HandedIn {
    return {
      accepted: this.#accepted,
      refused: this.#refused,
      unknown: this.#unknown,
      latestMs: this.#latestMs,
    };
  }

  /** Resolves once the plan is over, or stopped, and every job has its answer. @throws {CliError} */
  async run(plan: LoadPlan): Promise<HandedIn> {
    const { clock, stop } = this.#ports;
    await this.#lookAtVersions();
    const startedMs = clock.monotonicMs();
    let next = 0;
    let lookedMs = startedMs;
    while (!stop.aborted && this.#failure === null) {
      const elapsedMs = clock.monotonicMs() - startedMs;
      const due = jobsDue(plan, elapsedMs);
      for (; next < due; next += BATCH_MAX) this.#post(plan, next, Math.min(due, next + BATCH_MAX));
      next = due;
      if (elapsedMs >= plan.forMs) break;
      if (startedMs + elapsedMs - lookedMs >= VERSIONS_MS) {
        lookedMs = startedMs + elapsedMs;
        this.#track(this.#lookAtVersions());
      }
      await clock.sleep(BEAT_MS, stop);
    }
    await Promise.all(this.#underWay);
    if (this.#failure !== null) throw this.#failure;
    return this.handedIn;
  }

  /** One job by itself, at once, with a number of its own; gives its id. @throws {CliError} when it is not accepted. */
  async one(job: DemoJob): Promise<string> {
    await this.#lookAtVersions();
    await this.#handIn([job]);
    const taken = this.#accepted.find(({ n }) => n === job.n);
    if (taken === undefined) throw notAccepted(JSON.stringify(this.#refused));
    return taken.id;
  }

  #post(plan: LoadPlan, from: number, to: number): void {
    const jobs = Array.from({ length: to - from }, (_, index) => demoJob(plan, from + index));
    const dueMs = this.#ports.clock.monotonicMs();
    const post = this.#handIn(jobs).then(() => {
      this.#latestMs = Math.max(this.#latestMs, this.#ports.clock.monotonicMs() - dueMs);
    });
    this.#track(post);
  }

  #track(task: Promise<void>): void {
    const kept: Promise<void> = task
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(kept));
    this.#underWay.add(kept);
  }

  async #handIn(jobs: readonly DemoJob[]): Promise<void> {
    let left: readonly Pending[] = jobs.map((job) => ({ job, code: null }));
    for (let round = 1; left.length > 0 && round <= ROUNDS_MAX; round += 1) {
      if (round > 1) await this.#ports.clock.sleep(RETRY_MS);
      const version = this.#version;
      left = this.#sort(left, await this.#ask(left, version));
      // The gate was lowered meanwhile.
      if (left.some((it) => it.code === "VERSION_NOT_ACTIVE")) {
        this.#version = Math.max(1, Math.min(this.#version, version - 1));
      }
    }
    for (const { code } of left) this.#giveUp(code);
  }

  async #ask(pending: readonly Pending[], version: number): Promise<HttpAnswer | null> {
    const body = JSON.stringify(
      pending.map(({ job }) => ({
        type: DEMO_TYPE,
        schemaversion: version,
        id: `${this.#run}-${job.n}`,
        source: "/sluice/demo",
        data: orderData(job, version),
        ...(job.attempts !== undefined && { attempts: job.attempts }),
      })),
    );
    try {
      return await send({ method: "POST", baseUrl: this.#ports.apiUrl, path: "/v1/jobs/batch", body });
    } catch (error) {
      // Nothing came back: what is in and what is not shows when it is asked again.
      if (error instanceof CliError) return null;
      throw error;
    }
  }

  /** Notes what is decided and gives what is not. @throws {CliError} for an answer that is none. */
  #sort(pending: readonly Pending[], answer: HttpAnswer | null): readonly Pending[] {
    if (answer === null) return pending.map(({ job }) => ({ job, code: FATE_UNKNOWN }));
    if (answer.status === 503 || answer.status === 429) return pending;
    if (answer.status !== 200) throw notAccepted(JSON.stringify(answer.value).slice(0, 500));
    const { results } = understood(batchAnswer, answer.value, "results of a batch");
    return results.flatMap(({ index, id, outcome, problem }) => {
      const job = pending[index]?.job;
      if (job === undefined) return [];
      const code = outcome === "unknown" ? FATE_UNKNOWN : (problem?.code ?? "REFUSED");
      if (id === undefined && FOR_NOW.has(code)) return [{ job, code }];
      if (id === undefined) this.#giveUp(code);
      else this.#accepted.push({ id, made: job.made, n: job.n });
      return [];
    });
  }

  #giveUp(code: string | null): void {
    if (code === FATE_UNKNOWN) this.#unknown += 1;
    else this.#refused[code ?? "UNAVAILABLE"] = (this.#refused[code ?? "UNAVAILABLE"] ?? 0) + 1;
  }

  async #lookAtVersions(): Promise<void> {
    const { apiUrl } = this.#ports;
    const answer = await requestJson({ method: "GET", baseUrl: apiUrl, path: "/v1/types" });
    const decision = decideTypeVersion(understood(typesAnswer, answer, "list of types").types, DEMO_TYPE);
    if (decision.kind === "version") this.#version = decision.version;
  }
}

function notAccepted(why: string): CliError {
  return new CliError({
    exitCode: 4,
    code: "DEMO_REFUSED",
    message: `The demo's jobs are not accepted: ${why}.`,
    hint: "Does the platform run a release of examples/demo?",
  });
}
