/** The `sluice scale` commands: names, options and help. */
import type { Command } from "commander";
import type { ProgramPorts } from "../../program-ports.ts";
import { addExplain } from "./add-explain.ts";
import { addOverrides } from "./add-overrides.ts";
import { addSimulate } from "./add-simulate.ts";

export function addScale(program: Command, ports: ProgramPorts): void {
  const scale = program
    .command("scale")
    .description(
      "why there are so many workers, hold or bound their number, and try out how pools are scaled",
    );
  addExplain(scale, ports);
  addOverrides(scale, ports);
  addSimulate(scale, ports);
}
