/** May a lane or a release retire? The control API's answer, asked for and shown. */
import { type RetirementAnswer, retirementAnswer, understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { requestJson } from "../http-client.ts";
import type { Painter } from "../terminal/colour.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";

export interface Retirement {
  readonly answer: RetirementAnswer;
  /** The answer as it came. */
  readonly raw: object;
}

/** @throws {CliError} when it is not known, or the control API is not reached. */
export async function readRetirement(
  baseUrl: string,
  what: "lanes" | "releases",
  name: string,
): Promise<Retirement> {
  const path = `/v1/${what}/${encodeURIComponent(name)}/retirement`;
  const raw = await requestJson({ method: "GET", baseUrl, path });
  return { answer: understood(retirementAnswer, raw, "answer about retirement"), raw: raw as object };
}

/** `null` where it is gone since it was listed. */
export async function findRetirement(
  baseUrl: string,
  what: "lanes" | "releases",
  name: string,
): Promise<Retirement | null> {
  try {
    return await readRetirement(baseUrl, what, name);
  } catch (error) {
    if (error instanceof CliError && error.failure.exitCode === CLI_EXIT.notFound) return null;
    throw error;
  }
}

/** For a table's cell. */
export function mayRetireCell(retirement: Retirement | null): string {
  if (retirement === null) return "?";
  const [first] = retirement.answer.blockers;
  return retirement.answer.mayRetire ? "yes" : `no: ${first?.what ?? "no reason is given"}`;
}

/** Every blocker on a line of its own. */
export function showRetirement({ mayRetire, blockers }: RetirementAnswer, paint: Painter): string[] {
  if (mayRetire) return [`may retire  ${paint.good("yes")}`];
  return [
    `may retire  ${paint.warn("no")}`,
    ...blockers.map((it) => `  - ${neutraliseLine(it.what)}  ${paint.dim(`(${neutraliseLine(it.code)})`)}`),
  ];
}
