/** `sluice release list` and `sluice release get`: which releases are live, and whether they may retire. */
import { laneName } from "#shared/lane";
import { type FleetAnswer, fleetAnswer, understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { CommandContext } from "../context.ts";
import { readLanes } from "../lanes/list-lanes.ts";
import {
  findRetirement,
  mayRetireCell,
  type Retirement,
  readRetirement,
  showRetirement,
} from "../retirement.ts";

type Release = FleetAnswer["releases"][number];
type Worker = FleetAnswer["workers"][number];

const COLUMNS = [
  left("RELEASE"),
  left("APP"),
  left("STATE"),
  left("PUBLISHED"),
  left("LANES"),
  right("WORKERS"),
  right("BUSY/SLOTS"),
  left("MAY RETIRE"),
];

/** @throws {CliError} when the control API is not reached. */
export async function listReleases(context: CommandContext): Promise<void> {
  const { controlUrl } = context.servers();
  const { fleet, raw } = await readFleet(controlUrl);
  const listed = await Promise.all(
    fleet.releases.map(async (release) => ({
      release,
      retirement:
        release.state === "retired" ? null : await findRetirement(controlUrl, "releases", release.release),
    })),
  );
  const rows = listed.map(({ release, retirement }) =>
    rowOf(release, { retirement, workers: fleet.workers }),
  );
  const retirements = Object.fromEntries(
    listed.flatMap(({ release, retirement }) =>
      retirement === null ? [] : [[release.release, retirement.raw]],
    ),
  );
  const { observedAt, releases } = raw;
  context.answer({
    kind: "Releases",
    json: { observedAt, releases, retirements },
    text: rows.length === 0 ? "No release is published yet.\n" : `${renderTable(COLUMNS, rows).join("\n")}\n`,
    exitCode: CLI_EXIT.ok,
  });
}

/** @throws {CliError} when there is no such release, or the control API is not reached. */
export async function getRelease(id: string, context: CommandContext): Promise<void> {
  const { controlUrl } = context.servers();
  const [retirement, { fleet, raw }, { answer }] = await Promise.all([
    readRetirement(controlUrl, "releases", id),
    readFleet(controlUrl),
    readLanes(controlUrl),
  ]);
  const release = fleet.releases.find((it) => it.release === id);
  if (release === undefined) throw releaseNotFound(id);
  const reads = answer.queues.flatMap((it) => it.lanes).filter((it) => it.readers.includes(id));
  const workers = fleet.workers.filter((it) => it.release === id);
  const lanes = reads.map((it) => it.lane);
  const json = {
    release: { ...raw.releases.find((it) => it.release === id), reads: lanes },
    workers: raw.workers.filter((it) => it.release === id),
    retirement: retirement.raw,
  };
  context.answer({
    kind: "Release",
    json,
    text: showRelease(release, { reads: lanes, workers, retirement }, context.paint),
    exitCode: CLI_EXIT.ok,
  });
}

/** The answer as it came, as far as `understood` has seen it. */
interface RawFleet {
  readonly observedAt: unknown;
  readonly releases: readonly { readonly release: string }[];
  readonly workers: readonly { readonly release: string }[];
}

/** @throws {CliError} */
export async function readFleet(
  baseUrl: string,
): Promise<{ readonly fleet: FleetAnswer; readonly raw: RawFleet }> {
  const raw = await requestJson({ method: "GET", baseUrl, path: "/v1/fleet" });
  return { fleet: understood(fleetAnswer, raw, "fleet"), raw: raw as RawFleet };
}

export function releaseNotFound(id: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "RELEASE_NOT_FOUND",
    message: `There is no release ${id}.`,
    hint: "`sluice release list` shows the releases.",
  });
}

function rowOf(
  release: Release,
  { retirement, workers }: { readonly retirement: Retirement | null; readonly workers: readonly Worker[] },
): string[] {
  const own = workers.filter((it) => it.release === release.release);
  return [
    release.release,
    release.app,
    release.state,
    release.publishedAt ?? "-",
    ownLanes(release).join(" ") || "-",
    String(own.length),
    busyOfSlots(own),
    release.state === "retired" ? "-" : mayRetireCell(retirement),
  ];
}

function showRelease(
  release: Release,
  {
    reads,
    workers,
    retirement,
  }: {
    readonly reads: readonly string[];
    readonly workers: readonly Worker[];
    readonly retirement: Retirement;
  },
  paint: Painter,
): string {
  const facts: [string, string][] = [
    ["app", release.app],
    ["published", release.publishedAt ?? "-"],
    ["own lanes", ownLanes(release).join(" ") || "none"],
    ["reads", reads.join(" ") || "none"],
    ["workers", `${workers.length}, of whose slots ${busyOfSlots(workers)} are busy`],
  ];
  const lines = [
    `${paint.strong(neutraliseLine(release.release))}  ${neutraliseLine(release.state)}`,
    ...facts.map(([name, fact]) => `  ${name.padEnd(10)}  ${neutraliseLine(fact)}`),
    ...(release.state === "retired"
      ? []
      : showRetirement(retirement.answer, paint).map((line) => `  ${line}`)),
  ];
  return `${lines.join("\n")}\n`;
}

function ownLanes({ generations }: Release): string[] {
  return Object.entries(generations).map(([queue, generation]) => laneName(queue, generation));
}

function busyOfSlots(workers: readonly Worker[]): string {
  const busy = workers.reduce((sum, it) => sum + it.busy, 0);
  const slots = workers.reduce((sum, it) => sum + it.slots, 0);
  return `${busy}/${slots}`;
}
