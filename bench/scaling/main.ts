/**
 * `npm run bench:scaling`: Sluice's scaling and the baselines over load traces, job by job in simulated time.
 *
 * Progress goes to standard error, the result to standard output. Losing is no failure: the exit code is 0 unless the
 * input is bad.
 */
import { readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { performance } from "node:perf_hooks";
import { POLICY_NAMES } from "#autoscaler/simulator/contest";
import { readTrace } from "#autoscaler/simulator/trace";
import { type CellResult, type CellTask, REGIMES, standingOf } from "./cells.ts";
import { readOptions, type ScalingOptions, USAGE } from "./options.ts";
import { renderReport } from "./report.ts";
import { runCells } from "./run-cells.ts";
import { ratiosOf, verdictsOf } from "./verdicts.ts";

const EXIT_USAGE = 2;
const PROCESSES_MAX = 2;

process.exitCode = await run();

async function run(): Promise<number> {
  const startedMs = performance.now();
  const tasks = await orComplain(async () => tasksOf(readOptions(process.argv.slice(2))));
  if (tasks === null) return EXIT_USAGE;
  const processes = Math.min(PROCESSES_MAX, availableParallelism());
  const cells = await runCells(tasks, processes, tellProgress);
  const tookMs = Math.round(performance.now() - startedMs);
  const text = readOptions(process.argv.slice(2)).json
    ? JSON.stringify({ tookMs, cells, ratios: ratiosOf(cells), verdicts: verdictsOf(cells, REGIMES) })
    : renderReport(cells, tookMs);
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
  return 0;
}

/** All traces are read here once, so that a bad file is told before the work begins. */
async function tasksOf({ traces, only, seeds }: ScalingOptions): Promise<readonly CellTask[]> {
  const entries = await readdir(traces, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith(".csv"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, trace: relative(traces, file) }))
    .filter(({ trace }) => only === null || trace.includes(only))
    .toSorted((a, b) => (a.trace < b.trace ? -1 : 1));
  if (files.length === 0) {
    throw new Error(
      `There is no CSV file${only === null ? "" : ` with "${only}" in its name`} below ${traces}.`,
    );
  }
  for (const { file } of files) await readTrace(file);
  return REGIMES.flatMap((regime) => files.map((it) => ({ ...it, regime, seeds, policies: POLICY_NAMES })));
}

async function orComplain<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    return null;
  }
}

function tellProgress(cell: CellResult): void {
  const own = standingOf(cell, "sluice")?.metrics;
  const [ratio] = ratiosOf([cell]);
  const price = ratio?.ratio == null ? "no rival" : `${ratio.ratio.toFixed(3)} of the tuned KEDA`;
  process.stderr.write(
    `${cell.trace}, ${cell.regime.name}: ${own?.missesPercent.mean.toFixed(3)} % late, ` +
      `${own?.workerHours.mean.toFixed(1)} h, ${price} (${(cell.tookMs / 1_000).toFixed(0)} s)\n`,
  );
}
