/** `sluice scale explain | history`: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { type ExplainOptions, explain, type HistoryOptions, history } from "./explain.ts";

const AT: [string, string] = ["--at <time>", "at that time: 03:12 (UTC), 2026-01-31T03:12:00Z, or 15m ago"];

export function addExplain(scale: Command, ports: ProgramPorts): void {
  scale
    .command("explain")
    .description("why there are so many workers: terms, limits, holds, and what would change the number")
    .argument("[pool]", "which pool; the only one when left out")
    .option(...AT)
    .action((pool: string | undefined, options: ExplainOptions, command: Command) =>
      explain(pool, options, ports.context(command.optsWithGlobals())),
    );
  scale
    .command("history")
    .description("the last decisions, newest first")
    .argument("[pool]", "which pool; all of them when left out")
    .option(...AT)
    .option("--limit <n>", "how many, 1 to 500 (default: 20)")
    .action((pool: string | undefined, options: HistoryOptions, command: Command) =>
      history(pool, options, ports.context(command.optsWithGlobals())),
    );
}
