/** Says in words why there is no room for a job, and when there is likely to be. */
import { NoRoomError } from "../admission-errors.ts";
import type { AdmissionTerms, RefusalReason } from "../redis/admission.ts";
import { UNMEASURED_MS } from "./decide-return.ts";
import type { Room } from "./decide-room.ts";

/** Room in memory comes from finished jobs being cleaned away, which the leader does every few seconds. */
const MEMORY_RETRY_MS = 5_000;

interface NoRoomFacts {
  readonly queue: string;
  readonly room: Room;
  readonly terms: AdmissionTerms;
  /** When a place in the backlog is expected to be free; `null` when that is not what is missing. */
  readonly retryAfterMs: number | null;
}

const LIMITS: Readonly<Record<Room["limitedBy"], string>> = {
  depth: "the most it may hold",
  bytes: "all that its bound on bytes leaves room for",
  wait: "all that can be taken within its longest wait at the present rate",
};

/** Without a stack: under load that costs more than all else of a refusal, and says nothing of why there is no room. */
export function noRoomFor(reason: RefusalReason, facts: NoRoomFacts): NoRoomError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return errorFor(reason, facts);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function errorFor(reason: RefusalReason, facts: NoRoomFacts): NoRoomError {
  const { queue, room, terms, retryAfterMs: placeMs } = facts;
  const retryAfterMs = placeMs ?? UNMEASURED_MS;
  switch (reason) {
    case "backlog": {
      const detail = `${room.depthMax} jobs wait in ${queue}, ${LIMITS[room.limitedBy]} for a job of this priority`;
      return new NoRoomError("BACKLOG_FULL", detail, retryAfterMs);
    }
    case "scheduled": {
      const detail = `${terms.scheduledMax} jobs are scheduled in ${queue}, the most it may hold`;
      return new NoRoomError("SCHEDULED_FULL", detail, retryAfterMs);
    }
    case "tenant": {
      const detail = `${terms.tenantMax} jobs of this tenant have not ended in ${queue}, the most one tenant may have`;
      return new NoRoomError("TENANT_BACKLOG_FULL", detail, retryAfterMs);
    }
    case "memory": {
      const detail =
        "the memory of Redis is 85 % full; what is queued goes on, and jobs are taken again as soon as there is room";
      return new NoRoomError("MEMORY_LOW", detail, MEMORY_RETRY_MS);
    }
  }
}
