/** One round under a CPU profiler: where a job's microseconds go, each side beside its yardstick. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withCleanup } from "./cleanup.ts";
import { type CpuProfile, type SelfTimes, selfTimes } from "./cpu-profile.ts";
import type { BenchOptions } from "./options.ts";
import { aligned } from "./report.ts";
import type { Sample } from "./sample.ts";
import type { ComparedSide, Group } from "./sides.ts";

const SAMPLING_US = 250;
const GROUPS_SHOWN = 30;
const FUNCTIONS_SHOWN = 30;

interface ProfiledSide {
  readonly label: string;
  readonly sample: Sample;
  readonly times: SelfTimes;
}

/** Profiles the sides of each group that has a ratio, and gives the tables. */
export async function runProfile(
  groups: readonly Group[],
  options: BenchOptions,
  onProgress: (text: string) => void,
): Promise<string> {
  const tables: string[] = [];
  for (const group of groups) {
    if (group.ratios.length === 0) continue;
    const profiled: ProfiledSide[] = [];
    for (const id of new Set(group.ratios.flatMap(([of, to]) => [to, of]))) {
      const side = group.sides.find((it) => it.id === id);
      if (side === undefined) continue;
      onProgress(`profiling ${side.label}`);
      profiled.push(await profileSide(side, options));
    }
    tables.push(renderProfiles(group.title, profiled));
  }
  return tables.join("\n\n");
}

function profileSide(side: ComparedSide, options: BenchOptions): Promise<ProfiledSide> {
  return withCleanup(async (cleanup) => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-bench-profile-"));
    const remove = () => rmSync(directory, { recursive: true, force: true });
    cleanup.add({ undo: async () => remove(), undoNow: remove });

    const nodeArgs = ["--cpu-prof", `--cpu-prof-dir=${directory}`, `--cpu-prof-interval=${SAMPLING_US}`];
    const sample = await side.measure(options, nodeArgs);
    const [file] = readdirSync(directory);
    if (file === undefined) throw new Error(`${side.label} has written no profile`);
    const profile = JSON.parse(readFileSync(join(directory, file), "utf8")) as CpuProfile;
    return { label: side.label, sample, times: selfTimes(profile, spanUs(sample)) };
  });
}

/** V8 stamps profiles with the machine's monotonic clock, which is that of `process.hrtime`. */
function spanUs({ span }: Sample): { readonly fromUs: number; readonly untilUs: number } {
  const offsetUs = Number(process.hrtime.bigint()) / 1_000 - performance.now() * 1_000;
  return { fromUs: span.fromMs * 1_000 + offsetUs, untilUs: span.untilMs * 1_000 + offsetUs };
}

function renderProfiles(title: string, sides: readonly ProfiledSide[]): string {
  const heading = sides.map(({ label }) => label);
  const totals = sides.map(
    ({ label, sample }) =>
      `${label}: ${Math.round(sample.perSecond)} a second, ${Math.round(sample.nodeUsPerJob)} us of CPU time a job while profiled`,
  );
  const groups = rowsOf(sides, (times) => times.byGroup, GROUPS_SHOWN);
  const functions = rowsOf(sides, (times) => times.byFunction, FUNCTIONS_SHOWN);
  return [
    `${title}: self time in microseconds a job`,
    ...totals,
    "",
    ...aligned([["group", ...heading], ...groups]),
    "",
    ...aligned([["function", ...heading], ...functions]),
  ].join("\n");
}

function rowsOf(
  sides: readonly ProfiledSide[],
  timesOf: (times: SelfTimes) => ReadonlyMap<string, number>,
  max: number,
): string[][] {
  const names = new Set(sides.flatMap(({ times }) => [...timesOf(times).keys()]));
  return [...names]
    .map((name) => ({
      name,
      usPerJob: sides.map(({ times, sample }) => (timesOf(times).get(name) ?? 0) / sample.jobs),
    }))
    .sort((a, b) => Math.max(...b.usPerJob) - Math.max(...a.usPerJob))
    .slice(0, max)
    .map(({ name, usPerJob }) => [name, ...usPerJob.map((us) => us.toFixed(1))]);
}
