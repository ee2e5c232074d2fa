/** docs/reference/exit-codes.md: how the processes and the command end. */
import { EXIT_MEANINGS } from "#cli/exit-codes";
import { EXIT } from "#shared/exit-codes";
import { code, table } from "./rendered-blocks.ts";
import { commentedMembersOf } from "./source-facts.ts";

export function renderExitCodes(): Readonly<Record<string, string>> {
  const processes = commentedMembersOf("shared/exit-codes.ts", "EXIT").map(({ name, comment }) => [
    code(String(EXIT[name as keyof typeof EXIT])),
    code(name),
    comment,
  ]);
  const command = EXIT_MEANINGS.map((it) => [code(String(it.code)), it.meaning]);
  return {
    processes: table(["Code", "Name", "Meaning"], processes),
    command: table(["Code", "Meaning"], command),
  };
}
