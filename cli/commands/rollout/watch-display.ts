/**
 * What a watched rollout is shown on: a terminal that is drawn over, or a line for each change beside the answer, with
 * a sign of life where none comes.
 */
import { LiveScreen, type LiveTerminal } from "../../terminal/live-screen.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import type { RolloutViewAnswer } from "./rollout-answer.ts";
import { changeKey, changeLine, showRollout } from "./show-rollout.ts";
import type { WorkersSeen } from "./show-rollout-workers.ts";

export interface WatchDisplay {
  show(view: RolloutViewAnswer, seen: WorkersSeen): void;
  /** Something else than the rollout; neutralised. */
  say(words: string): void;
  /** Before the answer. */
  end(): void;
}

const SIGN_OF_LIFE_MS = 15_000;

export function displayOf(pool: string, context: CommandContext): WatchDisplay {
  return context.live === null ? new ChangeLines(context) : drawn(context.live, { pool, context });
}

function drawn(
  live: LiveTerminal,
  { pool, context: { paint } }: { readonly pool: string; readonly context: CommandContext },
): WatchDisplay {
  const screen = new LiveScreen(live);
  const asks = `sluice rollout pause | promote | abort ${neutraliseLine(pool)} --why "..." · ^C ends the view, not the rollout`;
  return {
    show: (view, seen) => screen.draw([...showRollout(view, seen, paint), paint.dim(asks)]),
    say: (words) => screen.draw([words]),
    end: () => screen.clear(),
  };
}

class ChangeLines implements WatchDisplay {
  readonly #context: Pick<CommandContext, "note" | "clock">;
  #key = "";
  #saidMs = 0;

  constructor(context: Pick<CommandContext, "note" | "clock">) {
    this.#context = context;
  }

  show(view: RolloutViewAnswer): void {
    const key = changeKey(view);
    const isSilent = this.#context.clock.monotonicMs() - this.#saidMs >= SIGN_OF_LIFE_MS;
    if (key !== this.#key) this.#write(changeLine(view));
    else if (isSilent) this.#write(`${changeLine(view)} (no change)`);
    this.#key = key;
  }

  say(words: string): void {
    if (this.#key !== words) this.#write(words);
    this.#key = words;
  }

  end(): void {
    // Its lines stay.
  }

  #write(line: string): void {
    this.#context.note(line);
    this.#saidMs = this.#context.clock.monotonicMs();
  }
}
