/**
 * The autoscaler's task `simulate`: how the pools of a configuration would have met a load trace, beside other ways to
 * scale. JSON comes in on standard input and goes out on standard output, nothing else does; Redis is not needed.
 */
import { basename } from "node:path";
import { z } from "zod";
import { ConfigInvalidError, SluiceError } from "#shared/errors";
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { readTaskInput } from "#shared/read-task-input";
import { type PoolConfig, readSluiceConfig } from "#shared/sluice-config";
import { Arena, type ArenaTerms } from "./simulator/arena.ts";
import { holdContest, POLICY_NAMES } from "./simulator/contest.ts";
import { plotOf } from "./simulator/plot.ts";
import { sluicePolicy, sluicePolicyWith } from "./simulator/sluice-policy.ts";
import { intervalsOf } from "./simulator/summary.ts";
import { readTrace } from "./simulator/trace.ts";
import type { Trace } from "./simulator/trace-model.ts";
import { WORKLOAD_DEFAULTS } from "./simulator/workload.ts";

/** The parts of the process that the task uses. */
export interface SimulateProcess {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: Pick<NodeJS.WriteStream, "write">;
  readonly stderr: Pick<NodeJS.WriteStream, "write">;
}

const share = z.number().min(0).max(1);
const durationMs = z.number().min(0).max(86_400_000);

const simulationInput = z.strictObject({
  /** Absolute path of the configuration with the pool; `null`: the promise is given. */
  configPath: z.string().nullable(),
  pools: z.array(z.strictObject({ pool: z.string(), trace: z.string() })).min(1),
  pickupPromiseMs: durationMs.positive().nullable(),
  slotsPerWorker: z.int().min(1).max(1_000).nullable(),
  workersMin: z.int().min(0).max(1_000).nullable(),
  workersMax: z.int().min(1).max(1_000).nullable(),
  startDelayMs: durationMs,
  startDelayScv: z.number().min(0).max(100),
  startFailureShare: share,
  crashesPerWorkerHour: z.number().min(0).max(3_600),
  /** Traces of counts: slots kept busy on average; `null`: the counts as they are. */
  loadSlots: z.number().positive().max(100_000).nullable(),
  serviceMeanMs: durationMs.positive(),
  seeds: z.int().min(1).max(1_000),
  policies: z.array(z.enum(POLICY_NAMES)).min(1),
  missesPercentMax: z.number().min(0).max(100),
  cold: z.boolean(),
  /** Draw the first seed's run of Sluice. */
  plot: z.boolean(),
});

type SimulationInput = z.output<typeof simulationInput>;

const INPUT_BYTES_MAX = 1024 * 1024;

/** @returns the exit code. A failure is one line of JSON on standard error: `{ code, message, problems }`. */
export async function printSimulation({ stdin, stdout, stderr }: SimulateProcess): Promise<number> {
  try {
    const input = await readTaskInput(stdin, {
      name: "The input",
      schema: simulationInput,
      bytesMax: INPUT_BYTES_MAX,
    });
    const pools = [];
    for (const it of input.pools) pools.push(await simulatePool(it, input));
    await written(stdout, `${JSON.stringify({ pools })}\n`);
    return EXIT.ok;
  } catch (error) {
    await written(stderr, `${JSON.stringify(failureOf(error))}\n`);
    return exitCodeFor(error);
  }
}

async function simulatePool({ pool, trace: file }: SimulationInput["pools"][number], input: SimulationInput) {
  const known = input.configPath === null ? null : await poolIn(input.configPath, pool);
  const trace = await readTrace(file);
  const terms = arenaTerms(trace, known, input);
  const { policies, missesPercentMax } = input;
  const { contestants, ...facts } = holdContest({ ...terms, policies, missesPercentMax });
  return {
    pool,
    trace: basename(file),
    kind: trace.kind,
    pickupPromiseMs: terms.pickupPromiseMs,
    fleet: terms.fleet,
    ...facts,
    policies: contestants.map(({ name, policy, runs }) => ({ name, policy, metrics: intervalsOf(runs) })),
    svg: input.plot ? plotted(terms, { pool, trace: basename(file) }) : null,
  };
}

interface KnownPool {
  readonly pickupPromiseMs: number;
  readonly policy: PoolConfig;
}

/** @throws {ConfigInvalidError} when the configuration cannot be read or has no such pool. */
async function poolIn(path: string, pool: string): Promise<KnownPool> {
  const { queues, pools } = await readSluiceConfig(path);
  const [queue, policy] = [queues[pool], pools[pool]];
  if (queue !== undefined && policy !== undefined) {
    return { pickupPromiseMs: queue.pickupPromiseMs, policy };
  }
  const names = Object.keys(pools).join(", ");
  throw new ConfigInvalidError(`The configuration ${path}`, [`it has no pool ${pool}; it has ${names}`]);
}

/** What is given on the command line goes before the configuration. */
function arenaTerms(trace: Trace, known: KnownPool | null, input: SimulationInput) {
  const pickupPromiseMs = input.pickupPromiseMs ?? known?.pickupPromiseMs;
  if (pickupPromiseMs === undefined) {
    throw new ConfigInvalidError("The simulation", [
      "pickupPromiseMs: give it, or a configuration with the pool",
    ]);
  }
  const { startDelayMs, startDelayScv, startFailureShare, crashesPerWorkerHour, seeds, cold } = input;
  const workersMax = input.workersMax ?? known?.policy.workersMax ?? 1_000;
  const workersMin = input.workersMin ?? known?.policy.workersMin ?? 0;
  if (workersMin > workersMax) {
    throw new ConfigInvalidError("The simulation", ["workersMin must not be above workersMax"]);
  }
  return {
    trace,
    seeds,
    cold,
    pickupPromiseMs,
    sluice: known === null ? sluicePolicy : sluicePolicyWith(known.policy),
    workload: {
      serviceMeanMs: input.serviceMeanMs,
      serviceScv: WORKLOAD_DEFAULTS.serviceScv,
      loadSlots: input.loadSlots,
    },
    fleet: {
      slotsPerWorker: input.slotsPerWorker ?? known?.policy.slotsPerWorker ?? 1,
      workersMin,
      workersMax,
      startDelayMs,
      startDelayScv,
      startFailureShare,
      crashesPerWorkerHour,
    },
  } satisfies ArenaTerms;
}

function plotted(terms: ArenaTerms, title: { readonly pool: string; readonly trace: string }): string | null {
  const arena = new Arena({ ...terms, seeds: 1 });
  const [round] = arena.rounds;
  return round === undefined
    ? null
    : plotOf(
        arena.run(round, () => arena.sluice),
        round.demand,
        title,
      );
}

function failureOf(error: unknown): object {
  const problems = error instanceof ConfigInvalidError ? error.problems : [];
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof SluiceError ? error.code : null, message, problems };
}

function written(stream: Pick<NodeJS.WriteStream, "write">, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
