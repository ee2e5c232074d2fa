/** The command `sluice scale simulate`: name, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { simulateScaling } from "./simulate.ts";
import { POLICIES, type SimulateOptions } from "./simulate-options.ts";

export function addSimulate(scale: Command, ports: ProgramPorts): void {
  scale
    .command("simulate")
    .description(
      "replay a load trace against the pool's scaling, job by job in simulated time, beside other ways to scale",
    )
    .requiredOption(
      "--trace <file...>",
      "CSV of counts by bin or of requests; one for all pools, or one for each",
    )
    .option("--pool <name...>", "pool of SLUICE_CONFIG; without a configuration only a name")
    .option("--promise <duration>", "a job starts within it (default: the pool's)")
    .option("--start-delay <duration>", "mean time until a started worker takes jobs (default 15s)")
    .option("--start-delay-scv <number>", "its squared coefficient of variation (default 0: always the same)")
    .option("--start-failures <percent>", "starts that end without a worker (default 0)")
    .option("--crashes <number>", "workers lost for each hour of one (default 0)")
    .option("--slots <n>", "jobs that one worker runs at once (default: the pool's, else 1)")
    .option("--min <n>", "fewest workers (default: the pool's, else 0)")
    .option("--max <n>", "most workers (default: the pool's, else 1000)")
    .option("--load <slots>", "counts are scaled to so many busy slots, or `as-is` (default 20)")
    .option("--service <duration>", "mean duration where the trace has none (default 30s)")
    .option("--seeds <n>", "runs of each policy (default 10)")
    .option(
      "--late <percent>",
      "late jobs that the promise allows: for baselines that are tuned to it (default 1)",
    )
    .option("--policy <name...>", `what to compare with: ${POLICIES.join(", ")}`)
    .option("--cold", "begin with no worker, not with the fleet that the first minute needs")
    .option("--svg <file>", "write a plot of supply, demand and oldest age")
    .action((options: SimulateOptions, command: Command) =>
      simulateScaling(options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", EXAMPLES);
}

const EXAMPLES = `
Examples:
  $ sluice scale simulate --trace requests.csv --pool shop
  $ sluice scale simulate --trace requests.csv --promise 30s --start-delay 30s --svg day.svg
`;
