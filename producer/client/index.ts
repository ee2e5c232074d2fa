/** The client's public door: the package's export `./client`. */
export type {
  Job,
  JobAttempt,
  JobCancellation,
  JobProgress,
  JobResult,
  JobState,
  JobSummary,
} from "./answers.ts";
export {
  type ClientOptions,
  createClient,
  type EnqueuedJob,
  type EnqueueOptions,
  type SeveralOptions,
  type SluiceClient,
} from "./client.ts";
export { type Issue, type Outcome, SluiceClientError } from "./client-error.ts";
export type { ItemResult } from "./item-result.ts";
export type { JobChange, JobEvent } from "./job-events.ts";
export type { CallOptions, CancelOptions, ListOptions, WaitOptions } from "./job-reads.ts";
export type { JobItem, JobOptions, Moment } from "./job-request.ts";
export type { MicroBatchPolicy } from "./micro-batcher.ts";
export type { Written } from "./written.ts";
