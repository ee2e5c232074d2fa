/**
 * `npm run bench:contracts`: how long it takes to judge a large contract, 200 fields and 20 versions that
 * must all be able to stand in for each other.
 *
 * Two measurements, the median of several rounds in one process: the verdicts alone (what a worker does at
 * its start), and a whole check against the document of the version before (what a pipeline does), with the
 * lint, golden samples and counterexamples of it.
 */
import { z } from "zod";
import { checkContract } from "#shared/contracts/check-contract";
import { defineContract } from "#shared/contracts/contract";
import { exportDocument } from "#shared/contracts/export-document";
import { resolveContract } from "#shared/contracts/resolve-contract";

const FIELDS = 200;
const VERSIONS = 20;
const ROUNDS = 7;

/** Fields of every kind that contracts use, taken in turn. */
const KINDS: readonly (() => z.ZodType)[] = [
  () => z.string().min(1).max(64),
  () => z.int().min(0).max(1_000_000),
  () => z.email(),
  () => z.enum(["new", "paid", "sent"]).optional(),
  () => z.array(z.looseObject({ sku: z.string(), count: z.int().min(1) })).max(50),
  () => z.looseObject({ value: z.int(), currency: z.string().regex(/^[A-Z]{3}$/) }).optional(),
  () => z.record(z.string(), z.string().max(200)),
  () => z.union([z.string(), z.null()]),
  () => z.number().multipleOf(0.01).min(0),
  () => z.boolean().default(false),
];

/** Version n has the fields of version 1 and n - 1 optional ones: every version is additive. */
function contractOf(versions: number) {
  const list = Array.from({ length: versions }, (_, index) => {
    const shape: Record<string, z.ZodType> = {};
    for (let n = 0; n < FIELDS - VERSIONS; n += 1) shape[`field${n}`] = kindOf(n)();
    for (let n = 0; n <= index; n += 1) shape[`added${n}`] = kindOf(n)().optional();
    return { version: index + 1, schema: z.looseObject(shape) };
  });
  return defineContract({ type: "bench.large", queue: "bench", versions: list });
}

function kindOf(n: number): () => z.ZodType {
  return KINDS[n % KINDS.length] ?? z.string;
}

function measure(run: () => void): {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
} {
  const times = Array.from({ length: ROUNDS }, () => {
    const startedMs = performance.now();
    run();
    return performance.now() - startedMs;
  }).sort((a, b) => a - b);
  return {
    medianMs: times[Math.floor(ROUNDS / 2)] ?? 0,
    minMs: times[0] ?? 0,
    maxMs: times.at(-1) ?? 0,
  };
}

function documentBefore() {
  const before = resolveContract(contractOf(VERSIONS - 1));
  if (before.kind === "invalid") throw new Error(before.problems.join("; "));
  const exported = exportDocument(before.contract, null);
  if (exported.kind === "refused") throw new Error(exported.problems.join("; "));
  return exported.document;
}

const document = documentBefore();
const results = {
  "verdicts of all versions": measure(() => {
    const resolution = resolveContract(contractOf(VERSIONS));
    if (resolution.kind === "invalid") throw new Error(resolution.problems.join("; "));
  }),
  "whole check against the version before": measure(() => {
    const report = checkContract(contractOf(VERSIONS), document, {});
    if (report.verdict !== "allowed") throw new Error(JSON.stringify(report.findings));
  }),
};
process.stdout.write(`${FIELDS} fields, ${VERSIONS} versions of one read group, ${ROUNDS} rounds\n`);
for (const [what, { medianMs, minMs, maxMs }] of Object.entries(results)) {
  const [median, min, max] = [medianMs, minMs, maxMs].map((it) => it.toFixed(0));
  process.stdout.write(`  ${what}: ${median} ms (${min} - ${max})\n`);
}
