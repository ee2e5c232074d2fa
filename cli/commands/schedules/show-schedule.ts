/** Schedules for people: when, how far, and what is in the way. Whatever the server says is neutralised. */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { ScheduleAnswer } from "./schedule-answer.ts";

const COLUMNS = [
  left("SCHEDULE"),
  left("TYPE"),
  left("WHEN"),
  left("STATE"),
  left("NEXT"),
  left("LAST"),
  right("ENQUEUED"),
  right("MISSED"),
];

export function showSchedules(schedules: readonly ScheduleAnswer[]): string {
  if (schedules.length === 0) return "no schedules\n";
  const rows = schedules.map((it) => [
    it.name,
    `${it.type} v${it.schemaversion}`,
    whenOf(it),
    stateOf(it),
    it.status.nextOccurrence ?? "-",
    it.status.lastOccurrence ?? "-",
    String(it.status.enqueued),
    String(it.status.missed),
  ]);
  return `${renderTable(COLUMNS, rows).join("\n")}\n`;
}

export function showSchedule(schedule: ScheduleAnswer, paint: Painter): string {
  const { status } = schedule;
  const line = (name: string, value: string) => `${name.padEnd(10)}${neutraliseLine(value)}`;
  const lines = [
    `${paint.strong(neutraliseLine(schedule.name))}  ${neutraliseLine(stateOf(schedule))}`,
    line("type", `${schedule.type} v${schedule.schemaversion}`),
    line("when", whenOf(schedule)),
    ...boundsOf(schedule).map((bounds) => line("bounds", bounds)),
    line("missed", `${status.missed}, policy ${schedule.missed} after ${showDuration(schedule.graceMs)}`),
    line("enqueued", String(status.enqueued)),
    line("last", lastOf(schedule)),
    ...schedule.nextOccurrences.map((at, index) => line(index === 0 ? "next" : "", at)),
    line("changed", `${schedule.changedAt} by ${schedule.changedBy} (revision ${schedule.revision})`),
  ];
  return `${[...lines, ...troubleOf(schedule, paint)].join("\n")}\n`;
}

function whenOf({ every, cron }: ScheduleAnswer): string {
  if (every !== null) return `every ${showDuration(every.intervalMs)}`;
  return cron === null ? "-" : `${cron.expression} (${cron.timeZone})`;
}

/** The state in a word, and what is wrong with it. */
function stateOf({ status }: ScheduleAnswer): string {
  return status.health === "ok" ? status.state : `${status.state}, ${status.health}`;
}

function boundsOf({ startAt, endAt }: ScheduleAnswer): readonly string[] {
  const bounds = [startAt === null ? "" : `from ${startAt}`, endAt === null ? "" : `until ${endAt}`];
  const shown = bounds.filter((it) => it !== "").join(" ");
  return shown === "" ? [] : [shown];
}

function lastOf({ status }: ScheduleAnswer): string {
  return status.lastOccurrence === null
    ? "-"
    : `${status.lastOccurrence}  ${status.lastJobId ?? ""}`.trimEnd();
}

function troubleOf({ status }: ScheduleAnswer, paint: Painter): readonly string[] {
  const { refused, lastMissed } = status;
  const lines: string[] = [];
  if (refused !== null) {
    const what = `${refused.occurrence} is refused (${refused.code}, ${refused.tries} tries): ${refused.message}`;
    lines.push(paint.bad(neutraliseLine(what)));
  }
  if (lastMissed !== null) {
    const what = `${lastMissed.occurrence} was missed (${lastMissed.code}): ${lastMissed.message}`;
    lines.push(paint.warn(neutraliseLine(what)));
  }
  return lines;
}
