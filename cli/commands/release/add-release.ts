/** The `sluice release` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { getRelease, listReleases } from "./releases.ts";

export function addRelease(program: Command, ports: ProgramPorts): void {
  const release = program.command("release").description("look at the releases");
  release
    .command("list")
    .description("show the releases: state, lanes, workers, and whether each may retire")
    .action((_options, command: Command) => listReleases(ports.context(command.optsWithGlobals())));
  release
    .command("get")
    .description("show one release and everything that keeps it from retiring")
    .argument("<id>", "id of the release")
    .action((id: string, _options, command: Command) =>
      getRelease(id, ports.context(command.optsWithGlobals())),
    );
}
