/** The `sluice gate` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { getGates } from "./get-gate.ts";
import { type MoveOptions, moveGate } from "./move-gate.ts";

const TYPE_HELP = "job type, e.g. receipt.render";

export function addGate(program: Command, ports: ProgramPorts): void {
  const gate = program
    .command("gate")
    .description("look at and move the gates: the newest version that jobs may be written as, by type");
  addGet(gate, ports);
  addRaise(gate, ports);
  addLower(gate, ports);
}

function addGet(gate: Command, ports: ProgramPorts): void {
  gate
    .command("get")
    .description(
      "show where the gates are and whether they may rise; of one type also its versions and history",
    )
    .argument("[type]", TYPE_HELP)
    .action((type: string | undefined, _options, command: Command) =>
      getGates(type, ports.context(command.optsWithGlobals())),
    );
}

function addRaise(gate: Command, ports: ProgramPorts): void {
  withMoveOptions(
    gate
      .command("raise")
      .description("let jobs be written as a newer version; refused (exit 4) until enough workers read it")
      .argument("<type>", TYPE_HELP)
      .argument("[version]", "version to raise to; the next one when left out"),
  )
    .option("--force", "raise although too few workers read it, or their load is not known")
    .option("--sunset <date>", "tell writers of the versions below when these stop being accepted")
    .option("--wait", "try again while workers are missing or the load is not measured")
    .option("--timeout <duration>", "how long to wait, e.g. 30s, 10m (default 10m); exit 7 after it")
    .action((type: string, version: string | undefined, options: MoveOptions, command: Command) =>
      moveGate({ direction: "raise", type, version }, options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", RAISE_EXAMPLES);
}

function addLower(gate: Command, ports: ProgramPorts): void {
  withMoveOptions(
    gate
      .command("lower")
      .description("let jobs be written as an older version only: the first step back")
      .argument("<type>", TYPE_HELP)
      .argument("<version>", "version to lower to"),
  ).action((type: string, version: string, options: MoveOptions, command: Command) =>
    moveGate({ direction: "lower", type, version }, options, ports.context(command.optsWithGlobals())),
  );
}

function withMoveOptions(command: Command): Command {
  return command
    .requiredOption("--why <text>", "why, for whoever looks at the gate later")
    .option("--by <name>", "who moves it (default: user@machine)")
    .option(
      "--expected <n>",
      "version that the gate must be at now; where it was seen a moment before when left out",
    );
}

const RAISE_EXAMPLES = `
Examples:
  $ sluice gate raise receipt.render --why "v2 has run in staging since Monday"
  $ sluice gate raise receipt.render 2 --wait --timeout 10m --why "deploy 4711"
  $ sluice gate raise receipt.render 3 --sunset 2027-01-31 --why "v2 writers have a month"
`;
