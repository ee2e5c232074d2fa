/**
 * The demo's own platform with a load on it, for tests and benchmarks of rollouts: real processes from dist/, a real
 * Redis, and every claim read from the handlers' ledger, the jobs' states and the rollout's records. `stand-test.ts` is its fixture.
 */
import { join, resolve } from "node:path";
import type { RolloutRecordAnswer, RolloutViewAnswer } from "#cli/commands/rollout/rollout-answer";
import { BackgroundLoad } from "#cli/demo/background-load";
import { decideMilestones, type Milestones } from "#cli/demo/decide-milestones";
import { DEMO_QUEUE } from "#cli/demo/hand-in";
import { type DemoRelease, OwnPlatform, ROLLOUT_POOL } from "#cli/demo/own-platform";
import { RolloutDirector } from "#cli/demo/rollout-director";
import type { ClosedLedger } from "#cli/demo/run-load";
import { painter } from "#cli/terminal/colour";
import { systemClock } from "#shared/system-clock";

const ROOT = resolve(import.meta.dirname, "../..");

export interface StandOptions {
  readonly ratePerSecond?: number;
  readonly workMs?: number;
  /** Of each job, 3 when missing: few, so that a bad release uses some up. */
  readonly attempts?: number;
  readonly pool?: Readonly<Record<string, unknown>>;
  /** Of the pool's rollouts, instead of the demo's. */
  readonly rollout?: Readonly<Record<string, unknown>>;
  note?(line: string): void;
}

export interface EndedRollout {
  readonly view: RolloutViewAnswer;
  /** Oldest first. */
  readonly records: readonly RolloutRecordAnswer[];
}

const LOAD_MS = 600_000;
const WORK_MS = 40;
const WARM_JOBS_S = 4;
const OVER_MS = 150_000;

export class RolloutStand {
  readonly platform: OwnPlatform;
  readonly director: RolloutDirector;
  readonly load: BackgroundLoad;
  readonly #insist: AbortController;
  readonly #ratePerSecond: number;
  readonly #workMs: number;
  readonly #attempts: number;
  readonly #drainHoldMs: number;

  private constructor(platform: OwnPlatform, options: StandOptions, insist: AbortController) {
    const never = new AbortController().signal;
    const note = options.note ?? (() => undefined);
    this.platform = platform;
    this.#insist = insist;
    this.#ratePerSecond = options.ratePerSecond ?? 200;
    this.#attempts = options.attempts ?? 3;
    this.#workMs = options.workMs ?? WORK_MS;
    this.#drainHoldMs = Number(options.rollout?.drainHoldMs ?? ROLLOUT_POOL.rollout.drainHoldMs);
    const signals = { stop: never, insist: insist.signal };
    this.load = new BackgroundLoad(platform, { clock: systemClock, note, stopSignals: () => signals });
    const { controlUrl } = platform;
    this.director = new RolloutDirector({
      controlUrl,
      pool: DEMO_QUEUE,
      clock: systemClock,
      stop: never,
      note,
    });
  }

  /** With demo-v1, and jobs coming in for some seconds. */
  static async start(options: StandOptions = {}): Promise<RolloutStand> {
    const insist = new AbortController();
    const platform = await OwnPlatform.start(["demo-v1"], {
      clock: systemClock,
      env: process.env,
      signals: { stop: new AbortController().signal, insist: insist.signal },
      paint: painter(false),
      workerCommand: [process.execPath, join(ROOT, "dist", "worker", "main.js")],
      note: options.note ?? (() => undefined),
      pool: { ...ROLLOUT_POOL, ...options.pool, rollout: { ...ROLLOUT_POOL.rollout, ...options.rollout } },
    });
    if (platform === null) throw new Error("it was stopped");
    const stand = new RolloutStand(platform, options, insist);
    try {
      await stand.#warmUp();
    } catch (error) {
      await stand.stop();
      throw error;
    }
    return stand;
  }

  /** Publishes a release and starts its rollout; gives the rollout's id. */
  async begin(to: DemoRelease): Promise<string> {
    await this.platform.addRelease(to);
    return this.beginAgain(to);
  }

  /** Starts the rollout of a release that is published. */
  async beginAgain(to: DemoRelease): Promise<string> {
    const { id } = await this.director.start(to, "a test of it");
    return id;
  }

  /** Until nothing is left to do. */
  async untilOver(id: string): Promise<EndedRollout> {
    const view = await this.director.until("its end", ({ progress }) => progress.isOver, OVER_MS);
    return { view, records: await this.director.records(id) };
  }

  milestonesOf({ view, records }: EndedRollout, { runs }: Pick<ClosedLedger, "runs">): Milestones {
    const { from, to, createdAt, updatedAt } = view.rollout;
    const told = records.map((it) => ({ atMs: Date.parse(it.at), from: it.from, to: it.to, code: it.code }));
    // Other rollouts of the same releases do not count.
    const own = runs.filter((it) => it.atMs >= Date.parse(createdAt) && it.atMs <= Date.parse(updatedAt));
    return decideMilestones({ from, to, records: told, runs: own, drainHoldMs: this.#drainHoldMs });
  }

  async stop(): Promise<void> {
    await this.load.end().catch(() => undefined);
    this.#insist.abort();
    await this.platform.stop();
  }

  /** Until the fleet has worked off the first seconds of the load. */
  async #warmUp(): Promise<void> {
    this.load.begin({
      profile: "steady",
      ratePerSecond: this.#ratePerSecond,
      forMs: LOAD_MS,
      workMs: this.#workMs,
      attempts: this.#attempts,
    });
    const enough = this.#ratePerSecond * WARM_JOBS_S;
    const deadlineMs = systemClock.monotonicMs() + 60_000;
    while (this.load.handIn.handedIn.accepted.length < enough) {
      if (systemClock.monotonicMs() > deadlineMs) throw new Error("the load does not get in");
      await systemClock.sleep(100);
    }
  }
}
