/** Takeovers one after the other as a show: what they came to, measured from outside. */
import type { Milestones } from "#cli/demo/decide-milestones";
import type { ClosedLedger } from "#cli/demo/run-load";
import type { EndedRollout, RolloutStand } from "./rollout-stand.ts";

export interface TakeoverShow {
  /** v1 -> v2, v2 -> v3 and back, v2 -> v3. */
  readonly verdicts: readonly string[];
  readonly milestones: readonly Milestones[];
  readonly ledger: ClosedLedger;
}

/** Jobs written as the newest version that have been done before the rollback is asked for. */
const NEWEST_JOBS = 200;
const BACK_MS = 120_000;

/** v1 -> v2 -> v3, back to v2 when jobs are written as version 3 already, and v3 again. */
export async function showTakeovers(stand: RolloutStand): Promise<TakeoverShow> {
  const ended: EndedRollout[] = [];
  ended.push(await stand.untilOver(await stand.begin("demo-v2")));
  const there = await stand.begin("demo-v3");
  const before = await stand.director.until("current", ({ rollout }) => rollout.state === "current", BACK_MS);
  if (before.rollout.gates.length === 0) throw new Error("the rollout of v3 raises no gate");
  const accepted = stand.load.handIn.handedIn.accepted.length;
  await stand.director.until(
    "jobs of the newest version",
    () => stand.load.handIn.handedIn.accepted.length >= accepted + NEWEST_JOBS,
    BACK_MS,
  );
  await stand.director.act("undo", { why: "the show goes back here" });
  ended.push(await stand.untilOver(there));
  ended.push(await stand.untilOver(await stand.beginAgain("demo-v3")));
  const ledger = await stand.load.close();
  return {
    verdicts: ended.map(({ view }) => view.progress.verdict),
    milestones: ended.map((it) => stand.milestonesOf(it, ledger)),
    ledger,
  };
}
