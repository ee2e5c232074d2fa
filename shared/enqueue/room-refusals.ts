/**
 * Refuses jobs for want of room, and for some milliseconds again without asking Redis.
 *
 * Under a flood nearly every job is refused, and each refusal would cost as much as a job that comes in, to those who
 * come in too. So once the same terms have been refused a few times, the answer is taken to hold for so long as at most
 * a sixteenth of the room can have come free. What could be a repeat must not be answered from here: the caller sees to
 * that. Terms are worked out anew every 100 ms, and what was refused under old ones is forgotten with them.
 */
import type { NoRoomError } from "../admission-errors.ts";
import type { Clock } from "../clock.ts";
import type { AdmissionTerms, RefusalReason } from "../redis/admission.ts";
import type { Backlogs } from "./backlogs.ts";
import type { Room } from "./decide-room.ts";
import { noRoomFor } from "./no-room.ts";

/** Refusals under the same terms from which on one holds for the next: fewer are no flood. */
export const REFUSALS_ENOUGH = 8;

/** A refusal holds for no longer, in milliseconds. */
export const HOLDS_MS_MAX = 25;

/** The share of the room that may come free while nobody asks. */
const UNSEEN_SHARE = 1 / 16;

/** Jobs that are taken a second, as long as that is not measured: more than one queue's fleet is likely to. */
const UNMEASURED_PER_SEC = 1_000;

export interface RoomRefusalsPorts {
  readonly clock: Clock;
  readonly backlogs: Pick<Backlogs, "loadOf" | "promise">;
}

/** What of a job says whether there is room for it. */
export interface RoomAsked {
  readonly queue: string;
  readonly room: Room;
  readonly terms: AdmissionTerms;
  /** It would be scheduled and not wait. */
  readonly isScheduled: boolean;
}

interface Remembered {
  count: number;
  reason: RefusalReason;
  isScheduled: boolean;
  untilMs: number;
}

export class RoomRefusals {
  readonly #ports: RoomRefusalsPorts;
  readonly #byTerms = new WeakMap<AdmissionTerms, Remembered>();

  constructor(ports: RoomRefusalsPorts) {
    this.#ports = ports;
  }

  /** What to tell a job that Redis has refused. */
  refuse(asked: RoomAsked, reason: RefusalReason): NoRoomError {
    return noRoomFor(reason, { ...asked, retryAfterMs: this.#promise(asked, reason) });
  }

  /** Lets the refusal hold for the next jobs of the same terms. */
  remember(asked: RoomAsked, reason: RefusalReason): void {
    const { terms, isScheduled } = asked;
    const known = this.#byTerms.get(terms);
    const count = known?.isScheduled === isScheduled && known.reason === reason ? known.count + 1 : 1;
    const untilMs =
      count < REFUSALS_ENOUGH ? 0 : this.#ports.clock.monotonicMs() + this.#holdsMs(asked, reason);
    this.#byTerms.set(terms, { count, reason, isScheduled, untilMs });
  }

  /** The refusal that still holds for a job; `null`: Redis must be asked. */
  again(asked: RoomAsked): NoRoomError | null {
    const known = this.#byTerms.get(asked.terms);
    if (known === undefined || known.isScheduled !== asked.isScheduled) return null;
    return known.untilMs > this.#ports.clock.monotonicMs() ? this.refuse(asked, known.reason) : null;
  }

  #holdsMs({ queue, room, terms }: RoomAsked, reason: RefusalReason): number {
    if (reason === "memory") return HOLDS_MS_MAX;
    const most = { backlog: room.depthMax, scheduled: terms.scheduledMax, tenant: terms.tenantMax }[reason];
    const perSec = this.#ports.backlogs.loadOf(queue).drainPerSec ?? UNMEASURED_PER_SEC;
    return Math.min(HOLDS_MS_MAX, (most * UNSEEN_SHARE * 1_000) / Math.max(1, perSec));
  }

  /** Only a place in the backlog is promised: the other bounds do not give way as fast as that drains. */
  #promise({ queue, room }: RoomAsked, reason: RefusalReason): number | null {
    return reason === "backlog" ? this.#ports.backlogs.promise(queue, room.depthMax) : null;
  }
}
