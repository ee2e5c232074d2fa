/**
 * What a worker knows about itself: whether it wants to take jobs and why not, and what it has done.
 *
 * Holds no connection and starts nothing; `run-worker.ts` acts on it.
 */
import type { StandingOrder, WorkerStatus } from "#shared/redis/fleet-store";

/** BullMQ computes delays from the worker's clock; beyond this it would start jobs too early or late. */
const CLOCK_OFFSET_MS_MAX = 1_000;

export class WorkerState {
  #order: StandingOrder | null = null;
  #clockOffsetMs: number | null = null;
  #stopping = false;
  #lastStartedAtMs: number | null = null;
  #lastFinishedAtMs: number | null = null;
  readonly #settled = new Map<string, number>();

  /** Whether the worker may take jobs now. */
  get taking(): boolean {
    return this.reason === null;
  }

  /** Why the worker takes nothing, `null` when it does. */
  get reason(): "stopping" | "ordered-to-drain" | "quarantined" | "clock-skew" | null {
    if (this.#stopping) return "stopping";
    if (this.#order?.order === "drain") return "ordered-to-drain";
    if (this.#order?.order === "quarantine") return "quarantined";
    return Math.abs(this.#clockOffsetMs ?? 0) > CLOCK_OFFSET_MS_MAX ? "clock-skew" : null;
  }

  /** Redis' clock minus ours, in milliseconds; 0 while it is not known. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs ?? 0;
  }

  /** An order of a lower epoch than one already obeyed comes from a leader of the past. */
  obey(order: StandingOrder | null): void {
    if (order !== null && order.epoch < (this.#order?.epoch ?? 0)) return;
    if (order !== null) this.#order = order;
  }

  clockSeen(offsetMs: number): void {
    this.#clockOffsetMs = Math.round(offsetMs);
  }

  stop(): void {
    this.#stopping = true;
  }

  started(nowMs: number): void {
    this.#lastStartedAtMs = nowMs;
  }

  settled(kind: string, nowMs: number): void {
    this.#lastFinishedAtMs = nowMs;
    this.#settled.set(kind, (this.#settled.get(kind) ?? 0) + 1);
  }

  status(now: {
    readonly lanes: readonly string[];
    /** Those of them that the release has tripped. */
    readonly trippedLanes: readonly string[];
    readonly takes: WorkerStatus["takes"];
    /** Those of the lanes that it takes nothing from because its release was told so. */
    readonly heldLanes: readonly string[];
    readonly firstRuns: WorkerStatus["firstRuns"];
    readonly busy: number;
    readonly eventLoopLagMs: number;
    readonly rssBytes: number;
  }): WorkerStatus {
    const { reason } = this;
    const drains = reason === "stopping" || reason === "ordered-to-drain";
    return {
      state: reason === null ? "ok" : drains ? "draining" : "quarantined",
      reason,
      lanes: [...now.lanes],
      trippedLanes: [...now.trippedLanes],
      takes: now.takes,
      heldLanes: [...now.heldLanes],
      firstRuns: now.firstRuns,
      busy: now.busy,
      lastStartedAtMs: this.#lastStartedAtMs,
      lastFinishedAtMs: this.#lastFinishedAtMs,
      settled: Object.fromEntries(this.#settled),
      eventLoopLagMs: Math.round(now.eventLoopLagMs * 10) / 10,
      rssBytes: now.rssBytes,
      clockOffsetMs: this.#clockOffsetMs,
    };
  }
}
