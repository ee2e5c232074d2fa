/** The `sluice demo` commands: names, options and help. */
import { type Command, Option } from "commander";
import { LOAD_PROFILES } from "../../demo/decide-demo-jobs.ts";
import { type LoadOptions, runLoad } from "../../demo/run-load.ts";
import { type RolloutOptions, runRollout } from "../../demo/run-rollout.ts";
import type { ProgramPorts } from "../../program-ports.ts";

export function addDemo(program: Command, ports: ProgramPorts): void {
  const demo = program
    .command("demo")
    .description("see it work: a load or a rollout, and a count of every job");
  demo
    .command("load")
    .description("hand a load in and say what became of every job; starts a platform of its own if none runs")
    .addOption(
      new Option("--profile <name>", "what the load is like").choices([...LOAD_PROFILES]).default("steady"),
    )
    .option("--rate <n>", "jobs a second", "50")
    .option("--for <duration>", "how long jobs are handed in, e.g. 30s, 2m", "20s")
    .option("--ledger <dir>", "where the workers of a platform that runs write (default: .sluice/demo here)")
    .action((options: LoadOptions, command: Command) =>
      runLoad(options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", LOAD_EXAMPLES);
  demo
    .command("rollout")
    .description(
      "let a release take over under load, on a platform of its own, and say what became of every job",
    )
    .option("--bad", "a release that fails three jobs in ten: it is halted and goes back")
    .option("--slow", "a release that takes three times as long: the same")
    .option("--supercritical", "a release whose jobs make more jobs than it finishes: the same")
    .option("--rate <n>", "jobs a second", "100")
    .action((options: RolloutOptions, command: Command) =>
      runRollout(options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", ROLLOUT_EXAMPLES);
}

const LOAD_EXAMPLES = `
Examples:
  $ sluice demo load
  $ sluice demo load --profile spike --rate 100 --for 30s
  $ sluice demo load --profile poison --json
`;

const ROLLOUT_EXAMPLES = `
Examples:
  $ sluice demo rollout
  $ sluice demo rollout --bad
  $ sluice demo rollout --supercritical --json
`;
