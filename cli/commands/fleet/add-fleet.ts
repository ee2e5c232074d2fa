/** The `sluice fleet` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { type HoldOptions, holdWorker, listFleet } from "./hold-worker.ts";

const ORDERS = [
  ["drain", "have a worker finish what it runs and end; another is started where one is needed"],
  ["quarantine", "have a worker take nothing and stay, to be looked at; nobody takes its place"],
  ["run", "end a person's drain or quarantine of a worker: it takes jobs again"],
] as const;

export function addFleet(program: Command, ports: ProgramPorts): void {
  const fleet = program.command("fleet").description("look at the workers, and hold single ones");
  fleet
    .command("list")
    .description("show the workers: state, slots, and who holds which and why")
    .action((_options, command: Command) => listFleet(ports.context(command.optsWithGlobals())));
  for (const [order, description] of ORDERS) {
    fleet
      .command(order)
      .description(description)
      .argument("<worker>", "id of the worker")
      .requiredOption("--why <text>", "why, for whoever looks at it later")
      .option("--by <name>", "who asks for it (default: user@machine; a key's name comes first)")
      .action((worker: string, options: HoldOptions, command: Command) =>
        holdWorker({ worker, order }, options, ports.context(command.optsWithGlobals())),
      );
  }
}
