/** The job API as a whole: every operation, each beside the noun that it is about. */
import { PROCESS_OPERATIONS } from "#shared/http/health-operations";
import type { ApiDescription } from "#shared/http/operation";
import { JOB_OPERATIONS } from "./job.ts";
import { TYPE_OPERATIONS } from "./job-type.ts";
import { HAND_IN_OPERATIONS } from "./jobs.ts";
import { REFUSALS_EVERYWHERE, REFUSALS_WITH_PARAMS, REFUSALS_WITH_SCOPE } from "./refusals.ts";
import { SCHEDULE_OPERATIONS } from "./schedules.ts";

export const JOB_API: ApiDescription = {
  title: "Sluice job API",
  description:
    "Hand in jobs and follow them. Times are RFC 3339 in UTC, lengths of time milliseconds with `Ms` in the name. " +
    'null means "not known", "not yet" or "none", never zero. Refusals are problem details (RFC 9457).',
  operations: {
    ...HAND_IN_OPERATIONS,
    ...JOB_OPERATIONS,
    ...SCHEDULE_OPERATIONS,
    ...TYPE_OPERATIONS,
    ...PROCESS_OPERATIONS,
  },
  refusalsEverywhere: REFUSALS_EVERYWHERE,
  refusalsWithParams: REFUSALS_WITH_PARAMS,
  refusalsWithScope: REFUSALS_WITH_SCOPE,
};
