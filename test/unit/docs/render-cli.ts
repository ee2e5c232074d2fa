/** docs/reference/cli.md: the command tree, as the parser has it. */
import type { Command } from "commander";
import { buildProgram } from "#cli/program";
import { code, table } from "./rendered-blocks.ts";

export function renderCli(): Readonly<Record<string, string>> {
  const program = buildProgram({
    version: "0",
    context: () => {
      throw new Error("nothing is run here");
    },
    answer: () => undefined,
    dev: async () => undefined,
  });
  return {
    "global-options": optionTable(program),
    commands: leavesOf(program).map(renderCommand).join("\n\n"),
  };
}

/** Commands that do something, not those that only hold others. */
function leavesOf(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function renderCommand(command: Command): string {
  const names = [];
  for (let it: Command | null = command; it !== null; it = it.parent) names.unshift(it.name());
  const parts = command.registeredArguments.map((it) => {
    const name = it.variadic ? `${it.name()}...` : it.name();
    return it.required ? `<${name}>` : `[${name}]`;
  });
  const called = [...names, ...parts].join(" ");
  const rows = command.registeredArguments.map((it) => [code(it.name()), it.description]);
  const described = rows.length === 0 ? "" : `\n\n${table(["Argument", "What it is"], rows)}`;
  const options = command.options.length === 0 ? "" : `\n\n${optionTable(command)}`;
  const description = command.description();
  const sentence = `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
  return `### ${code(called)}\n\n${sentence}${described}${options}`;
}

function optionTable(command: Command): string {
  const rows = command.options.map((it) => [
    code(it.flags),
    it.mandatory ? `${it.description} (required)` : it.description,
  ]);
  return table(["Option", "What it does"], rows);
}
