/**
 * `sluice demo rollout`: a release takes a pool over while jobs come in, or fails to, on a platform of this demo's own.
 *
 * It ends by itself, with what the rollout came to and a count of every job.
 */
import { fromRfc3339 } from "#shared/system-clock";
import { usageError } from "../cli-error.ts";
import type { CommandContext } from "../commands/context.ts";
import type { RolloutRecordAnswer, RolloutViewAnswer } from "../commands/rollout/rollout-answer.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";
import { BackgroundLoad } from "./background-load.ts";
import { isClean } from "./decide-ledger.ts";
import { decideMilestones, type Milestones } from "./decide-milestones.ts";
import { ownOptions } from "./find-platform.ts";
import { DEMO_QUEUE } from "./hand-in.ts";
import { type DemoRelease, OwnPlatform, ROLLOUT_POOL } from "./own-platform.ts";
import { RolloutDirector } from "./rollout-director.ts";
import { type ClosedLedger, interrupted, readPace } from "./run-load.ts";
import { showLedger } from "./show-ledger.ts";

export interface RolloutOptions {
  readonly rate: string;
  readonly bad?: boolean;
  readonly slow?: boolean;
  readonly supercritical?: boolean;
}

const OVER_MS = 240_000;
const WARM_UP_MS = 4_000;

/**
 * How long a job takes, and slots enough for that. Run times are known by bucket: of a release that is slow the old one's
 * have to lie well within one, or a busy machine blurs the difference.
 */
const QUICK = { workMs: 40, pool: ROLLOUT_POOL } as const;
export const LONG = { workMs: 350, pool: { ...ROLLOUT_POOL, slotsPerWorker: 20 } } as const;

/** @throws {CliError} */
export async function runRollout(options: RolloutOptions, context: CommandContext): Promise<void> {
  const to = releaseFor(options);
  const { ratePerSecond } = readPace({ rate: options.rate, for: "10m" });
  const { workMs, pool } = options.slow ? LONG : QUICK;
  const platform = await OwnPlatform.start(["demo-v1"], { ...ownOptions(context), pool });
  if (platform === null) return interrupted(context);
  const load = new BackgroundLoad(platform, context);
  try {
    load.begin({ profile: "steady", ratePerSecond, forMs: OVER_MS, workMs, attempts: 3 });
    context.note(`handing ${ratePerSecond} jobs a second to demo-v1`);
    const { stop } = context.stopSignals();
    const ports = { controlUrl: platform.controlUrl, pool: DEMO_QUEUE, clock: context.clock, stop };
    const director = new RolloutDirector({ ...ports, note: (line) => context.note(line) });
    await context.clock.sleep(WARM_UP_MS, stop);
    await platform.addRelease(to);
    const { id } = await director.start(to, "to show it");
    const view = await director.until("its end", isOver, OVER_MS);
    const ledger = await load.close();
    answer({ view, records: await director.records(id), ledger, to }, context);
  } finally {
    await load.end().catch(() => undefined);
    await platform.stop();
  }
}

/** A pause waits for a person, and the demo does not. */
function isOver({ progress, rollout }: RolloutViewAnswer): boolean {
  return progress.isOver || rollout.paused !== null;
}

/** @throws {CliError} */
function releaseFor({ bad, slow, supercritical }: RolloutOptions): DemoRelease {
  const asked: DemoRelease[] = [
    ...(bad ? (["demo-v2-bad"] as const) : []),
    ...(slow ? (["demo-v2-slow"] as const) : []),
    ...(supercritical ? (["demo-v2-supercritical"] as const) : []),
  ];
  if (asked.length > 1) throw usageError("--bad, --slow and --supercritical are three rollouts; name one.");
  return asked[0] ?? "demo-v2";
}

export function milestonesOf(
  { rollout }: Pick<RolloutViewAnswer, "rollout">,
  records: readonly RolloutRecordAnswer[],
  { runs }: Pick<ClosedLedger, "runs">,
): Milestones {
  const told = records.map(({ at, from, to, code }) => ({ atMs: fromRfc3339(at) ?? 0, from, to, code }));
  const { from, to } = rollout;
  return decideMilestones({ from, to, records: told, runs, drainHoldMs: ROLLOUT_POOL.rollout.drainHoldMs });
}

interface Told {
  readonly view: RolloutViewAnswer;
  readonly records: readonly RolloutRecordAnswer[];
  readonly ledger: ClosedLedger;
  readonly to: DemoRelease;
}

function answer({ view, records, ledger, to }: Told, context: CommandContext): void {
  const { rollout, progress } = view;
  const { handedIn, count } = ledger;
  const milestones = milestonesOf(view, records, ledger);
  const asMeant = to === "demo-v2" ? progress.verdict === "finished" : progress.verdict === "rolled-back";
  const clean = isClean(count) && handedIn.unknown === 0;
  const { paint } = context;
  const lines = [
    `${paint.strong("Rollout")} of ${to}: ${asMeant ? paint.good(progress.verdict) : paint.bad(progress.verdict)}`,
    ...(rollout.halt === null
      ? []
      : [neutraliseLine(`  halted by ${rollout.halt.gate}: ${rollout.halt.why}`)]),
    ...milestoneLines(milestones).map((line) => `  ${line}`),
    ...showLedger({ count, handedIn }, paint),
  ];
  context.answer({
    kind: "DemoRollout",
    json: {
      rollout,
      verdict: progress.verdict,
      milestones,
      ledger: { ...count, refused: handedIn.refused, unknown: handedIn.unknown, clean },
    },
    text: `${lines.join("\n")}\n`,
    exitCode: asMeant && clean ? CLI_EXIT.ok : CLI_EXIT.unhealthy,
  });
}

function milestoneLines(milestones: Milestones): readonly string[] {
  const { haltedAfterJob60Ms, jobsBeforeHalt, startsAfterHaltMs } = milestones;
  const { exposure, shareDrainedAfterMs, drainedAfterMs } = milestones;
  return [
    haltedAfterJob60Ms !== null && `halted ${haltedAfterJob60Ms} ms after its 60th job`,
    jobsBeforeHalt !== null && `${jobsBeforeHalt} jobs had ended on it when it was halted`,
    startsAfterHaltMs !== null && `it began its last job ${startsAfterHaltMs} ms after that`,
    exposure !== null && `it was given ${(exposure * 100).toFixed(1)} % of the jobs`,
    shareDrainedAfterMs !== null &&
      `the last step drained ${shareDrainedAfterMs} ms after the old release's last job`,
    drainedAfterMs !== null && `reported drained ${drainedAfterMs} ms (and the hold) after the last job`,
  ].filter((line) => line !== false);
}
