/** The result as text for people. */
import type { Machine } from "./machine.ts";
import type { GroupResult, Metric, RatioResult, SideResult } from "./run-rounds.ts";
import type { Spread } from "./statistics.ts";

interface Column {
  readonly metric: Metric;
  readonly heading: string;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { metric: "nodeUsPerJob", heading: "Node us/job", digits: 0 },
  { metric: "redisUsPerJob", heading: "Redis us/job", digits: 0 },
  { metric: "redisBytesPerJob", heading: "Redis B/job", digits: 0 },
  { metric: "p50Ms", heading: "p50 ms", digits: 1 },
  { metric: "p99Ms", heading: "p99 ms", digits: 1 },
];

export function renderReport(
  machine: Machine,
  method: readonly string[],
  groups: readonly GroupResult[],
): string {
  return [
    `${machine.cpus} x ${machine.cpu}, ${machine.memoryGb} GB, Linux ${machine.kernel}`,
    `node ${machine.node}, redis ${machine.redis}, bullmq ${machine.bullmq}, ioredis ${machine.ioredis}, fastify ${machine.fastify}`,
    "",
    ...method.map((line) => `- ${line}`),
    ...groups.flatMap((group) => ["", ...renderGroup(group)]),
  ].join("\n");
}

function renderGroup(group: GroupResult): readonly string[] {
  const columns: readonly Column[] = [
    { metric: "perSecond", heading: group.unit, digits: 0 },
    ...COLUMNS.filter(({ metric }) => group.sides.some((side) => side.metrics[metric] !== null)),
  ];
  const rows = [
    [group.title, ...columns.map((column) => column.heading)],
    ...group.sides.map((side) => [side.label, ...columns.map((column) => cell(side, column))]),
  ];
  return [...aligned(rows), ...group.ratios.map(ratioLine)];
}

function cell(side: SideResult, { metric, digits }: Column): string {
  const spread = side.metrics[metric];
  return spread === null ? "-" : spreadText(spread, digits);
}

function ratioLine({ of, to, perSecond, nodeUsPerJob, p99Ms }: RatioResult): string {
  const slowest = p99Ms === null ? "" : `, ${spreadText(p99Ms, 2)} of the p99`;
  return `  ${of} / ${to}: ${spreadText(perSecond, 2)} of the throughput, ${spreadText(nodeUsPerJob, 2)} of Node's CPU time a job${slowest}`;
}

function spreadText({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} - ${max.toFixed(digits)})`;
}

/** The first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, at) => {
      widths[at] = Math.max(widths[at] ?? 0, text.length);
    });
  }
  return rows.map((row) =>
    row
      .map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join("  "),
  );
}
