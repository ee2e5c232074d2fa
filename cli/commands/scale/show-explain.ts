/**
 * "Why 7 workers?" for a person: the number first, then what it was made from, term by term, what ruled, what
 * limited it and what holds it, what would change it, and how it moved.
 *
 * Whatever the server says is neutralised. What is not known is said to be not known; nothing is worked out here that
 * the record does not say.
 */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable, right, whole } from "../../terminal/table.ts";
import { clockTime } from "./clock-time.ts";
import { type Decision, type DecisionLane, total } from "./scale-answer.ts";

export interface Explained {
  readonly decision: Decision;
  /** Decisions of the same pool before it, newest first. */
  readonly before: readonly Decision[];
}

const TERM_COLUMNS = [left(""), left("TERM"), right("SLOTS"), whole("FORMULA")];

/** Moves shown of how the number came to be. */
const MOVES_MAX = 6;

const LANES_SHOWN = 5;

export function showExplained({ decision, before }: Explained, paint: Painter): string {
  const sections = [
    showHead(decision, paint),
    ...decision.inputs.lanes.slice(0, LANES_SHOWN).map((lane) => showLane(lane, decision, paint)),
    showRest(decision),
    section("Workers", showWorkers(decision), paint),
    section("What would change it", showChanges(decision), paint),
    section("How it moved", showMoves([decision, ...before]), paint),
    [
      paint.dim(
        `decision ${neutraliseLine(decision.id)}: sluice scale explain ${decisionArgument(decision)} --json`,
      ),
    ],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function decisionArgument({ queue, at }: Decision): string {
  return `${neutraliseLine(queue)} --at ${neutraliseLine(at)}`;
}

function showHead(
  { queue, at, desired, wanted, present, reason, overrides, blocked }: Decision,
  paint: Painter,
) {
  const [now, need, had] = [total(desired), total(wanted), total(present)];
  const was = had === now ? "as before" : `was ${had}`;
  const number = paint.strong(`${now} ${now === 1 ? "worker" : "workers"}`);
  const head = `${number} for ${neutraliseLine(queue)}  (${was}; the lanes ask for ${need})  ${neutraliseLine(reason)}`;
  const { freeze } = overrides;
  const frozen =
    freeze === null
      ? []
      : [
          paint.warn(
            neutraliseLine(
              `frozen${freeze.hard ? " hard" : ""}${freeze.pool === "*" ? " with all pools" : ""} by ${freeze.by} ` +
                `until ${freeze.expiresAt}: ${freeze.why}`,
            ),
          ),
        ];
  return [
    head,
    paint.dim(`decided ${neutraliseLine(at)}`),
    ...frozen,
    ...blocked.map((it) => paint.bad(neutraliseLine(it))),
  ];
}

function showLane(lane: DecisionLane, { inputs }: Decision, paint: Painter): string[] {
  const slots = lane.slots === null ? "not known how many slots" : `${lane.slots} slots`;
  const title = paint.strong(`Lane ${neutraliseLine(lane.lane)}: ${slots}`);
  if (lane.unknownBecause !== null) {
    const why = neutraliseLine(lane.unknownBecause);
    return [title, `  it could not be measured (${why}), so nobody is taken away for it`];
  }
  const rows = lane.terms.map(({ term, slots: wanted, formula }) => [
    term === lane.ruledBy ? ">" : "",
    term,
    wanted === null ? "not known" : String(wanted),
    formula,
  ]);
  const ruled = lane.ruledBy === "work" ? ["  > a lane with work keeps one slot"] : [];
  return [
    title,
    `  ${inputsOf(lane, inputs.pickupPromiseMs)}`,
    ...(rows.length > 0 ? renderTable(TERM_COLUMNS, rows).map((line) => `  ${line}`) : []),
    ...ruled,
    ...forecastOf(lane),
    ...warningsOf(lane, inputs).map((it) => `  ${paint.warn("!")} ${it}`),
  ];
}

function inputsOf(lane: DecisionLane, promiseMs: number | null): string {
  const { waiting, inFlight, dueSoon, oldestDueAgeMs, arrivalRatePerSec, serviceTimeMs, readySlots } = lane;
  const oldest = waiting === 0 ? "" : ` (oldest ${known(oldestDueAgeMs, showDuration)})`;
  const rate = known(arrivalRatePerSec, (perSec) => `${Number(perSec.toPrecision(3))}/s`);
  return [
    `${known(waiting)} waiting${oldest}`,
    `${known(inFlight)} in flight`,
    `${known(dueSoon)} due soon`,
    `arrivals ${rate}`,
    `a job takes ${known(serviceTimeMs, showDuration)}`,
    `promise ${known(promiseMs, showDuration)}`,
    `${known(readySlots)} ready slots`,
  ].join(", ");
}

function known(value: number | null, show: (value: number) => string = String): string {
  return value === null ? "not known" : show(value);
}

/** What was forecast, and how good forecasts were: only an applied one can have raised the number. */
function forecastOf({ forecast }: DecisionLane): string[] {
  if (forecast === null) return [];
  const { mode, perMinute, slots, comparedMinutes, error, persistenceError } = forecast;
  const short = (value: number) => String(Number(value.toPrecision(3)));
  const next = `${short(perMinute)} jobs a minute, ${known(slots)} slots`;
  const judged =
    comparedMinutes === 0
      ? "none was due yet"
      : `off by ${known(error, short)} a minute in the last ${comparedMinutes}, the rate as it was by ${known(persistenceError, short)}`;
  return [neutraliseLine(`  forecast (${mode}): ${next}; ${judged}`)];
}

const ASSUMED = new Map([
  ["service-time", "no job has finished yet, so the time that one takes is assumed"],
  ["oldest-age", "the age of the oldest job was not told, so it is taken to be new"],
]);

function warningsOf({ assumed, reachable }: DecisionLane, { startDelay }: Decision["inputs"]): string[] {
  const late =
    reachable === false
      ? [
          `a worker started on demand comes too late for the promise: it takes ${known(startDelay?.startDelayMs ?? null, showDuration)} to start`,
        ]
      : [];
  return [...assumed.map((it) => ASSUMED.get(it) ?? neutraliseLine(`assumed: ${it}`)), ...late];
}

function showRest({ inputs: { lanes, otherLanes } }: Decision): string[] {
  const hidden = Math.max(lanes.length - LANES_SHOWN, 0);
  const hiddenSlots = lanes.slice(LANES_SHOWN).reduce((sum, it) => sum + (it.slots ?? 0), 0);
  const count = hidden + (otherLanes?.lanes ?? 0);
  if (count === 0) return [];
  return [
    `${count} more lanes, which need ${hiddenSlots + (otherLanes?.slots ?? 0)} slots together (--json has more)`,
  ];
}

/** From slots to workers, with every step between the two. */
function showWorkers({ wanted, desired, clamps, holds, inputs, errorBudget }: Decision): string[] {
  const slots = inputs.lanes.reduce((sum, it) => sum + (it.slots ?? 0), 0) + (inputs.otherLanes?.slots ?? 0);
  const perWorker = inputs.policy?.slotsPerWorker;
  const divided =
    typeof perWorker === "number" ? `${slots} slots / ${perWorker} a worker, each release rounded up` : "";
  const { bounds } = inputs;
  return [
    neutraliseLine(`wanted   ${total(wanted)}${divided === "" ? "" : `  = ${divided}`}`),
    ...clamps.map((it) => neutraliseLine(`limit    ${it.from} -> ${it.to}  ${it.by}: ${it.sentence}`)),
    ...holds.map((it) => {
      const left_ = it.forMs === null ? "" : `, for ${showDuration(it.forMs)} more`;
      return neutraliseLine(`hold     +${it.workers}  ${it.because}: ${it.sentence}${left_}`);
    }),
    neutraliseLine(`decided  ${total(desired)}  ${releasesOf(desired)}`),
    `bounds   ${bounds === null ? "not known" : `${bounds.workersMin} to ${bounds.workersMax}`}`,
    neutraliseLine(`budget   ${errorBudget?.sentence ?? "not measured"}`),
  ];
}

function releasesOf(workers: Readonly<Record<string, number>>): string {
  const some = Object.entries(workers).filter(([, count]) => count > 0);
  return some.map(([release, count]) => `${release} ${count}`).join(", ");
}

function showChanges({ inputs, holds, clamps, overrides }: Decision): string[] {
  const lanes = inputs.lanes.flatMap(({ lane, wouldChange }) =>
    wouldChange === null ? [] : [neutraliseLine(`${lane}: ${wouldChange.sentence}`)],
  );
  const ends = holds.flatMap(({ because, forMs }) =>
    forMs === null
      ? []
      : [neutraliseLine(`fewer in ${showDuration(forMs)}, when ${because} ends, if nothing comes`)],
  );
  const cut = clamps.filter(({ by, from, to }) => to < from && by !== "frozen");
  const limits = cut.map(({ by, from }) => neutraliseLine(`up to ${from} without the limit ${by}`));
  const { freeze } = overrides;
  const thaw =
    freeze === null
      ? []
      : [neutraliseLine(`a thaw, or ${freeze.expiresAt}: sluice scale thaw ${thawed(freeze.pool)}`)];
  const all = [...thaw, ...lanes.slice(0, LANES_SHOWN), ...limits, ...ends];
  return all.length > 0 ? all : ["not known"];
}

function thawed(pool: string): string {
  return pool === "*" ? "--all" : pool;
}

/** The changes of the number, newest first; decisions that kept it lie in between. */
function showMoves(newestFirst: readonly Decision[]): string[] {
  const moves = newestFirst.filter((it, at) => {
    const older = newestFirst[at + 1];
    return older === undefined || total(older.desired) !== total(it.desired);
  });
  return moves
    .slice(0, MOVES_MAX)
    .map((it) =>
      neutraliseLine(
        `${clockTime(it.at)}  ${total(it.present)} -> ${total(it.desired)}  ${it.reason}  ${it.id}`,
      ),
    );
}

function section(title: string, lines: readonly string[], paint: Painter): string[] {
  return [paint.strong(title), ...(lines.length > 0 ? lines : ["none"]).map((line) => `  ${line}`)];
}
