/** The `sluice contracts` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { type CheckOptions, checkContracts } from "./check-contracts.ts";
import { type DiffOptions, diffContracts } from "./diff-contracts.ts";
import { type ExportOptions, exportContracts } from "./export-contracts.ts";
import { type PublishOptions, publishContracts } from "./publish-contracts.ts";

const APP_FLAGS = "--app <file>";
const APP_HELP = "module that exports `app`, as it runs; the one of SLUICE_CONFIG when it has just one";
const CONTRACTS_FLAGS = "--contracts <dir>";
const CONTRACTS_HELP = "directory of the repository's contract documents, `contracts` when left out";

export function addContracts(program: Command, ports: ProgramPorts): void {
  const contracts = program
    .command("contracts")
    .description("keep an app's contracts in version control, and see what a change of them means");
  addCheck(contracts, ports);
  addExport(contracts, ports);
  addDiff(contracts, ports);
  addPublish(contracts, ports);
}

function addCheck(contracts: Command, ports: ProgramPorts): void {
  contracts
    .command("check")
    .description(
      "judge the app's contracts against earlier ones: exit 0 when all may be published, 10 when older readers cannot read a change, 11 when a change cannot be published",
    )
    .requiredOption(
      "--against <place>",
      "the earlier contract documents: a directory, or a git ref that has them; a directory of that name comes first",
    )
    .option(APP_FLAGS, APP_HELP)
    .option(CONTRACTS_FLAGS, `${CONTRACTS_HELP}; for a git ref`)
    .option("--allow-breaking", "exit 0 also when older readers cannot read a change")
    .action((options: CheckOptions, command: Command) =>
      checkContracts(options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", CHECK_EXAMPLES);
}

function addExport(contracts: Command, ports: ProgramPorts): void {
  contracts
    .command("export")
    .description("write the app's contracts as documents; a version that is there already is never changed")
    .option(APP_FLAGS, APP_HELP)
    .option("--out <dir>", CONTRACTS_HELP)
    .option("--check", "write nothing; exit 4 when documents are out of date")
    .action((options: ExportOptions, command: Command) =>
      exportContracts(options, ports.context(command.optsWithGlobals())),
    );
}

function addDiff(contracts: Command, ports: ProgramPorts): void {
  contracts
    .command("diff")
    .description("compare contracts in both directions: exit 0 when each reads the other's data, else 10")
    .argument("<a>", "a directory, a git ref, a document, or a version such as receipt.render@1")
    .argument("<b>", "the same; a version is compared with a version")
    .option(CONTRACTS_FLAGS, `${CONTRACTS_HELP}; for versions and git refs`)
    .action((a: string, b: string, options: DiffOptions, command: Command) =>
      diffContracts(a, b, options, ports.context(command.optsWithGlobals())),
    );
}

function addPublish(contracts: Command, ports: ProgramPorts): void {
  contracts
    .command("publish")
    .description("enter a release in the registry, with what its app reads; starts no worker")
    .requiredOption("--release <id>", "id of the release")
    .option(
      APP_FLAGS,
      "module that exports `app`, as it runs; what SLUICE_CONFIG says of the release when left out",
    )
    .option("--draft", "only show its new versions as drafts")
    .option("--by <name>", "who publishes, as the registry notes it (default: user@machine)")
    .action((options: PublishOptions, command: Command) =>
      publishContracts(options, ports.context(command.optsWithGlobals())),
    );
}

const CHECK_EXAMPLES = `
Examples:
  $ sluice contracts check --app dist/app.js --against origin/main
  $ sluice contracts check --app dist/app.js --against contracts
  $ sluice contracts check --app dist/app.js --against v1.4.0 --allow-breaking --json
`;
