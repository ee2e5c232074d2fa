/**
 * What one child says. Held back while it starts, because a failed start is told as one error; then
 * shown as it comes. A line that comes again and again is counted and not repeated.
 */
import type { Clock } from "#shared/clock";
import { type LogLine, parseLogLine } from "./log-line.ts";

/** Lines kept to explain an end. */
const KEPT_MAX = 20;

/** The same line is shown again after this long. */
const REPEAT_MS = 10_000;

export class ChildVoice {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #show: (line: LogLine) => void;
  readonly #kept: LogLine[] = [];
  #held: LogLine[] | null = [];
  #lastText = "";
  #lastShownMs = 0;
  #repeats = 0;

  constructor(name: string, clock: Clock, show: (line: LogLine) => void) {
    this.#name = name;
    this.#clock = clock;
    this.#show = show;
  }

  hear(text: string): void {
    const line = parseLogLine(text, this.#name);
    this.#kept.push(line);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    if (this.#held === null) this.#tell(line);
    else if (this.#held.length < KEPT_MAX) this.#held.push(line);
  }

  /** It has started: what was held back is shown, and from now on everything. */
  open(): void {
    for (const line of this.#held ?? []) this.#tell(line);
    this.#held = null;
  }

  /** Its last error in its own words, else its last lines; `null` when it said nothing. */
  get lastWords(): string | null {
    const error = this.#kept.findLast((line) => line.error !== null)?.error;
    return error ?? (this.#kept.map((line) => line.text).join("\n") || null);
  }

  #tell(line: LogLine): void {
    const nowMs = this.#clock.monotonicMs();
    if (line.text === this.#lastText && nowMs - this.#lastShownMs < REPEAT_MS) {
      this.#repeats += 1;
      return;
    }
    if (this.#repeats > 0)
      this.#show({ ...line, text: `(${this.#repeats} more like the last)`, error: null });
    this.#lastText = line.text;
    this.#lastShownMs = nowMs;
    this.#repeats = 0;
    this.#show(line);
  }
}
