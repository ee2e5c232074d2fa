/**
 * What `sluice dev` says: one line a step of the start, a block of addresses, then one line an event.
 * No clock of its own and no cursor tricks, so it reads the same in a terminal, a pipe and a log.
 */
import type { Clock } from "#shared/clock";
import type { Output } from "../answer.ts";
import type { Painter } from "../terminal/colour.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";

const STEP_CHARS = 58;

const timeOfDay = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

export class Screen {
  readonly #output: Output;
  readonly #paint: Painter;
  readonly #clock: Clock;

  constructor(output: Output, paint: Painter, clock: Clock) {
    this.#output = output;
    this.#paint = paint;
    this.#clock = clock;
  }

  line(text = ""): void {
    this.#output.write(text === "" ? "\n" : `  ${text}\n`);
  }

  /** Runs one step of the start and says how it went and how long it took; nothing when `told` is `null`. */
  async step<Result>(
    name: string,
    act: () => Promise<Result>,
    told: (result: Result) => string | null,
  ): Promise<Result> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const result = await act();
      const seconds = ((this.#clock.monotonicMs() - startedMs) / 1_000).toFixed(1);
      const words = told(result);
      if (words !== null) {
        const padded = `${name.padEnd(11)} ${neutraliseLine(words).padEnd(STEP_CHARS)}`;
        this.line(`${this.#paint.good("✓")} ${padded} ${this.#paint.dim(`${seconds} s`)}`);
      }
      return result;
    } catch (error) {
      this.line(`${this.#paint.bad("✗")} ${name}`);
      throw error;
    }
  }

  heading(text: string): void {
    this.line(this.#paint.strong(text));
  }

  /** An aligned line of the block of addresses. */
  fact(name: string, value: string): void {
    this.line(`  ${this.#paint.dim(name.padEnd(14))} ${neutraliseLine(value)}`);
  }

  /** Something that happened, with the local time of day. */
  event(subject: string, text: string, mood: "plain" | "warn" | "bad" = "plain"): void {
    const name = neutraliseLine(subject).padEnd(10);
    const shown = mood === "plain" ? name : this.#paint[mood](name);
    this.line(`${this.#paint.dim(timeOfDay.format(this.#clock.nowMs()))}  ${shown}  ${neutraliseLine(text)}`);
  }
}
