/**
 * Enqueues a job that may have been enqueued before under the same id, by whoever was stopped before it could say so.
 *
 * The id is the caller's promise that the same is meant. What was asked for may differ by then (a delay counts from another
 * moment, a schedule's data was changed): the job that is there stays as it is.
 */
import { IdempotencyMismatchError } from "../admission-errors.ts";
import type { JobRequest } from "../envelope.ts";
import { jobIdOf } from "../job-id.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import type { EnqueueAnswer, EnqueueTerms } from "./enqueuer.ts";

export interface OncePorts {
  enqueue(request: JobRequest, terms: EnqueueTerms): Promise<Pick<EnqueueAnswer, "job" | "outcome">>;
  registry(): RegistryDocument;
}

/** Who asks, always by an own id of an own source. */
export interface OnceTerms {
  readonly tenant: string;
  readonly source: string;
  readonly id: string;
}

export interface EnqueuedOnce {
  readonly jobId: string;
  /** Whether this call has added it. */
  readonly isNew: boolean;
}

/** Rejects as `Enqueuer.enqueue` does, but not because the id is used. */
export async function enqueueOnce(
  request: JobRequest,
  { tenant, source, id }: OnceTerms,
  ports: OncePorts,
): Promise<EnqueuedOnce> {
  try {
    const { job, outcome } = await ports.enqueue({ ...request, id, source }, { tenant });
    return { jobId: job.id, isNew: outcome === "created" };
  } catch (error) {
    if (!(error instanceof IdempotencyMismatchError)) throw error;
    const queue = ports.registry().types[request.type]?.queue;
    if (queue === undefined) throw error;
    return { jobId: jobIdOf({ queue, tenant, source, id }), isNew: false };
  }
}
