/** The `sluice rollout` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import {
  type ActName,
  type ActOptions,
  actOnRollout,
  type LintOptions,
  lintRollout,
  type StartOptions,
  startRollout,
} from "./change-rollout.ts";
import { type GetOptions, getRollout } from "./get-rollout.ts";
import { type HistoryOptions, rolloutHistory } from "./rollout-history.ts";
import { rolloutStatus, type StatusOptions } from "./rollout-status.ts";

const POOL_HELP = "the pool that is taken over: the queue's name";

export function addRollout(program: Command, ports: ProgramPorts): void {
  const rollout = program
    .command("rollout")
    .description("let a new release take a pool over in steps, watch it, and hold it or take it back");
  addStarting(rollout, ports);
  addShowing(rollout, ports);
  addActs(rollout, ports);
}

function addStarting(rollout: Command, ports: ProgramPorts): void {
  withWhy(
    rollout
      .command("start")
      .description(
        "begin: the new release gets a probe job, then a growing share; exit 4 names what is in the way",
      )
      .argument("<pool>", POOL_HELP)
      .requiredOption("--to <release>", "the release that is to have the pool")
      .option("--from <release>", "the release that has it; worked out when left out"),
  )
    .option("--bypass-channel <duration>", "enter a channel that is shut, for so long, e.g. 1h, at most 24h")
    .action((pool: string, options: StartOptions, command: Command) =>
      startRollout(pool, options, ports.context(command.optsWithGlobals())),
    )
    .addHelpText("after", START_EXAMPLES);
  rollout
    .command("lint")
    .description(
      "ask what would keep a rollout from beginning, and begin nothing; exit 4 when something would",
    )
    .argument("<pool>", POOL_HELP)
    .requiredOption("--to <release>", "the release that is to have the pool")
    .option("--from <release>", "the release that has it; worked out when left out")
    .action((pool: string, options: LintOptions, command: Command) =>
      lintRollout(pool, options, ports.context(command.optsWithGlobals())),
    );
}

function addShowing(rollout: Command, ports: ProgramPorts): void {
  rollout
    .command("get")
    .description("show how far a rollout is: steps, workers, gates with their numbers, suspects")
    .argument("[pool]", "which pool's; a line for each pool when left out")
    .option(
      "-w, --watch",
      "go on showing it until it is over: over itself in a terminal, else a line a change",
    )
    .action((pool: string | undefined, options: GetOptions, command: Command) =>
      getRollout(pool, options, ports.context(command.optsWithGlobals())),
    );
  rollout
    .command("status")
    .description(
      "wait until a rollout has come off (exit 0), is halted or goes back (exit 8), or time is over (exit 7); prints changes only",
    )
    .argument("<pool>", POOL_HELP)
    .option("--timeout <duration>", "how long to wait, e.g. 90s, 30m, 4h (default 1h)")
    .action((pool: string, options: StatusOptions, command: Command) =>
      rolloutStatus(pool, options, ports.context(command.optsWithGlobals())),
    );
  rollout
    .command("history")
    .description("show a pool's earlier rollouts, and every transition and hold with its reason")
    .argument("<pool>", POOL_HELP)
    .option("--limit <n>", "how many records, at most 500 (default 50)")
    .action((pool: string, options: HistoryOptions, command: Command) =>
      rolloutHistory(pool, options, ports.context(command.optsWithGlobals())),
    );
}

function addActs(rollout: Command, ports: ProgramPorts): void {
  const add = (act: ActName, description: string) =>
    withWhy(rollout.command(act).description(description).argument("<pool>", POOL_HELP))
      .option("--expected <revision>", "refuse when the rollout has changed since this revision (exit 4)")
      .action((pool: string, options: ActOptions, command: Command) =>
        actOnRollout({ act, pool }, options, ports.context(command.optsWithGlobals())),
      );
  add("pause", "hold it where it is; a gate that fails still halts it");
  add("resume", "go on after a pause, watching the step anew");
  add("retry", "after a halt from the start, after a pause from the phase it is in");
  add("promote", "end this step's soak without waiting for evidence; contract check and drain stay").option(
    "--full",
    "go to the last step and skip every soak; contract check and drain stay",
  );
  add(
    "force",
    "pass failing gates and take jobs back at once, for a while; contract check and drain stay",
  ).requiredOption("--expires <duration>", "for how long, e.g. 30m, 2h; at most 24h");
  add("abort", "give up: the old release gets everything back");
  add("undo", "within the rollback window: back to the old release, whose workers are warm");
  add("revise", "put another build in the new release's place; it starts from the first step").requiredOption(
    "--to <release>",
    "the release that takes its place",
  );
  add("close", "end the rollback window now: the old release drains and retires");
}

function withWhy(command: Command): Command {
  return command
    .requiredOption("--why <text>", "why, for whoever looks at it later")
    .option("--by <name>", "who asks for it (default: user@machine; a key's name comes first)");
}

const START_EXAMPLES = `
Examples:
  $ sluice rollout lint shop --to shop-v2
  $ sluice rollout start shop --to shop-v2 --why "new tax rules"
  $ sluice rollout get shop -w
  $ sluice rollout status shop --timeout 2h
`;
