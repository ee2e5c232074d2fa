/**
 * Why a worker could not run, told by itself to the process that has started it, over the channel between them.
 *
 * Made for people: a code and one line. What an app throws may hold anything, so credentials in addresses are cut out,
 * and so is everything that a terminal or a page could take for a command.
 */
import { z } from "zod";
import { SluiceError } from "./errors.ts";

const TEXT_MAX = 200;

const lastWords = z.object({
  kind: z.literal("sluice-last-words"),
  /** Stable, `null` for what nobody has foreseen. */
  code: z.string().max(64).nullable(),
  text: z.string().max(TEXT_MAX + 1),
});

export type LastWords = z.output<typeof lastWords>;

export function lastWordsOf(error: unknown): LastWords {
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof SluiceError ? error.code : null;
  return { kind: "sluice-last-words", code, text: oneSafeLine(text) };
}

/** The last words in a message, `null` when it has none. */
export function lastWordsIn(message: unknown): LastWords | null {
  const result = lastWords.safeParse(message);
  return result.success ? { ...result.data, text: oneSafeLine(result.data.text) } : null;
}

function oneSafeLine(text: string): string {
  const line = text
    .slice(0, 10 * TEXT_MAX)
    .replace(/\/\/[^\s/@]*@/g, "//…@")
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line;
}
