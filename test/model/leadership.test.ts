/**
 * 20,000 random steps of autoscalers on two machines that are paused at any await, killed, cut off, and lose their lease
 * by force: every rule of leading holds at each of them (`leadership-invariants.ts` lists them by name).
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Dice } from "#test/support/dice";
import { LeadershipWorld, removeWorld } from "./leadership-world.ts";

vi.mock("#autoscaler/fleet/machine", async () => (await import("./leadership-process.ts")).fakeMachine);
vi.mock("node:fs/promises", async () => (await import("./leadership-process.ts")).fakeFiles);

const STEPS = Number(process.env.STEPS ?? 20_000);
const STEPS_A_WORLD = 500;

/** In 20,000 steps, about half of what is usual. */
const SEEN_AT_LEAST = {
  term: 400,
  "round led": 3_000,
  "round refused": 60,
  "started for the leader": 3_000,
  "started without a leader": 20,
  "signalled for the leader": 2_500,
  "left its workers": 20,
  "took its workers with it": 20,
  "job taken": 4_000,
};

test("every rule of leading holds in 20,000 steps", { timeout: 300_000 }, async () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  for (let number = 0; number < STEPS / STEPS_A_WORLD; number += 1) {
    const seed = Number(process.env.SEED ?? 20_261_121) + number;
    const directory = mkdtempSync(join(tmpdir(), "sluice-leadership-"));
    const world = new LeadershipWorld(new Dice(seed), directory, count);
    let step = 0;
    try {
      for (; step < STEPS_A_WORLD; step += 1) await world.step();
      await world.settle();
    } catch (error) {
      throw new Error(`seed ${seed}, step ${step}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    } finally {
      world.end();
      removeWorld(directory);
    }
  }
  // A world in which nothing happens keeps every rule.
  const rare = Object.entries(SEEN_AT_LEAST).filter(
    ([what, times]) => (seen.get(what) ?? 0) * 20_000 < times * STEPS,
  );
  expect(rare).toEqual([]);
});
