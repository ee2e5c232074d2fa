/**
 * Writes and shows a tenant's schedules. It fires none: the leader does.
 *
 * Each write is a compare-and-set on what was read, so of two that come at once the later one sees the earlier.
 */
import { RedisUnavailableError } from "#shared/errors";
import type { ScheduleStore, StoredSchedule } from "#shared/redis/schedule-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { type Schedule, type ScheduleRequest, timetableOf } from "#shared/schedules/schedule";
import { ScheduleChecker } from "#shared/schedules/schedule-checker";
import { afterChange, beginning } from "#shared/schedules/schedule-state";
import { toRfc3339 } from "#shared/system-clock";

export interface ScheduleKeeperPorts {
  readonly store: Pick<ScheduleStore, "get" | "list" | "replace" | "remove" | "redisNowMs">;
  registry(): RegistryDocument;
}

/** Whose schedule, and who writes it. */
export interface ScheduleOwner {
  readonly tenant: string;
  readonly by: string;
}

/** A schedule that is to be written. */
export interface ScheduleWish {
  readonly name: string;
  readonly request: ScheduleRequest;
  /** Whether it may replace one of this revision; 0: there is none. */
  mayReplace(revision: number): boolean;
}

export type ScheduleWritten = Pick<StoredSchedule, "schedule" | "state">;

export type PutOutcome =
  | (ScheduleWritten & { readonly kind: "created" | "replaced" | "unchanged" })
  | { readonly kind: "changed"; readonly revision: number }
  | { readonly kind: "full" }
  | { readonly kind: "never" }
  | { readonly kind: "unknown" };

export type PauseOutcome =
  | (ScheduleWritten & { readonly kind: "replaced" | "unchanged" })
  | { readonly kind: "missing" }
  | { readonly kind: "unknown" };

/** The leader writes too, about once a second at most. */
const TRIES_MAX = 10;

export class ScheduleKeeper {
  readonly #ports: ScheduleKeeperPorts;
  readonly #checker = new ScheduleChecker();

  constructor(ports: ScheduleKeeperPorts) {
    this.#ports = ports;
  }

  /** @throws {RedisUnavailableError} */
  get(tenant: string, name: string): Promise<StoredSchedule | null> {
    return answered(this.#ports.store.get(tenant, name));
  }

  /** By name, those after `after`. @throws {RedisUnavailableError} */
  list(tenant: string, page: { after: string | null; max: number }): Promise<readonly StoredSchedule[]> {
    return answered(this.#ports.store.list(tenant, page));
  }

  /** Answers whether there was one, `null` when that is not known. @throws {RedisUnavailableError} */
  async remove(tenant: string, name: string): Promise<boolean | null> {
    // A Redis that is away says so here, before anything is written.
    await this.get(tenant, name);
    return this.#ports.store.remove(tenant, name).catch(() => null);
  }

  /**
   * Creates or replaces.
   *
   * @throws what the door says of such a job, see `ScheduleChecker`; {RedisUnavailableError} when nothing was written.
   */
  async put({ tenant, by }: ScheduleOwner, { name, request, mayReplace }: ScheduleWish): Promise<PutOutcome> {
    this.#checker.check(this.#ports.registry(), request);
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const before = await this.get(tenant, name);
      const revision = before?.schedule.revision ?? 0;
      if (!mayReplace(revision)) return { kind: "changed", revision };
      const nowMs = await answered(this.#ports.store.redisNowMs());
      const schedule = asked({ name, request, tenant, by, before: before?.schedule ?? null, nowMs });
      if (before !== null && isSame(before.schedule, schedule)) return { kind: "unchanged", ...before };
      if (timetableOf(schedule).next(nowMs) === null) return { kind: "never" };
      const outcome = await this.#write(schedule, before, nowMs);
      if (outcome !== "again") return outcome;
    }
    return { kind: "unknown" };
  }

  /** @throws {RedisUnavailableError} when nothing was written. */
  async setPaused({ tenant, by }: ScheduleOwner, name: string, paused: boolean): Promise<PauseOutcome> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const before = await this.get(tenant, name);
      if (before === null) return { kind: "missing" };
      if (before.schedule.paused === paused) return { kind: "unchanged", ...before };
      const nowMs = await answered(this.#ports.store.redisNowMs());
      const { revision } = before.schedule;
      const change = { paused, changedAt: toRfc3339(nowMs), changedBy: by, revision: revision + 1 };
      const outcome = await this.#write({ ...before.schedule, ...change }, before, nowMs);
      if (outcome === "again" || outcome.kind === "full") continue;
      return outcome.kind === "unknown" ? outcome : { ...outcome, kind: "replaced" };
    }
    return { kind: "unknown" };
  }

  async #write(
    schedule: Schedule,
    before: StoredSchedule | null,
    nowMs: number,
  ): Promise<
    | (ScheduleWritten & { readonly kind: "created" | "replaced" })
    | { readonly kind: "full" }
    | { readonly kind: "unknown" }
    | "again"
  > {
    const state =
      before === null
        ? beginning(schedule, nowMs)
        : afterChange({ from: before.schedule, to: schedule, state: before.state }, nowMs);
    const written = await this.#ports.store.replace({ schedule, state }, before).catch(() => null);
    switch (written) {
      case "stored":
        return { kind: before === null ? "created" : "replaced", schedule, state };
      case "full":
        return { kind: "full" };
      case "changed":
        return "again";
      case null:
        return { kind: "unknown" };
    }
  }
}

interface Asked {
  readonly name: string;
  readonly request: ScheduleRequest;
  readonly tenant: string;
  readonly by: string;
  readonly before: Schedule | null;
  readonly nowMs: number;
}

function asked({ name, request, tenant, by, before, nowMs }: Asked): Schedule {
  const now = toRfc3339(nowMs);
  return {
    ...request,
    paused: request.paused ?? before?.paused ?? false,
    name,
    tenant,
    createdAt: before?.createdAt ?? now,
    createdBy: before?.createdBy ?? by,
    changedAt: now,
    changedBy: by,
    revision: (before?.revision ?? 0) + 1,
  };
}

/** Whether nothing but the change itself differs. */
function isSame(one: Schedule, other: Schedule): boolean {
  const content = ({ changedAt: _at, changedBy: _by, revision: _revision, ...rest }: Schedule) =>
    JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
  return content(one) === content(other);
}

async function answered<Answer>(reading: Promise<Answer>): Promise<Answer> {
  try {
    return await reading;
  } catch (error) {
    throw new RedisUnavailableError({ cause: error });
  }
}
