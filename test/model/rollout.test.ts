/**
 * 100,000 random steps of rollouts under dying leaders, missing facts, late and doubled events, people and bad releases:
 * every rule of the airlock holds at each of them (`rollout-invariants.ts` lists them by name).
 */
import { describe, expect, test } from "vitest";
import { decideOrders } from "#autoscaler/rollout/decide-orders";
import { decideTransition } from "#autoscaler/rollout/decide-transition";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import type { ActKind, RolloutEvent } from "#autoscaler/rollout/rollout-observation";
import { rolloutPolicy } from "#shared/rollout/rollout-policy";
import { Dice } from "#test/support/dice";
import { RULES, requireRules } from "./rollout-invariants.ts";
import { RolloutWorld } from "./rollout-world.ts";

const STEPS = 100_000;
const STEPS_A_WORLD = 1_000;

/** Times short enough that a world sees several rollouts. */
const POLICY = {
  ...rolloutPolicy.parse({ pickupPromiseMs: 30_000, failureFloor: 0.05 }),
  soakMs: 20_000,
  emissionSoakMs: 20_000,
  startDeadlineMs: 60_000,
  verifyDeadlineMs: 60_000,
  drainDeadlineMs: 60_000,
  rollbackWindowMs: 120_000,
};

const ACTS: readonly ActKind[] = [
  "pause",
  "resume",
  "resume",
  "retry",
  "promote",
  "promote-full",
  "force",
  "abort",
  "undo",
  "undo",
  "revise",
  "close",
];

/** About half of what the seeds give: a model that sees less of the machine proves less. */
const AT_LEAST = {
  moved: 15_000,
  "refused: stale-revision": 1_500,
  "refused: not-in-this-state": 1_000,
  "state registered": 100,
  "state verifying": 600,
  "state soaking": 700,
  "state current": 300,
  "state draining": 500,
  "state drained": 500,
  "state retired": 250,
  "state halted": 140,
  "state rolling-back": 300,
  "state unknown": 150,
  "code open-step": 1_500,
  "code raise-gate": 200,
  "code extend": 5,
  "code inconclusive": 1,
  "code hand-back": 100,
  "code drain-stuck": 400,
  "code not-quiet": 5,
  "code drainer-gone": 100,
  "act promote": 80,
  "act promote-full": 80,
  "act force": 80,
  "act revise": 100,
  "act undo": 20,
  "leader died before its orders": 2_000,
};

test("every rule of the airlock holds in 100,000 steps", { timeout: 60_000 }, () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  for (let world = 0; world < STEPS / STEPS_A_WORLD; world += 1) {
    const seed = 20_261_121 + world;
    try {
      exploreWorld(new Dice(seed), count);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
  const missing = Object.entries(AT_LEAST).filter(([what, least]) => (seen.get(what) ?? 0) < least);
  expect(missing.map(([what, least]) => `${what}: ${seen.get(what) ?? 0} of ${least}`)).toEqual([]);
});

describe("the rules", () => {
  test.each(Object.keys(RULES))("%s", (name) => {
    expect(RULES[name]).toBeTypeOf("function");
  });
});

function exploreWorld(dice: Dice, count: (what: string) => void): void {
  const world = new RolloutWorld(dice);
  let late: RolloutEvent | null = null;
  for (let step = 0; step < STEPS_A_WORLD; step += 1) {
    world.pass(dice.chance(0.05) ? 60_000 : 5_000);
    const rollout = world.read();
    if (dice.chance(0.06)) world.disturb(rollout);
    if (late !== null && dice.chance(0.5)) {
      // What a leader that was paused, or a doubled message, brings after the document went on.
      apply(late, { world, dice, count });
      late = null;
      continue;
    }
    const event = dice.chance(0.04) ? anAct(world, rollout, dice) : aLook(world, rollout);
    apply(event, { world, dice, count });
    if (dice.chance(0.1)) late = event;
    beginNext(world, dice);
  }
}

function aLook(world: RolloutWorld, rollout: Rollout): RolloutEvent {
  return { kind: "observed", revision: rollout.revision, observation: world.observe(rollout) };
}

function anAct(world: RolloutWorld, rollout: Rollout, dice: Dice): RolloutEvent {
  const kind = dice.pick(ACTS);
  const to = kind === "revise" ? { to: world.newRelease(world.anyQuality()), gates: rollout.gates } : {};
  const end = kind === "force" ? { expiresAtMs: world.nowMs + 5_000 * dice.below(40) } : {};
  const revision = dice.chance(0.1) ? rollout.revision - 1 : rollout.revision;
  const by = dice.chance(0.02) ? "" : "ben";
  return { kind: "act", revision, act: { kind, by, why: "as it was drawn", ...to, ...end } };
}

interface Around {
  readonly world: RolloutWorld;
  readonly dice: Dice;
  readonly count: (what: string) => void;
}

/** Decide, store by compare-and-set, carry out; any leader may die between two of them. */
function apply(event: RolloutEvent, { world, dice, count }: Around): void {
  const before = world.read();
  const decision = decideTransition(before, event, { policy: POLICY, nowMs: world.nowMs });
  if (decision.kind === "refused") {
    count(`refused: ${decision.code}`);
    return;
  }
  if (event.revision !== before.revision) throw new Error("an event of another revision was taken");
  count(decision.kind);
  count(`code ${decision.record.code}`);
  if (event.kind === "act") count(`act ${event.act.kind}`);
  const observation = event.kind === "observed" ? event.observation : null;
  const { rollout: after, orders } = decision;
  const step = { before, after, orders, observation, world, policy: POLICY };
  if (decision.kind === "moved") requireRules(step);
  else requireOrders(step);
  store(step, count);
  requireSameOrders(step);
  if (dice.chance(0.05)) {
    count("leader died before its orders");
    return;
  }
  world.carryOut(orders, after);
  if (dice.chance(0.05)) world.carryOut(orders, after);
}

/** A change is stored once, over the revision it was made of; what is no change is the same document. */
function store({ before, after, world }: Parameters<typeof requireRules>[0], count: Around["count"]): void {
  if (after.revision === before.revision) {
    if (after !== before) throw new Error("a document changed without a revision");
    return;
  }
  if (after.state !== before.state) count(`state ${after.state}`);
  if (!world.write(after, before.revision)) throw new Error("the store refused a fresh revision");
  if (world.write(after, before.revision)) throw new Error("the store took a stale revision");
}

const OF_ORDERS = Object.entries(RULES).filter(([name]) =>
  /takes|worker|gate is raised|retires|halted/.test(name),
);

function requireOrders(step: Parameters<typeof requireRules>[0]): void {
  for (const [name, rule] of OF_ORDERS) {
    const broken = rule(step);
    if (broken !== null) throw new Error(`${name}: ${broken} (${step.after.state})`);
  }
}

/** A leader that reads the stored text orders what the one before it ordered. */
function requireSameOrders({ after, orders, observation, world }: Parameters<typeof requireRules>[0]): void {
  if (observation === null) return;
  const again = decideOrders(world.read(), observation, { policy: POLICY, nowMs: world.nowMs });
  if (JSON.stringify(again) !== JSON.stringify(orders)) throw new Error("a new leader orders something else");
  if (world.read().revision !== after.revision) throw new Error("what was decided is not what is stored");
}

/** When the pool is free, somebody starts the next one from the release that has it. */
function beginNext(world: RolloutWorld, dice: Dice): void {
  const rollout = world.read();
  const { state, direction } = rollout;
  const isOver = state === "retired" || (state === "drained" && direction === "back");
  // A failed release that alone reads what is left waits for a new build: a person revises or starts anew.
  const isStuck = state === "draining" && direction === "back" && world.truth(rollout.to).ownJobs > 0;
  if (isStuck && dice.chance(0.02)) world.truth(rollout.to).ownJobs = 0;
  if (!isOver || !dice.chance(0.3)) return;
  if (world.brokenLane !== null) return;
  world.begin(direction === "forward" ? rollout.to : rollout.from, rollout);
}
