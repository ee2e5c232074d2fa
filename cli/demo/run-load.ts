/**
 * `sluice demo load`: hands a load in, waits until all of it has ended, and says what became of it.
 *
 * It ends by itself: the load and the wait after it have limits, and what it started goes with it.
 */
import { usageError } from "../cli-error.ts";
import type { CommandContext } from "../commands/context.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { DURATION_RULE, parseDurationMs } from "../parse-duration.ts";
import { askEnds } from "./ask-ends.ts";
import { LOAD_PROFILES, type LoadPlan, type LoadProfile } from "./decide-demo-jobs.ts";
import { decideLedger, isClean, type LedgerCount, type RunLine } from "./decide-ledger.ts";
import { findPlatform } from "./find-platform.ts";
import { type HandedIn, HandIn } from "./hand-in.ts";
import type { DemoPlatform } from "./own-platform.ts";
import { readRunLines } from "./read-run-lines.ts";
import { showLedger } from "./show-ledger.ts";

export interface LoadOptions {
  readonly profile: string;
  readonly rate: string;
  readonly for: string;
  readonly ledger?: string;
}

export const RATE_MAX = 2_000;
export const FOR_MS_MAX = 10 * 60_000;

/** After the last job was handed in. */
const WAIT_MS = 180_000;
const TOLD_EVERY_MS = 2_000;
const WORK_MS = 40;

/** @throws {CliError} */
export async function runLoad(options: LoadOptions, context: CommandContext): Promise<void> {
  const plan = readPlan(options);
  const { stop } = context.stopSignals();
  const platform = await findPlatform(context, options);
  if (platform === null) return interrupted(context);
  try {
    const handIn = new HandIn({ apiUrl: platform.apiUrl, clock: context.clock, stop });
    const sinceMs = context.clock.nowMs();
    const cancelTelling = tellProgress(handIn, plan, context);
    await handIn.run(plan).finally(cancelTelling);
    const ledger = await closeLedger({ handIn, platform, sinceMs, context });
    answer(plan, ledger, context);
  } finally {
    await platform.stop();
  }
}

export interface ClosedLedger {
  readonly handedIn: HandedIn;
  readonly count: LedgerCount;
  readonly runs: readonly RunLine[];
}

/** Waits until everything that was accepted has ended, then counts. @throws {CliError} */
export async function closeLedger({
  handIn,
  platform,
  sinceMs,
  context,
}: {
  readonly handIn: HandIn;
  readonly platform: DemoPlatform;
  readonly sinceMs: number;
  readonly context: Pick<CommandContext, "clock" | "note" | "stopSignals">;
}): Promise<ClosedLedger> {
  const { clock, note } = context;
  const { handedIn } = handIn;
  const asking = { apiUrl: platform.apiUrl, clock, stop: context.stopSignals().stop, timeoutMs: WAIT_MS };
  let toldMs = clock.monotonicMs();
  const onLeft = (left: number) => {
    if (left === 0 || clock.monotonicMs() - toldMs < TOLD_EVERY_MS) return;
    toldMs = clock.monotonicMs();
    note(`waiting for ${left} jobs to end`);
  };
  const ends = await askEnds(
    handedIn.accepted.map((it) => it.id),
    { ...asking, onLeft },
  );
  // What handlers have enqueued shows in what they wrote, and may enqueue more.
  const known = new Set(ends.map((it) => it.id));
  let runs = await readRunLines(platform.ledgerDir, sinceMs);
  const all = [...ends];
  for (let children = childrenIn(runs, known); children.length > 0; children = childrenIn(runs, known)) {
    for (const id of children) known.add(id);
    all.push(...(await askEnds(children, { ...asking, onLeft })));
    runs = await readRunLines(platform.ledgerDir, sinceMs);
  }
  return { handedIn, runs, count: decideLedger({ accepted: handedIn.accepted, runs, ends: all }) };
}

function childrenIn(runs: readonly RunLine[], known: ReadonlySet<string>): readonly string[] {
  const ids = runs.flatMap(({ childId }) => (childId === undefined || known.has(childId) ? [] : [childId]));
  return [...new Set(ids)];
}

/** Says now and then how far the load is; the returned function ends that. */
export function tellProgress(handIn: HandIn, plan: LoadPlan, { clock, note }: CommandContext): () => void {
  const startedMs = clock.monotonicMs();
  let cancel = () => {};
  const tell = () => {
    const { accepted, refused } = handIn.handedIn;
    const refusals = Object.values(refused).reduce((sum, it) => sum + it, 0);
    const seconds = Math.round((clock.monotonicMs() - startedMs) / 1_000);
    const more = refusals === 0 ? "" : `, ${refusals} refused`;
    note(`${seconds} of ${Math.round(plan.forMs / 1_000)} s: ${accepted.length} jobs accepted${more}`);
    cancel = clock.after(TOLD_EVERY_MS, tell);
  };
  cancel = clock.after(TOLD_EVERY_MS, tell);
  return () => cancel();
}

function answer(plan: LoadPlan, ledger: ClosedLedger, context: CommandContext): void {
  const { handedIn, count } = ledger;
  const { refused, unknown, latestMs } = handedIn;
  const clean = isClean(count) && unknown === 0;
  context.answer({
    kind: "DemoLoad",
    json: { plan, ledger: { ...count, refused, unknown, clean }, handedInLateMsMax: Math.round(latestMs) },
    text: `${showLedger({ count, handedIn }, context.paint).join("\n")}\n`,
    exitCode: clean ? CLI_EXIT.ok : CLI_EXIT.unhealthy,
  });
}

export function interrupted(context: CommandContext): void {
  context.answer({
    kind: "Interrupted",
    json: {},
    text: "stopped before anything ran\n",
    exitCode: CLI_EXIT.interrupted,
  });
}

/** @throws {CliError} */
function readPlan({ profile, rate, for: lasting }: LoadOptions): LoadPlan {
  const known = LOAD_PROFILES.find((it) => it === profile);
  if (known === undefined) throw usageError(`--profile must be one of ${LOAD_PROFILES.join(", ")}.`);
  return { profile: known satisfies LoadProfile, ...readPace({ rate, for: lasting }), workMs: WORK_MS };
}

/** @throws {CliError} */
export function readPace({ rate, for: lasting }: { readonly rate: string; readonly for: string }) {
  const ratePerSecond = /^\d{1,5}$/.test(rate) ? Number(rate) : 0;
  if (ratePerSecond < 1 || ratePerSecond > RATE_MAX) {
    throw usageError(`--rate must be a whole number of jobs a second, 1 to ${RATE_MAX}.`);
  }
  const forMs = parseDurationMs(lasting);
  if (forMs === null) throw usageError(`--for ${DURATION_RULE}.`);
  if (forMs < 1_000 || forMs > FOR_MS_MAX) throw usageError("--for must be 1s to 10m.");
  return { ratePerSecond, forMs };
}
