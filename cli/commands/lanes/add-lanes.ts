/** The `sluice lanes` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { getLane, listLanes } from "./list-lanes.ts";
import { type MigrateOptions, migrateLane } from "./migrate-lane.ts";

const LANE_HELP = "name of the lane, e.g. shop.r1";

export function addLanes(program: Command, ports: ProgramPorts): void {
  const lanes = program.command("lanes").description("look at the lanes, and empty old ones");
  lanes
    .command("list")
    .description("show the lanes of every queue: state, jobs, readers, and whether each may retire")
    .action((_options, command: Command) => listLanes(ports.context(command.optsWithGlobals())));
  lanes
    .command("get")
    .description("show one lane and everything that keeps it from retiring")
    .argument("<lane>", LANE_HELP)
    .action((lane: string, _options, command: Command) =>
      getLane(lane, ports.context(command.optsWithGlobals())),
    );
  addMigrate(lanes, ports);
}

function addMigrate(lanes: Command, ports: ProgramPorts): void {
  lanes
    .command("migrate")
    .description(
      "move an older lane's jobs into the lane of the newest build, upcast on the way; may be repeated at any time",
    )
    .argument("<lane>", LANE_HELP)
    .option("--release <id>", "release whose build moves them; the queue's newest live one when left out")
    .option("--app <file>", "module of that build; what SLUICE_CONFIG says of the release when left out")
    .option("--rate <n>", "most jobs moved in a second (default 200)")
    .option(
      "--timeout <duration>",
      "how long to go on, e.g. 30s, 1h (default 10m); exit 7 when jobs are left",
    )
    .action((lane: string, options: MigrateOptions, command: Command) =>
      migrateLane(lane, options, ports.context(command.optsWithGlobals())),
    );
}
