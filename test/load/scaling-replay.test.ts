/**
 * The simulator says what real processes do: four minutes of a real trace, five times as fast, on both.
 *
 * The bounds are wider than those of `npm run bench:replay`, which takes longer: a short slice is mostly starting and
 * stopping, and the machine may be busy.
 */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readTrace } from "#autoscaler/simulator/trace";
import { runForReal, runSimulated, termsOf } from "../../bench/replay/replay.ts";
import { bandOf } from "../../bench/replay/report.ts";
import { compressed, sliceOf } from "../../bench/replay/slice.ts";

const TRACE = fileURLToPath(new URL("../fixtures/traces/azure-llm-2023/code.csv", import.meta.url));
const COMPRESS = 5;
const WORKER_SECONDS_OFF_MAX = 0.25;
const MISSES_OFF_MAX = 5;

test("the simulator agrees with real processes on worker-seconds and missed promises, and no job is harmed", async () => {
  const original = sliceOf(await readTrace(TRACE), { name: "code", spanMs: 240_000 });
  const slice = compressed(original, COMPRESS);
  const terms = termsOf(COMPRESS);
  const { measures: real, machine } = await runForReal(slice, terms);
  const simulated = runSimulated(slice, terms, { machine, seeds: 10 });

  expect(real).toMatchObject({
    jobs: slice.arrivalsMs.length,
    lostJobs: 0,
    duplicatedJobs: 0,
    killedRuns: 0,
  });
  const workerSeconds = bandOf(simulated.map((it) => it.workerSeconds)).mean;
  const missesPercent = bandOf(simulated.map((it) => it.missesPercent)).mean;
  process.stdout.write(
    `worker-seconds ${real.workerSeconds.toFixed(1)}, simulated ${workerSeconds.toFixed(1)}; ` +
      `misses ${real.missesPercent.toFixed(2)} %, simulated ${missesPercent.toFixed(2)} %\n`,
  );
  expect(Math.abs(workerSeconds / real.workerSeconds - 1)).toBeLessThan(WORKER_SECONDS_OFF_MAX);
  expect(Math.abs(missesPercent - real.missesPercent)).toBeLessThan(MISSES_OFF_MAX);
});
