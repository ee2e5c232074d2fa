/**
 * `npm run bench:replay`: whether the simulator says what real processes do.
 *
 * Replays slices of load traces, time-compressed, on a real Redis, producer, autoscaler and workers, simulates the very
 * same jobs, and compares. Progress goes to standard error, the result to standard output.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTrace } from "#autoscaler/simulator/trace";
import { type ReplayOptions, readOptions, USAGE } from "./options.ts";
import { type RealRun, runForReal, runSimulated, termsOf } from "./replay.ts";
import { type Comparison, compare, render } from "./report.ts";
import { compressed, loadOf, type Slice, sliceOf } from "./slice.ts";

const EXIT_USAGE = 2;
const SIMULATED_SEEDS = 20;
const OWN_TRACES = fileURLToPath(new URL("../../test/fixtures/traces", import.meta.url));

// Leaving by `exit` is what ends every process of the bench.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  await run();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

async function run(): Promise<void> {
  const options = optionsOrExit();
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  const slices = await slicesIn(options, progress);
  const comparisons: Comparison[] = [];
  for (const slice of slices) {
    const comparison = await compareSlice(slice, options, progress);
    comparisons.push(comparison);
    progress(`${render(comparison)}\n`);
  }
  const { compress, minutes } = options;
  const head = `Slices of ${minutes} minutes, ${compress} times as fast; promise, start delay, tick and hold window too.`;
  await print(
    options.json
      ? JSON.stringify({ compress, minutes, comparisons })
      : [head, ...comparisons.map(render)].join("\n\n"),
  );
}

/** One slice of each trace that has one, the first traces by path first. */
async function slicesIn(options: ReplayOptions, progress: (text: string) => void): Promise<Slice[]> {
  const directory = options.traces ?? OWN_TRACES;
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((it) => it.endsWith(".csv"))
    .sort();
  if (files.length === 0) throw new Error(`--traces: no CSV file below ${directory}`);
  const slices: Slice[] = [];
  for (const file of files) {
    if (slices.length === options.slices) break;
    try {
      const trace = await readTrace(join(directory, file));
      slices.push(sliceOf(trace, { name: basename(file, ".csv"), spanMs: options.minutes * 60_000 }));
    } catch (error) {
      progress(`left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (slices.length === 0) throw new Error(`--traces: no trace below ${directory} could be replayed`);
  return slices;
}

async function compareSlice(
  original: Slice,
  { compress, runs }: ReplayOptions,
  progress: (text: string) => void,
): Promise<Comparison> {
  const slice = compressed(original, compress);
  const terms = termsOf(compress);
  const load = loadOf(slice).toFixed(1);
  const seconds = Math.round(slice.horizonMs / 1_000);
  progress(`${slice.name}: ${slice.arrivalsMs.length} jobs, ${load} slots on average, ${seconds} s a run`);
  const real: RealRun[] = [];
  for (let count = 0; count < runs; count += 1) {
    const done = await runForReal(slice, terms);
    real.push(done);
    const { workerSeconds, missesPercent } = done.measures;
    progress(
      `  run ${count + 1}: ${workerSeconds.toFixed(0)} worker-seconds, ${missesPercent.toFixed(2)} % missed`,
    );
  }
  return compare({
    slice: slice.name,
    source: slice.source,
    real: real.map((it) => it.measures),
    simulated: real.flatMap(({ machine }) =>
      runSimulated(slice, terms, { machine, seeds: Math.ceil(SIMULATED_SEEDS / runs) }),
    ),
    startDelaysMs: real.flatMap(({ machine }) => machine.starts.map(({ delayMs }) => delayMs)),
    betweenJobsMs: real.map(({ machine }) => machine.betweenJobsMs),
    loadAverages: real.map((it) => it.loadAverage),
    sentLateMs: real.map((it) => it.sentLateMs),
  });
}

function optionsOrExit() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    return process.exit(EXIT_USAGE);
  }
}

/** Resolves when it is written, since a pipe takes long texts in pieces. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}
