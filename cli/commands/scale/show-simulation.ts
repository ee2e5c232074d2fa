/** What `sluice scale simulate` prints for people. */
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { renderTable, right, whole } from "../../terminal/table.ts";
import type { SimulationAnswer } from "./simulation-answer.ts";

type Pool = SimulationAnswer["pools"][number];
type Policy = Pool["policies"][number];

const COLUMNS = [
  whole("POLICY"),
  right("LATE %"),
  right("WORKER-HOURS"),
  right("P50 s"),
  right("P95 s"),
  right("P99 s"),
  right("KILLED"),
  right("TWICE"),
  right("FLIPS/h"),
  right("PEAK"),
];

export function showSimulation({ pools }: SimulationAnswer, plots: readonly string[]): string {
  const lines = [
    ...pools.flatMap(showPool),
    "Late: taken later than promised, or never. Worker-hours: from each start to each exit. Killed: by scaling in.",
    "Mean of the seeds, +- half of the 95 % confidence interval.",
    ...plots.map((file) => `Plot of the first seed: ${neutraliseLine(file)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function showPool(pool: Pool): string[] {
  const { loadSlots, workHours, hours, impossible } = pool;
  const promise = `a job starts within ${pool.pickupPromiseMs / 1_000} s`;
  return [
    `${neutraliseLine(pool.pool)} on ${neutraliseLine(pool.trace)} (${pool.kind}): ${promise}`,
    `${hours.toFixed(1)} h, ${loadSlots.toFixed(1)} slots busy on average; the work itself is ${workHours.toFixed(1)} worker-hours.`,
    "",
    ...renderTable(COLUMNS, pool.policies.map(rowOf)),
    ...impossible.map((name) => `${neutraliseLine(name)}: no setting of it keeps to that.`),
    "",
  ];
}

function rowOf({ policy, metrics }: Policy): string[] {
  const mean = (name: string) => metrics[name]?.mean ?? Number.NaN;
  const shown = (name: string, digits: number) => {
    const ci95 = metrics[name]?.ci95 ?? null;
    return ci95 === null
      ? mean(name).toFixed(digits)
      : `${mean(name).toFixed(digits)} +-${ci95.toFixed(digits)}`;
  };
  const seconds = (name: string) => (mean(name) / 1_000).toFixed(1);
  return [
    policy,
    shown("missesPercent", 3),
    shown("workerHours", 2),
    seconds("pickupP50Ms"),
    seconds("pickupP95Ms"),
    seconds("pickupP99Ms"),
    mean("jobsKilled").toFixed(1),
    mean("jobsRunTwice").toFixed(1),
    mean("flipsPerHour").toFixed(1),
    mean("workersPeak").toFixed(0),
  ];
}
