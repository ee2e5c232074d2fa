/** What an app imports: everything needed to declare contracts and handlers, and nothing that runs. */
export { defineContract } from "#shared/contracts/contract";
export { type OpenEnum, openEnum } from "#shared/contracts/open-enum";
export { TerminalJobError } from "#shared/errors";
export {
  type App,
  defineApp,
  defineJob,
  type HandledJob,
  type HandlerContext,
  type ProbeContext,
} from "./app.ts";
export type { ChildJob, EnqueuedChild } from "./child-jobs.ts";
