/** The command tree: names, options and help, and nothing of what the commands do. */
import { Command, Option } from "commander";
import { usageError } from "./cli-error.ts";
import { addContracts } from "./commands/contracts/add-contracts.ts";
import { addDemo } from "./commands/demo/add-demo.ts";
import { type EnqueueOptions, enqueue } from "./commands/enqueue.ts";
import { exitCodesHelp } from "./commands/exit-codes-help.ts";
import { addFleet } from "./commands/fleet/add-fleet.ts";
import { addGate } from "./commands/gate/add-gate.ts";
import { addJob } from "./commands/job/add-job.ts";
import { addKeys } from "./commands/keys/add-keys.ts";
import { addLanes } from "./commands/lanes/add-lanes.ts";
import { addLimits } from "./commands/limits/add-limits.ts";
import { addRelease } from "./commands/release/add-release.ts";
import { addRollout } from "./commands/rollout/add-rollout.ts";
import { addScale } from "./commands/scale/add-scale.ts";
import { addSchedules } from "./commands/schedules/add-schedules.ts";
import { status } from "./commands/status.ts";
import type { ProgramPorts } from "./program-ports.ts";

export function buildProgram(ports: ProgramPorts): Command {
  const program = new Command("sluice")
    .description(
      "Queue-based load leveling: hand in jobs, look after them and their versions, run it all on this machine.",
    )
    .version(ports.version, "--version", "print the version")
    .option("--json", "one JSON object on standard output, on failure too")
    .option("--no-color", "no colours; NO_COLOR does the same")
    .addOption(new Option("--url <url>", "address of the API (SLUICE_URL; else http://127.0.0.1:7700)"))
    .addOption(
      new Option(
        "--control-url <url>",
        "address of the control API (SLUICE_CONTROL_URL; else http://127.0.0.1:7701)",
      ),
    )
    .helpCommand(false)
    .showSuggestionAfterError()
    .addHelpText("after", EXAMPLES);
  addDev(program, ports);
  addEnqueue(program, ports);
  addJob(program, ports);
  addStatus(program, ports);
  addContracts(program, ports);
  addDemo(program, ports);
  addFleet(program, ports);
  addGate(program, ports);
  addKeys(program, ports);
  addLanes(program, ports);
  addLimits(program, ports);
  addRelease(program, ports);
  addRollout(program, ports);
  addScale(program, ports);
  addSchedules(program, ports);
  addHelp(program, ports);
  return program;
}

const EXAMPLES = `
Examples:
  $ sluice dev
  $ sluice enqueue receipt.render --data @order.json --wait
  $ sluice job get shop~2f6q...
  $ sluice job list --state failed
  $ sluice status
  $ sluice contracts check --against origin/main
  $ sluice gate raise receipt.render --why "v2 is deployed"
  $ sluice rollout start shop --to shop-v2 --why "new tax rules"
  $ sluice help exit-codes
`;

function addDev(program: Command, ports: ProgramPorts): void {
  program
    .command("dev")
    .description("run everything on this machine: Redis, API, autoscaler and workers; ^C stops it")
    .action((_options, command: Command) => ports.dev(command.optsWithGlobals()));
}

function addEnqueue(program: Command, ports: ProgramPorts): void {
  program
    .command("enqueue")
    .description("hand in one job")
    .argument("<type>", "job type, e.g. receipt.render")
    .requiredOption("--data <data>", "the job's data: JSON, @file, or - for standard input")
    .option("--schemaversion <n>", "version of the data's schema; the newest accepted one when left out")
    .option("--id <id>", "id of the job, unique for its source; the same again is the same job")
    .option("--source <uri>", "where the job comes from")
    .option("--subject <text>", "what the job is about")
    .option(
      "--priority <name>",
      "critical, high, normal or low: who is refused first, and run first where the queue has priorities",
    )
    .option("--in <duration>", "not before so long from now, e.g. 10m, at most 24h")
    .option("--dedup-key <key>", "no second job of the type with it while one has not ended")
    .option("--wait", "wait for the job's end; exit 8 when it did not succeed")
    .option("--timeout <duration>", "how long to wait, e.g. 500ms, 30s, 2m (default 30s); exit 7 after it")
    .action((type: string, options: EnqueueOptions, command: Command) =>
      enqueue(type, options, ports.context(command.optsWithGlobals())),
    );
}

function addStatus(program: Command, ports: ProgramPorts): void {
  program
    .command("status")
    .description("show whether all is well: lanes, fleet, last decisions")
    .option("--exit-code", "exit 8 when jobs are late or something is unhealthy")
    .action((options: { exitCode?: boolean }, command: Command) =>
      status(options, ports.context(command.optsWithGlobals())),
    );
}

function addHelp(program: Command, ports: ProgramPorts): void {
  program
    .command("help")
    .description("show help for a command, or for `exit-codes`")
    .argument("[topic...]", "a command, or exit-codes")
    .action((topic: string[]) => {
      if (topic.join(" ") === "exit-codes") {
        ports.answer(exitCodesHelp());
        return;
      }
      commandNamed(program, topic).help();
    });
}

/** @throws {CliError} when there is no such command. */
function commandNamed(program: Command, names: readonly string[]): Command {
  return names.reduce((parent, name) => {
    const found = parent.commands.find((command) => command.name() === name);
    if (found !== undefined) return found;
    throw usageError(`There is no command "${names.join(" ")}".`, "`sluice help` lists them.");
  }, program);
}
