/** A state as an icon and a word: the colour only repeats what they say. */
import type { WorkerState } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import type { LaneState } from "./lane-state.ts";
import type { Level } from "./verdict.ts";

type Tone = Level | "quiet";

export interface StateMark {
  readonly tone: Tone;
  readonly icon: string;
  readonly word: string;
}

export const LEVEL_MARKS: Readonly<Record<Level, StateMark>> = {
  alarm: { tone: "alarm", icon: "✖", word: "Alarm" },
  warning: { tone: "warning", icon: "▲", word: "Warning" },
  unknown: { tone: "unknown", icon: "?", word: "Not known" },
  fine: { tone: "fine", icon: "✔", word: "Fine" },
};

export const LANE_MARKS: Readonly<Record<LaneState, StateMark>> = {
  orphaned: { tone: "alarm", icon: "✖", word: "nobody reads it" },
  tripped: { tone: "alarm", icon: "✖", word: "tripped" },
  late: { tone: "alarm", icon: "✖", word: "late" },
  unpromised: { tone: "unknown", icon: "?", word: "no promise" },
  "on-time": { tone: "fine", icon: "✔", word: "on time" },
  idle: { tone: "quiet", icon: "–", word: "idle" },
};

/** From worst to best, the order in which workers are shown. */
export const WORKER_STATES: readonly WorkerState[] = [
  "dead",
  "quarantined",
  "suspect",
  "starting",
  "draining",
  "ok",
];

export const WORKER_MARKS: Readonly<Record<WorkerState, StateMark>> = {
  dead: { tone: "alarm", icon: "✖", word: "dead" },
  quarantined: { tone: "warning", icon: "▲", word: "quarantined" },
  suspect: { tone: "warning", icon: "▲", word: "suspect" },
  starting: { tone: "quiet", icon: "↑", word: "starting" },
  draining: { tone: "quiet", icon: "↓", word: "draining" },
  ok: { tone: "fine", icon: "✔", word: "ok" },
};

/** @param text shown instead of the mark's own word. */
export function renderMark({ tone, icon, word }: StateMark, text: string = word): Html {
  return html`<span class="mark ${tone}"><span aria-hidden="true">${icon}</span> ${text}</span>`;
}
