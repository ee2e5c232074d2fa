/**
 * What a command says: data on standard output, everything else on standard error.
 *
 * With `--json` a command says one JSON object on standard output, whatever happens.
 */
import type { CliFailure } from "./cli-error.ts";
import type { Painter } from "./terminal/colour.ts";
import { neutralise, safeJson } from "./terminal/neutralise.ts";

export const API_VERSION = "sluice/v1";

export interface Output {
  write(text: string): void;
}

export interface Answer {
  /** Name of the JSON form, e.g. `Job`. */
  readonly kind: string;
  /** Fields of the JSON form beside `apiVersion` and `kind`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The same for people, ending with a newline. Whoever makes it has neutralised strangers' text. */
  readonly text: string;
  readonly exitCode: number;
}

export function jsonText(kind: string, fields: Readonly<Record<string, unknown>>): string {
  return `${safeJson({ apiVersion: API_VERSION, kind, ...fields })}\n`;
}

export function failureJson({ exitCode, code, message, hint, details }: CliFailure): string {
  const error = { code, message, hint: hint ?? null, exitCode, ...details };
  return jsonText("Error", { error });
}

export function failureText({ exitCode, message, hint }: CliFailure, paint: Painter): string {
  const parts = [message, hint ?? "", `(exit ${exitCode})`].map((part) => neutralise(part.trim()));
  // A sentence goes on one line; a list of problems has its hint below it.
  const between = parts.some((part) => part.includes("\n")) ? "\n" : " ";
  return `${paint.bad("✗")} ${parts.filter((part) => part !== "").join(between)}\n`;
}
