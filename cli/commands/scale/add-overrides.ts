/** `sluice scale show | freeze | thaw | bounds | reset`: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import {
  type BoundsOptions,
  boundPool,
  type DropOptions,
  type FreezeOptions,
  freezePool,
  resetPool,
  showScaling,
  thawPool,
} from "./overrides.ts";

const WHY: [string, string] = ["--why <text>", "why, for whoever looks at it later"];
const BY: [string, string] = ["--by <name>", "who sets it (default: user@machine; a key's name comes first)"];
const FOR: [string, string] = [
  "--for <duration>",
  "how long it holds, e.g. 30m, 4h, 2d; at most 7d (default: 1h)",
];
const EXPECTED: [string, string] = [
  "--expected <revision>",
  "refuse when somebody has changed an override since this revision (exit 4)",
];

export function addOverrides(scale: Command, ports: ProgramPorts): void {
  const context = (command: Command) => ports.context(command.optsWithGlobals());
  scale
    .command("show")
    .description("show the bounds that hold, and what is frozen: who, why and until when")
    .action((_options, command: Command) => showScaling(context(command)));
  scale
    .command("freeze")
    .description("hold the number of workers: nobody is started or drained, a worker that dies is replaced")
    .argument("[pool]", "which pool")
    .option("--all", "all pools")
    .option("--hard", "do not even replace a worker that dies")
    .requiredOption(...WHY)
    .option(...FOR)
    .option(...BY)
    .option(...EXPECTED)
    .action((pool: string | undefined, options: FreezeOptions, command: Command) =>
      freezePool(pool, options, context(command)),
    );
  scale
    .command("thaw")
    .description("end a freeze")
    .argument("[pool]", "as it was frozen")
    .option("--all", "the freeze of all pools")
    .option(...EXPECTED)
    .action((pool: string | undefined, options: DropOptions, command: Command) =>
      thawPool(pool, options, context(command)),
    );
  scale
    .command("bounds")
    .description("set other bounds of a pool than the configuration's, for a while")
    .argument("<pool>", "which pool")
    .option("--min <workers>", "never fewer; the configuration's when left out")
    .option("--max <workers>", "never more; the configuration's when left out")
    .option("--beyond-config", "let --max be above the configuration's")
    .requiredOption(...WHY)
    .option(...FOR)
    .option(...BY)
    .option(...EXPECTED)
    .action((pool: string, options: BoundsOptions, command: Command) =>
      boundPool(pool, options, context(command)),
    );
  scale
    .command("reset")
    .description("let the configuration's bounds hold again")
    .argument("<pool>", "which pool")
    .option(...EXPECTED)
    .action((pool: string, options: DropOptions, command: Command) =>
      resetPool(pool, options, context(command)),
    );
}
