/**
 * Deals with what is due of one schedule: gives up what is missed, enqueues what is due in order, and says how far the
 * schedule is then.
 *
 * It writes nothing of the schedule. The jobs' ids follow from name and occurrence alone, so doing it again adds none.
 */
import { type EnqueuedOnce, enqueueOnce, type OncePorts } from "#shared/enqueue/enqueue-once";
import type { JobRequest } from "#shared/envelope";
import { SluiceError } from "#shared/errors";
import type { Log } from "#shared/log";
import { decideDueOccurrences } from "#shared/schedules/decide-due-occurrences";
import { idOfOccurrence, type Schedule, sourceOfSchedule, timetableOf } from "#shared/schedules/schedule";
import {
  enqueued,
  type FiredOccurrence,
  missed,
  type Refusal,
  refusedNow,
  type ScheduleState,
} from "#shared/schedules/schedule-state";

export interface Fired {
  readonly state: ScheduleState;
  /** Occurrences that have a job now, oldest first. */
  readonly enqueued: readonly FiredOccurrence[];
  /** How many were given up. */
  readonly missed: number;
  /** Why the next one waits; `null` when none does. */
  readonly refusal: Refusal | null;
}

export interface FirePorts extends OncePorts {
  readonly log: Log;
}

/** Never rejects: what cannot be enqueued waits, with the reason. @param nowMs Redis' time. */
export async function fireSchedule(
  { schedule, state }: { readonly schedule: Schedule; readonly state: ScheduleState },
  ports: FirePorts,
  nowMs: number,
): Promise<Fired> {
  const { graceMs } = schedule;
  const policy = { timetable: timetableOf(schedule), missed: schedule.missed, graceMs };
  const decision = decideDueOccurrences(policy, {
    nowMs,
    positionMs: state.positionMs,
    refused: state.refused,
  });
  const givenUp = decision.missed?.count ?? 0;
  let next = decision.missed === null ? state : missed(state, decision.missed);
  const fired: FiredOccurrence[] = [];
  for (const occurrenceMs of decision.due) {
    const outcome = await attempt(schedule, ports, occurrenceMs);
    if ("refusal" in outcome) {
      const { refusal } = outcome;
      const waiting = refusedNow(next, { ...refusal, occurrenceMs }, { nowMs, graceMs });
      return { state: { ...waiting, nextMs: occurrenceMs }, enqueued: fired, missed: givenUp, refusal };
    }
    next = enqueued(next, occurrenceMs, outcome.jobId);
    fired.push({ occurrenceMs, jobId: outcome.jobId });
  }
  return { state: { ...next, nextMs: decision.nextMs }, enqueued: fired, missed: givenUp, refusal: null };
}

async function attempt(
  schedule: Schedule,
  ports: FirePorts,
  occurrenceMs: number,
): Promise<EnqueuedOnce | { readonly refusal: Refusal }> {
  const { name, tenant } = schedule;
  const terms = { tenant, source: sourceOfSchedule(name), id: idOfOccurrence(name, occurrenceMs) };
  try {
    return await enqueueOnce(requestOf(schedule), terms, ports);
  } catch (error) {
    if (error instanceof SluiceError) return { refusal: { code: error.code, message: error.message } };
    ports.log.error({ err: error, schedule: `${tenant}/${name}` }, "occurrence could not be enqueued");
    return { refusal: { code: "INTERNAL", message: "the autoscaler failed; its log has the reason" } };
  }
}

/** Stamped at this moment, whenever the schedule was written: the gate and the lanes of now hold. */
function requestOf({ type, schemaversion, data, priority, attempts, timeoutms }: Schedule): JobRequest {
  return {
    type,
    schemaversion,
    data,
    ...(priority !== undefined && { priority }),
    ...(attempts !== undefined && { attempts }),
    ...(timeoutms !== undefined && { timeoutms }),
  };
}
