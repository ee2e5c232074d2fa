/**
 * `npm run test:fuzz -- --requests 50000 --seed 1`: fuzzes a producer of its own, or with `--url` one that runs.
 *
 * A defect is shown as the smallest request that still shows it. The numbers and the seed of a run make the
 * same requests again, as far as the server answers the same.
 */
import { parseArgs } from "node:util";
import { type FuzzReport, runFuzz, shownDefects, shownTable } from "./run-fuzz.ts";
import { startTarget, type Target } from "./start-target.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    connections: { type: "string", default: "8" },
    url: { type: "string" },
    "api-key": { type: "string" },
  },
});

const say = (text: string) => process.stdout.write(`${text}\n`);

const target: Target =
  values.url === undefined ? await startTarget() : { baseUrl: values.url, stop: async () => {} };
let report: FuzzReport;
try {
  say(`fuzzing ${target.baseUrl}: ${values.requests} requests, seed ${values.seed}`);
  report = await runFuzz({
    baseUrl: target.baseUrl,
    requests: Number(values.requests),
    seed: Number(values.seed),
    connections: Number(values.connections),
    ...(values["api-key"] !== undefined && { apiKey: values["api-key"] }),
    onProgress: ({ sent, defects }) => say(`${sent} sent, ${defects.size} defects`),
  });
} finally {
  await target.stop();
}
say(shownTable(report));
say(report.defects.size === 0 ? `\nno defect in ${report.sent} requests` : `\n${shownDefects(report)}`);
process.exitCode = report.defects.size === 0 ? 0 : 1;
