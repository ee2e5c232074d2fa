/**
 * `npm run contracts:vectors -- FILE [--json]`: the containment check on pairs of schemas of known outcome.
 *
 * Leaves with 1 when a pair with a known counterexample is called compatible, with 2 when the file or the
 * arguments cannot be used.
 */
import { readFileSync } from "node:fs";
import { renderVectorReport } from "./render-report.ts";
import { MalformedVectors, parseVectors, runVectors, type Vector } from "./run-vectors.ts";

const USAGE = "Usage: npm run contracts:vectors -- FILE [--json]";
const EXIT_UNSOUND = 1;
const EXIT_USAGE = 2;

const { file, asJson } = argumentsOrExit();
const report = runVectors(vectorsOrExit(file), () => performance.now());
process.stdout.write(`${asJson ? JSON.stringify(report, null, 2) : renderVectorReport(report)}\n`);
const unsound = report.inProfile.unsound.length + report.outOfProfile.unsound.length;
process.exitCode = unsound === 0 ? 0 : EXIT_UNSOUND;

function argumentsOrExit(): { file: string; asJson: boolean } {
  const args = process.argv.slice(2);
  const [path, ...others] = args.filter((argument) => argument !== "--json");
  if (path === undefined || others.length > 0 || path.startsWith("-")) return leave(USAGE);
  return { file: path, asJson: args.includes("--json") };
}

function vectorsOrExit(path: string): readonly Vector[] {
  try {
    return parseVectors(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof MalformedVectors) return leave(`${path} ${error.message}`);
    return leave(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function leave(problem: string): never {
  process.stderr.write(`${problem}\n`);
  return process.exit(EXIT_USAGE);
}
