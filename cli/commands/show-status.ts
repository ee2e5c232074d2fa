/** The state of everything on one screen: verdict, lanes, fleet, and what was decided last. */
import type { DecisionAnswer, FleetAnswer, LanesAnswer } from "../answers.ts";
import { describeChange } from "../describe-change.ts";
import type { Painter } from "../terminal/colour.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";
import { showDuration } from "../terminal/show-duration.ts";
import { left, renderTable, right } from "../terminal/table.ts";
import type { Verdict } from "./decide-verdict.ts";

export interface Status {
  readonly verdict: Verdict;
  readonly lanes: LanesAnswer;
  readonly fleet: FleetAnswer;
  /** Newest first. */
  readonly decisions: readonly DecisionAnswer[];
}

const LANE_COLUMNS = [
  left("LANE"),
  right("OLDEST/PROMISE"),
  right("WAITING"),
  right("IN FLIGHT"),
  right("SCHEDULED"),
  right("FAILED"),
  left("READERS"),
  right("WORKERS"),
];
const RELEASE_COLUMNS = [left("RELEASE"), left("APP"), left("STATE"), left("WORKERS"), right("BUSY/SLOTS")];

export function showStatus({ verdict, lanes, fleet, decisions }: Status, paint: Painter): string {
  const sections = [
    showVerdict(verdict, lanes.observedAt, paint),
    section("Lanes", renderTable(LANE_COLUMNS, laneRows(lanes)), paint),
    section("Fleet", renderTable(RELEASE_COLUMNS, releaseRows(fleet)), paint),
    section("Last decisions", decisions.map(showDecision), paint),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function showVerdict({ kind, reasons }: Verdict, observedAt: string, paint: Painter): string[] {
  const word = { ok: paint.good("✓ ok"), late: paint.warn("! late"), unhealthy: paint.bad("✗ unhealthy") }[
    kind
  ];
  const seen = paint.dim(`observed ${neutraliseLine(observedAt)}`);
  return [`${word}  ${seen}`, ...reasons.map((it) => `  - ${neutraliseLine(it)}`)];
}

function section(title: string, lines: readonly string[], paint: Painter): string[] {
  return [paint.strong(title), ...(lines.length > 0 ? lines : ["none"]).map((line) => `  ${line}`)];
}

function laneRows({ queues }: LanesAnswer): string[][] {
  return queues.flatMap(({ lanes, pickupPromiseMs }) =>
    lanes.map((it) => [
      it.lane,
      `${showDuration(it.oldestDueAgeMs)} / ${showDuration(pickupPromiseMs)}`,
      String(it.waiting),
      String(it.inFlight),
      String(it.scheduled),
      String(it.failed),
      readersOf(it),
      String(it.consumers),
    ]),
  );
}

function readersOf({ readers, trips, orphaned }: LanesAnswer["queues"][number]["lanes"][number]): string {
  const tripped = new Set(trips.map(({ release }) => release));
  const names = readers.map((release) => (tripped.has(release) ? `${release}(tripped)` : release));
  return names.join(" ") || (orphaned ? "NONE" : "-");
}

/** Releases that are gone from the registry but still have workers are shown too. */
function releaseRows({ releases, workers }: FleetAnswer): string[][] {
  const known = new Set(releases.map((it) => it.release));
  const strays = [...new Set(workers.map((it) => it.release))].filter((release) => !known.has(release));
  const all = [...releases, ...strays.map((release) => ({ release, app: "?", state: "unknown" }))];
  return all.map(({ release, app, state }) => {
    const own = workers.filter((it) => it.release === release);
    const busy = own.reduce((sum, it) => sum + it.busy, 0);
    const slots = own.reduce((sum, it) => sum + it.slots, 0);
    return [release, app, state, workersByState(own.map((it) => it.state)), `${busy}/${slots}`];
  });
}

function workersByState(states: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, workers]) => `${workers} ${state}`).join(", ") || "0";
}

function showDecision(decision: DecisionAnswer): string {
  return neutraliseLine(
    `${decision.at}  ${describeChange(decision) ?? decision.queue}  ${decision.sentence}`,
  );
}
