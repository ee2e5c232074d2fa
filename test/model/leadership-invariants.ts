/** What must hold at every step of the model, by name. The world tells what it does; the rules are judged here. */
import { ACT_MS } from "#autoscaler/leadership";

/** A lease holds 10 s, and a standby tries every second; then its first round, and the process starts. */
export const BELOW_MS_MAX = 12_000;

export const RULES = {
  oneLeader:
    "at most one process may act as the leader, unless the lease was taken from it by force just now",
  oneTerm: "a term that takes effect on a machine is of one process",
  noOlder: "no command of a lower epoch takes effect on a machine after a higher one",
  noOlderOrder: "no worker obeys an order of a lower epoch after one of a higher",
  diskRises: "epochs on disk only rise",
  redisRises: "epochs in Redis only rise, also when their count was lost",
  inTime: "a leader does nothing when its lease may have ended",
  minimum: `the fleet is not below its minimum for longer than ${BELOW_MS_MAX} ms and a start after the last fault`,
  aloneMinimum:
    "nor are those of a machine that hears no Redis fewer than its minimum of what it was told last",
  maximum: "nobody starts a worker on a machine that has its maximum of those that take jobs",
  busyLives: "nobody kills a worker that has a job",
  settles: "with everything well again, there are as many workers as are wanted, and no more are started",
} as const;

export type Rule = keyof typeof RULES;

export class RuleBroken extends Error {
  readonly rule: Rule;

  constructor(rule: Rule, facts: string) {
    super(`${RULES[rule]} (${rule}): ${facts}`);
    this.rule = rule;
  }
}

/** The first that was broken; code of the model that is under test may swallow what is thrown in it. */
export class Judge {
  broken: RuleBroken | null = null;
  readonly #effects = new Map<string, { epoch: number; readonly by: Map<number, string> }>();
  readonly #disk = new Map<string, number>();
  readonly #obeyed = new Map<string, number>();
  #redisEpoch = 0;
  readonly #belowSinceMs = new Map<string, number>();

  require(rule: Rule, holds: boolean, facts: () => string): void {
    if (!holds) this.broken ??= new RuleBroken(rule, facts());
  }

  /** A command of a leader starts or stops a worker. */
  effect(it: {
    machine: string;
    process: string;
    epoch: number;
    nowMs: number;
    grantedUntilMs: number;
  }): void {
    const { machine, process, epoch, nowMs, grantedUntilMs } = it;
    const seen = this.#effects.get(machine) ?? { epoch: 0, by: new Map<number, string>() };
    this.#effects.set(machine, seen);
    const disk = this.#disk.get(machine) ?? 0;
    const newest = Math.max(seen.epoch, disk);
    this.require("noOlder", epoch >= newest, () => `${epoch} on ${machine} after ${newest}, by ${process}`);
    const by = seen.by.get(epoch) ?? process;
    this.require("oneTerm", by === process, () => `epoch ${epoch} on ${machine} by ${by} and ${process}`);
    this.require("inTime", nowMs < grantedUntilMs, () => `${process}, ${nowMs - grantedUntilMs} ms late`);
    seen.by.set(epoch, process);
    seen.epoch = Math.max(seen.epoch, epoch);
  }

  obeyed(worker: string, epoch: number): void {
    const before = this.#obeyed.get(worker) ?? 0;
    this.require("noOlderOrder", epoch >= before, () => `${worker}: ${epoch} after ${before}`);
    this.#obeyed.set(worker, epoch);
  }

  disk(machine: string, epoch: number): void {
    const before = this.#disk.get(machine) ?? 0;
    this.require("diskRises", epoch >= before, () => `${machine}: ${epoch} after ${before}`);
    this.#disk.set(machine, epoch);
  }

  redis(epoch: number): void {
    this.require("redisRises", epoch >= this.#redisEpoch, () => `${epoch} after ${this.#redisEpoch}`);
    this.#redisEpoch = epoch;
  }

  leaders(acting: readonly string[], sinceForcedMs: number): void {
    this.require("oneLeader", acting.length <= 1 || sinceForcedMs <= ACT_MS, () => acting.join(", "));
  }

  /** @param what the whole fleet, or the workers of one machine. */
  enough(rule: "minimum" | "aloneMinimum", what: string, it: Sighting): void {
    if (!it.isBelow) {
      this.#belowSinceMs.delete(what);
      return;
    }
    const sinceMs = this.#belowSinceMs.get(what) ?? it.nowMs;
    this.#belowSinceMs.set(what, sinceMs);
    const belowMs = it.nowMs - Math.max(sinceMs, it.faultAtMs);
    this.require(rule, belowMs <= BELOW_MS_MAX + it.startMs, () => `${what}: ${belowMs} ms; ${it.facts()}`);
  }
}

interface Sighting {
  readonly isBelow: boolean;
  readonly nowMs: number;
  readonly faultAtMs: number;
  readonly startMs: number;
  facts(): string;
}
