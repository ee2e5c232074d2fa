/**
 * A pool under rollouts, as a model: what is true of its workers and jobs, the stored document, and what may go wrong.
 *
 * The document is kept as text and read anew for every look, so a new leader is what every look is. Orders reach the fleet
 * after the write: late, twice, or not at all when the leader dies in between. Looks may miss facts and never lie.
 */

import type { Order } from "#autoscaler/rollout/decide-orders";
import { decidePreflight, NO_TALLY } from "#autoscaler/rollout/decide-preflight";
import { type Rollout, rolloutDocument, type Tally } from "#autoscaler/rollout/rollout-document";
import type { ReleaseView, RolloutObservation } from "#autoscaler/rollout/rollout-observation";
import type { Dice } from "#test/support/dice";

export type Quality = "good" | "failing" | "slow" | "unreadable";

/** What is true of a release in the pool. */
export interface ReleaseTruth {
  readonly quality: Quality;
  taking: number;
  target: number;
  warm: number;
  leavingInFlight: number;
  unheard: number;
  ownJobs: number;
  isStuck: boolean;
  retired: boolean;
  ownOnly: boolean;
  tally: Tally;
}

const TYPE = "mail.send";

export class RolloutWorld {
  nowMs = 1_000_000;
  wanted = 20;
  /** `null`: every lane keeps its reader. */
  brokenLane: string | null = null;
  activeVersion = 1;
  probe: RolloutObservation["probe"] = null;
  readonly releases = new Map<string, ReleaseTruth>();
  readonly #dice: Dice;
  #stored = "";
  #parsed: { readonly text: string; readonly rollout: Rollout } | null = null;
  #named = 0;
  #darkUntilMs = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.begin(this.newRelease("good"), null);
  }

  /** As a leader reads it. */
  read(): Rollout {
    // Parsed once a text: it is read far more often than it changes.
    if (this.#parsed?.text !== this.#stored) {
      this.#parsed = { text: this.#stored, rollout: rolloutDocument.parse(JSON.parse(this.#stored)) };
    }
    return this.#parsed.rollout;
  }

  /** Compare and set, as the store does it. */
  write(rollout: Rollout, overRevision: number): boolean {
    if (this.#stored !== "" && this.read().revision !== overRevision) return false;
    this.#stored = JSON.stringify(rollout);
    return true;
  }

  newRelease(quality: Quality): string {
    this.#named += 1;
    const name = `mail-${this.#named}`;
    this.releases.set(name, {
      quality,
      taking: 0,
      target: 0,
      warm: 0,
      leavingInFlight: 0,
      unheard: 0,
      ownJobs: 0,
      isStuck: false,
      retired: false,
      ownOnly: false,
      tally: NO_TALLY,
    });
    return name;
  }

  anyQuality(): Quality {
    const dice = this.#dice;
    return dice.chance(0.6) ? "good" : dice.pick(["failing", "slow", "unreadable"] as const);
  }

  /** Starts a rollout from the release that has the pool to a new one. */
  begin(from: string, latest: Rollout | null): void {
    const to = this.newRelease(this.anyQuality());
    const before = this.activeVersion;
    const decision = decidePreflight(
      {
        id: `mail-${this.#named}`,
        pool: "mail",
        from,
        to,
        by: "ben",
        why: "a new build",
        gates: this.#dice.chance(0.7) ? [{ type: TYPE, before, wanted: before + 1 }] : [],
      },
      {
        nowMs: this.nowMs,
        contract: { lanesWithoutReader: [], readGroupsUp: 1 },
        fromState: "live",
        toState: "live",
        liveReleases: [from, to],
        latest,
      },
    );
    if (decision.kind !== "ready") throw new Error(decision.blockers.map(({ what }) => what).join("; "));
    this.truth(from).target = this.wanted;
    this.truth(from).taking = this.wanted;
    this.probe = null;
    this.#stored = JSON.stringify(decision.rollout);
  }

  truth(release: string): ReleaseTruth {
    const truth = this.releases.get(release);
    if (truth === undefined) throw new Error(`${release} was never made`);
    return truth;
  }

  /** What a look sees: the truth, with what it could not get left out. */
  observe(rollout: Rollout): RolloutObservation {
    const dice = this.#dice;
    if (dice.chance(0.01)) this.#darkUntilMs = this.nowMs + 5_000 * dice.below(12);
    const blackout = this.nowMs < this.#darkUntilMs || dice.chance(0.02);
    const hidden = dice.chance(0.1) ? dice.below(7) : -1;
    const unless = <Value>(index: number, value: Value): Value | null =>
      blackout || hidden === index ? null : value;
    const hiding = (index: number) => (blackout ? 1 : hidden === index ? 0.6 : 0);
    return {
      atMs: this.nowMs,
      workersWanted: unless(0, this.wanted),
      from: this.#view(rollout.from, hiding(1)),
      to: this.#view(rollout.to, hiding(2)),
      drainers: Object.fromEntries(
        rollout.drainers.map(({ release }) => [release, this.#view(release, hiding(3))]),
      ),
      contract: unless(4, {
        lanesWithoutReader: this.brokenLane === null ? [] : [this.brokenLane],
        readGroupsUp: 1,
      }),
      probe: unless(5, this.probe),
      activeVersions: unless(6, { [TYPE]: this.activeVersion }),
      components: [],
      retired: unless(0, this.truth(rollout.direction === "forward" ? rollout.from : rollout.to).retired),
    };
  }

  /** Each field is hidden with this chance. */
  #view(release: string, hiding: number): ReleaseView {
    const it = this.truth(release);
    const or = (value: number): number | null => (this.#dice.chance(hiding) ? null : value);
    return {
      taking: or(it.taking),
      workers: or(it.taking + it.warm + (it.leavingInFlight > 0 ? 1 : 0)),
      inFlight: or(it.taking + it.leavingInFlight),
      leavingInFlight: or(it.leavingInFlight),
      unheard: or(it.unheard),
      onlyItReads: or(it.ownJobs),
      tally: this.#dice.chance(hiding) ? null : it.tally,
      failuresInRow: it.quality === "failing" ? 3 : 0,
      byWorker: [],
    };
  }

  carryOut(orders: readonly Order[], rollout: Rollout): void {
    for (const order of orders) this.#carryOut(order, rollout);
  }

  #carryOut(order: Order, rollout: Rollout): void {
    const dice = this.#dice;
    switch (order.kind) {
      case "share":
        this.#share(order);
        break;
      case "start-probe":
        this.#startProbe(order.attempt, rollout);
        break;
      case "set-gate":
        if (dice.chance(0.7)) this.activeVersion = order.version;
        break;
      case "hand-back":
        if (dice.chance(0.7))
          Object.assign(this.truth(order.release), { leavingInFlight: 0, isStuck: false });
        break;
      case "retire":
        if (dice.chance(0.6)) this.truth(order.release).retired = true;
        break;
      case "pause-lanes":
      case "requeue-exhausted":
      case "quarantine":
        break;
    }
  }

  #startProbe(attempt: number, rollout: Rollout): void {
    const dice = this.#dice;
    if (this.probe?.attempt === attempt && this.probe.outcome !== "pending") return;
    const failed = this.truth(rollout.to).quality === "unreadable" && dice.chance(0.5);
    const ended = failed ? "failed" : "succeeded";
    this.probe = { attempt, outcome: dice.chance(0.3) ? "pending" : ended, detail: "as it was drawn" };
  }

  #share({ release, workers, takes }: Extract<Order, { kind: "share" }>): void {
    const it = this.truth(release);
    const target = takes === "all" || takes === "own-lanes" ? workers : 0;
    it.ownOnly = takes === "own-lanes";
    it.warm = takes === "nothing" ? workers : 0;
    it.target = target;
    if (target >= it.taking) return;
    it.leavingInFlight += this.#dice.below(it.taking - target + 1);
    it.isStuck = it.leavingInFlight > 0 && this.#dice.chance(0.05);
    it.taking = target;
  }

  /** Time passes: workers start, jobs end, some run, some things break. */
  pass(ms: number): void {
    const dice = this.#dice;
    this.nowMs += ms;
    for (const it of this.releases.values()) {
      if (dice.chance(0.8)) it.taking = Math.max(it.taking, Math.min(it.target, it.taking + 10));
      if (!it.isStuck) it.leavingInFlight = Math.floor(it.leavingInFlight * dice.next());
      if (dice.chance(0.4)) it.unheard = Math.max(it.unheard - 1, 0);
      if (it.taking > 0) this.#run(it);
    }
  }

  #run(it: ReleaseTruth): void {
    it.ownJobs = Math.max(it.ownJobs - 4, 0);
    if (it.ownOnly) return;
    const jobs = 20 * it.taking;
    const failed = it.quality === "failing" ? Math.round(jobs / 2) : this.#dice.chance(0.2) ? 1 : 0;
    const bucket = it.quality === "slow" ? 9 : 3;
    const { tally } = it;
    it.tally = {
      ...tally,
      finished: tally.finished + jobs,
      failed: tally.failed + failed,
      mismatches: tally.mismatches + (it.quality === "unreadable" && this.#dice.chance(0.3) ? 1 : 0),
      completed: tally.completed + jobs - failed,
      run: tally.run.map((count, index) => count + (index === bucket ? jobs : 0)),
      pickup: tally.pickup.map((count, index) => count + (index === 0 ? jobs : 0)),
    };
  }

  /** Something that nobody asked for. */
  disturb(rollout: Rollout): void {
    const dice = this.#dice;
    const it = this.truth(dice.pick([rollout.from, rollout.to]));
    dice.pick([
      () => {
        this.wanted = dice.below(41);
      },
      () => {
        it.unheard += Math.min(it.taking, 1);
      },
      () => {
        this.brokenLane = this.brokenLane === null && dice.chance(0.3) ? "mail.r1" : null;
      },
      () => {
        this.truth(rollout.to).ownJobs += this.activeVersion > 1 ? dice.below(10) : 0;
      },
      () => {
        it.tally = dice.chance(0.2) ? NO_TALLY : it.tally;
      },
      // A lost worker's job comes up again on somebody who leaves.
      () => {
        it.leavingInFlight += dice.chance(0.3) && !it.retired ? 1 : 0;
      },
    ])();
  }
}
