/** `sluice help exit-codes`. */
import type { Answer } from "../answer.ts";
import { CLI_EXIT, EXIT_MEANINGS } from "../exit-codes.ts";

export function exitCodesHelp(): Answer {
  const lines = EXIT_MEANINGS.map(({ code, meaning }) => `${String(code).padStart(4)}  ${meaning}\n`);
  const json = { exitCodes: EXIT_MEANINGS };
  return { kind: "ExitCodes", json, text: `CODE  MEANING\n${lines.join("")}`, exitCode: CLI_EXIT.ok };
}
