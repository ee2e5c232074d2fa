/** `sluice lanes list` and `sluice lanes get`: what the lanes hold, and whether they may retire. */
import { type LaneAnswer, type LanesAnswer, lanesAnswer, understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { CommandContext } from "../context.ts";
import {
  findRetirement,
  mayRetireCell,
  type Retirement,
  readRetirement,
  showRetirement,
} from "../retirement.ts";
import { decideLaneState } from "./decide-lane-state.ts";

interface ListedLane {
  readonly lane: LaneAnswer;
  /** `null` of a lane that is retired, or gone since it was listed. */
  readonly retirement: Retirement | null;
}

const COLUMNS = [
  left("LANE"),
  left("STATE"),
  right("WAITING"),
  right("IN FLIGHT"),
  right("SCHEDULED"),
  right("OTHER"),
  right("FAILED"),
  left("READERS"),
  left("MAY RETIRE"),
];

/** @throws {CliError} when the control API is not reached. */
export async function listLanes(context: CommandContext): Promise<void> {
  const { controlUrl } = context.servers();
  const { answer, raw } = await readLanes(controlUrl);
  const queues = await Promise.all(
    answer.queues.map(async ({ queue, lanes }) => ({
      queue,
      lanes: await Promise.all(lanes.map((lane) => withRetirement(controlUrl, lane))),
    })),
  );
  const retirements = Object.fromEntries(
    queues.flatMap(({ lanes }) =>
      lanes.flatMap(({ lane, retirement }) => (retirement === null ? [] : [[lane.lane, retirement.raw]])),
    ),
  );
  const text = queues.map((it) => showQueue(it, context.paint)).join("\n");
  context.answer({
    kind: "Lanes",
    json: { ...raw, retirements },
    text: text === "" ? "No queue is known yet.\n" : text,
    exitCode: CLI_EXIT.ok,
  });
}

/** @throws {CliError} when there is no such lane, or the control API is not reached. */
export async function getLane(name: string, context: CommandContext): Promise<void> {
  const { controlUrl } = context.servers();
  const { answer, raw } = await readLanes(controlUrl);
  const retirement = await readRetirement(controlUrl, "lanes", name);
  const lane = answer.queues.flatMap((it) => it.lanes).find((it) => it.lane === name);
  if (lane === undefined) throw laneNotFound(name);
  context.answer({
    kind: "Lane",
    json: { lane: rawLane(raw, name), retirement: retirement.raw },
    text: showLane({ lane, retirement }, context.paint),
    exitCode: CLI_EXIT.ok,
  });
}

/** @throws {CliError} */
export async function readLanes(
  baseUrl: string,
): Promise<{ readonly answer: LanesAnswer; readonly raw: object }> {
  const raw = await requestJson({ method: "GET", baseUrl, path: "/v1/lanes" });
  return { answer: understood(lanesAnswer, raw, "lanes"), raw: raw as object };
}

/** The lane as it came; `understood` has seen that it is there. */
function rawLane(raw: object, name: string): unknown {
  const { queues } = raw as { queues: { lanes: { lane: string }[] }[] };
  return queues.flatMap((it) => it.lanes).find((it) => it.lane === name);
}

export function laneNotFound(name: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "LANE_NOT_FOUND",
    message: `There is no lane ${name}.`,
    hint: "`sluice lanes list` shows the lanes.",
  });
}

async function withRetirement(baseUrl: string, lane: LaneAnswer): Promise<ListedLane> {
  const retirement = lane.retiredAt === null ? await findRetirement(baseUrl, "lanes", lane.lane) : null;
  return { lane, retirement };
}

function stateOf({ lane, retirement }: ListedLane): string {
  const state = decideLaneState({
    retiredAt: lane.retiredAt,
    orphaned: lane.orphaned,
    trips: lane.trips.length,
    blockers: retirement?.answer.blockers.map((it) => it.code) ?? null,
  });
  return state ?? "?";
}

function showQueue(
  { queue, lanes }: { readonly queue: string; readonly lanes: readonly ListedLane[] },
  paint: Painter,
): string {
  const rows = lanes.map((it) => [
    it.lane.lane,
    stateOf(it),
    String(it.lane.waiting),
    String(it.lane.inFlight),
    String(it.lane.scheduled),
    String(it.lane.other),
    String(it.lane.failed),
    it.lane.readers.join(" ") || (it.lane.orphaned ? "NONE" : "-"),
    it.lane.retiredAt === null ? mayRetireCell(it.retirement) : `since ${it.lane.retiredAt}`,
  ]);
  const lines = renderTable(COLUMNS, rows).map((line) => `  ${line}`);
  return `${[paint.strong(neutraliseLine(queue)), ...lines].join("\n")}\n`;
}

function showLane(listed: ListedLane & { readonly retirement: Retirement }, paint: Painter): string {
  const { lane, retirement } = listed;
  const facts: [string, string][] = [
    ["readers", lane.readers.join(" ") || "none"],
    ["workers", String(lane.consumers)],
    ["waiting", String(lane.waiting)],
    ["in flight", String(lane.inFlight)],
    ["scheduled", String(lane.scheduled)],
    ["other", String(lane.other)],
    ["failed", `${lane.failed} (finished; they keep no lane from retiring)`],
    ...lane.trips.map(({ release, type, targetVersion, code }): [string, string] => [
      "tripped by",
      `${release}: its step of ${type} to version ${targetVersion} fails (${code})`,
    ]),
    ...(lane.retiredAt === null ? [] : [["retired", lane.retiredAt] satisfies [string, string]]),
  ];
  const lines = [
    `${paint.strong(neutraliseLine(lane.lane))}  ${stateOf(listed)}`,
    ...facts.map(([name, fact]) => `  ${name.padEnd(10)}  ${neutraliseLine(fact)}`),
    ...showRetirement(retirement.answer, paint).map((line) => `  ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}
