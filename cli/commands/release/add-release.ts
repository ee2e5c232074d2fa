/** The `sluice release` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { type AddReleaseOptions, addNewRelease } from "./add-new-release.ts";
import { getRelease, listReleases } from "./releases.ts";
import { type RetireOptions, retireRelease } from "./retire-release.ts";

export function addRelease(program: Command, ports: ProgramPorts): void {
  const release = program
    .command("release")
    .description("look at the releases, bring builds in, and retire them");
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
  addChanges(release, ports);
}

function addChanges(release: Command, ports: ProgramPorts): void {
  release
    .command("add")
    .description(
      "enter a build in the configuration file and publish what it reads; a running autoscaler can start it",
    )
    .argument("<id>", "id of the release; a build that differs is another release")
    .requiredOption("--app <file>", "the module that exports `app`, built")
    .option(
      "--command <words>",
      "how to start a worker of it, words or a JSON array of them; Sluice's own worker when left out",
    )
    .option(
      "--image <name>",
      "the container image that it is, with --app a path inside it; it is entered, and publishes itself in the stack",
    )
    .option(
      "--config <file>",
      "the configuration file (SLUICE_CONFIG; else that of the `sluice dev` that runs here)",
    )
    .action((id: string, options: AddReleaseOptions, command: Command) =>
      addNewRelease(id, options, ports.context(command.optsWithGlobals())),
    );
  release
    .command("retire")
    .description("retire a release that nothing needs any more; exit 4 names everything that is in the way")
    .argument("<id>", "id of the release")
    .requiredOption("--why <text>", "why, for whoever looks at it later")
    .option("--by <name>", "who asks for it (default: user@machine; a key's name comes first)")
    .action((id: string, options: RetireOptions, command: Command) =>
      retireRelease(id, options, ports.context(command.optsWithGlobals())),
    );
}
