/** Rollouts for people: a line each, or one with its steps, workers and gates. Whatever the server says is neutralised. */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { RolloutAnswer, RolloutRecordAnswer, RolloutViewAnswer } from "./rollout-answer.ts";
import { perCent, type WorkersSeen, workerLines } from "./show-rollout-workers.ts";

const LIST_COLUMNS = [
  left("POOL"),
  left("ROLLOUT"),
  left("FROM"),
  left("TO"),
  left("STATE"),
  right("SHARE"),
  left("SINCE"),
  left("NOW"),
];
const PAST_COLUMNS = [
  left("ROLLOUT"),
  left("FROM"),
  left("TO"),
  left("ENDED AS"),
  left("BEGAN"),
  left("LAST"),
];
const RECORD_COLUMNS = [left("AT"), left("STATE"), left("WHAT"), left("BY"), left("WHY")];

export function showRollouts(views: readonly RolloutViewAnswer[]): string {
  if (views.length === 0) return "No pool had a rollout yet.\n";
  const rows = views.map(({ rollout, progress, share, lastRecord }) => [
    rollout.pool,
    rollout.id,
    rollout.from,
    rollout.to,
    stateWord(rollout, progress.verdict),
    perCent(share),
    rollout.since,
    lastRecord?.sentence ?? "-",
  ]);
  return `${renderTable(LIST_COLUMNS, rows).join("\n")}\n`;
}

/** Lines without a newline at the end. */
export function showRollout(
  view: RolloutViewAnswer,
  { workers, rates }: WorkersSeen,
  paint: Painter,
): string[] {
  const { rollout, progress, lastRecord } = view;
  const { running } = progress;
  const left = running === null ? "" : `   ${running.what} ${showDuration(running.leftMs)} left`;
  const shares = `${perCent(view.share)} of slots`;
  const title = `${rollout.id}  ${rollout.pool}  ${rollout.from} → ${rollout.to}`;
  return [
    `${paint.strong(neutraliseLine(title))}   ${paintedState(view, paint)}   ${shares}${left}`,
    ` ${progress.steps.map((step) => stepWord(step, paint)).join("  ")}`,
    ...notes(view, paint),
    "",
    ...workerLines(view, { workers, rates }),
    "",
    ...gateLines(lastRecord, paint),
  ];
}

export function showPast(
  rollouts: readonly RolloutAnswer[],
  records: readonly RolloutRecordAnswer[],
): string {
  const past = rollouts.map((it) => [it.id, it.from, it.to, stateWord(it, ""), it.createdAt, it.updatedAt]);
  const told = records.map((it) => [
    it.at,
    it.from === it.to ? it.to : `${it.from} → ${it.to}`,
    it.code,
    it.by,
    it.sentence,
  ]);
  const sections = [
    ["Earlier rollouts, newest first", past.length === 0 ? ["none"] : renderTable(PAST_COLUMNS, past)],
    [
      "What happened, newest first",
      told.length === 0 ? ["nothing is kept"] : renderTable(RECORD_COLUMNS, told),
    ],
  ] as const;
  return `${sections.map(([title, lines]) => [title, ...lines.map((it) => `  ${it}`)].join("\n")).join("\n\n")}\n`;
}

/** One change, for a log: no number in it that differs at each look. */
export function changeLine({ at, rollout, progress, lastRecord }: RolloutViewAnswer): string {
  const { stage, paused } = rollout;
  const steps = progress.steps.find(({ state }) => state === "open" || state === "failed");
  const where = stage === null ? "" : ` ${steps?.name ?? ""} ${stage.phase}`;
  const why = paused === null ? (lastRecord?.sentence ?? "entered") : `paused: ${paused.why}`;
  return neutraliseLine(`${at}  ${rollout.state}${where}  ${why}`);
}

/** What makes two looks tell the same. */
export function changeKey({ rollout, progress, lastRecord }: RolloutViewAnswer): string {
  const { state, stage, paused, back, bypass } = rollout;
  const said = [state, stage?.step, stage?.phase, stage?.extensions, back?.phase, bypass?.kind, paused?.code];
  return [...said, progress.verdict, lastRecord?.code].map((it) => it ?? "").join("|");
}

function stateWord({ state, paused, direction }: RolloutAnswer, verdict: string): string {
  if (paused !== null) return `${state}, paused`;
  if (direction === "back" && state !== "rolling-back") return `${state} (back)`;
  return verdict === "halted" ? "halted" : state;
}

function paintedState({ rollout, progress }: RolloutViewAnswer, paint: Painter): string {
  const word = neutraliseLine(stateWord(rollout, progress.verdict));
  switch (progress.verdict) {
    case "current":
    case "finished":
      return paint.good(`✓ ${word}`);
    case "halted":
    case "rolled-back":
      return paint.bad(`✖ ${word}`);
    case "paused":
      return paint.warn(`‖ ${word}`);
    default:
      return rollout.state === "unknown" ? paint.warn(`? ${word}`) : `⟳ ${word}`;
  }
}

function stepWord(
  { name, state }: { readonly name: string; readonly state: string },
  paint: Painter,
): string {
  const word = neutraliseLine(name);
  if (state === "done") return paint.good(`✓ ${word}`);
  if (state === "failed") return paint.bad(`✖ ${word}`);
  return state === "open" ? paint.strong(`⟳ ${word}`) : paint.dim(`○ ${word}`);
}

/** What it waits for, who held it, and whom it suspects. */
function notes({ rollout, lastRecord }: RolloutViewAnswer, paint: Painter): string[] {
  const { paused, halt, back, bypass, drainers, quarantined } = rollout;
  const said: [string, string][] = [];
  if (lastRecord !== null) said.push(["now", lastRecord.sentence]);
  if (lastRecord?.wouldChange) said.push(["changes with", lastRecord.wouldChange]);
  if (paused !== null) said.push(["paused", `by ${paused.by}: ${paused.why}`]);
  if (halt !== null) said.push(["halted by", `${halt.gate}: ${halt.why}`]);
  for (const { kind, name, rate, restRate, finished } of halt?.suspects ?? []) {
    said.push([
      "suspect",
      `${kind} ${name} fails ${perCent(rate)} of ${finished}, the rest ${perCent(restRate)}`,
    ]);
  }
  if (back !== null) said.push(["goes back", `by ${back.by}: ${back.why}`]);
  if (bypass !== null) {
    const until = bypass.expiresAt === null ? "" : ` until ${bypass.expiresAt}`;
    said.push([bypass.kind, `by ${bypass.by}${until}: ${bypass.why}`]);
  }
  for (const { worker, why } of quarantined) said.push(["quarantined", `${worker}: ${why}`]);
  if (drainers.length > 0) said.push(["still leaving", drainers.map(({ release }) => release).join(", ")]);
  return said.map(([name, fact]) => ` ${paint.dim(name.padEnd(12))} ${neutraliseLine(fact)}`);
}

function gateLines(record: RolloutRecordAnswer | null, paint: Painter): string[] {
  const evaluations = record?.evaluations ?? [];
  if (evaluations.length === 0) return [paint.dim("GATES  nothing is judged yet")];
  return evaluations.map(({ gate, outcome, sentence, sample, othersSample }, index) => {
    const mark = outcome === "pass" ? paint.good("✓") : outcome === "fail" ? paint.bad("✖") : "·";
    const jobs = paint.dim(`(n=${sample}, others ${othersSample})`);
    return `${index === 0 ? "GATES" : "     "}  ${mark} ${neutraliseLine(gate)}: ${neutraliseLine(sentence)} ${jobs}`;
  });
}
