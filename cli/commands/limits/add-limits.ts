/** The `sluice limits` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { getLimits, resetLimit, type SetOptions, setLimit } from "./limits.ts";

const PATH_HELP = "which limit, e.g. /queues/shop/depthMax, /throttles/free/limit or /throttles/free";

export function addLimits(program: Command, ports: ProgramPorts): void {
  const limits = program
    .command("limits")
    .description("look at the limits of queues and the throttles of callers, and change them for a while");
  limits
    .command("get")
    .description("show what is in force, and who set what over the configuration, why and until when")
    .action((_options, command: Command) => getLimits(ports.context(command.optsWithGlobals())));
  limits
    .command("set")
    .description("set a limit over what the configuration says; in force everywhere within two seconds")
    .argument("<path>", PATH_HELP)
    .argument("<value>", "the value as JSON; of a whole throttle an object, or null to switch it off")
    .requiredOption("--why <text>", "why, for whoever looks at it later")
    .option("--by <name>", "who sets it (default: user@machine; a key's name comes first)")
    .option("--for <duration>", "how long it holds, e.g. 10m, 2h; until it is reset when left out")
    .option("--expected <revision>", "refuse when the limits are no longer at this revision (exit 4)")
    .action((path: string, value: string, options: SetOptions, command: Command) =>
      setLimit({ path, value }, options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", SET_EXAMPLES);
  limits
    .command("reset")
    .description("drop what was set over a limit: the configuration holds again")
    .argument("<path>", "as it was set")
    .action((path: string, _options, command: Command) =>
      resetLimit(path, ports.context(command.optsWithGlobals())),
    );
}

const SET_EXAMPLES = `
Examples:
  $ sluice limits set /queues/shop/depthMax 500000 --for 2h --why "sale starts at nine"
  $ sluice limits set /throttles/free/limit 10 --why "until the database is back"
  $ sluice limits set /throttles/noisy '{"per":"tenant","value":"acme","algorithm":"token-bucket","limit":5}' \\
      --for 1h --why "acme loops"
  $ sluice limits set /throttles/free null --for 10m --why "load test"
`;
