/** The control API as a whole. `/raw` is a board of its own and no part of it. */
import { PROCESS_OPERATIONS } from "#shared/http/health-operations";
import type { ApiDescription } from "#shared/http/operation";
import { FLEET_OPERATIONS } from "./fleet.ts";
import { LEADER_OPERATIONS } from "./leader.ts";
import { REFUSALS_EVERYWHERE, REFUSALS_WITH_PARAMS, REFUSALS_WITH_SCOPE } from "./refusals.ts";
import { ROLLOUT_OPERATIONS } from "./rollouts.ts";
import { SCALING_OPERATIONS } from "./scaling.ts";
import { VIEW_OPERATIONS } from "./views.ts";
import { WRITE_OPERATIONS } from "./writes.ts";

export const CONTROL_API: ApiDescription = {
  title: "Sluice control API",
  description:
    "See the fleet, the lanes and the decisions; move gates and limits, hold the fleet, let releases take pools over. Times are RFC 3339 in UTC, lengths of time " +
    'milliseconds with `Ms` in the name. null means "not known", "not yet" or "none", never zero. Refusals are ' +
    "problem details (RFC 9457).",
  operations: {
    ...VIEW_OPERATIONS,
    ...LEADER_OPERATIONS,
    ...SCALING_OPERATIONS,
    ...ROLLOUT_OPERATIONS,
    ...FLEET_OPERATIONS,
    ...WRITE_OPERATIONS,
    ...PROCESS_OPERATIONS,
  },
  refusalsEverywhere: REFUSALS_EVERYWHERE,
  refusalsWithParams: REFUSALS_WITH_PARAMS,
  refusalsWithScope: REFUSALS_WITH_SCOPE,
};
