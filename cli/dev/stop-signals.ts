/**
 * ^C and its like: the first asks for a stop, a second one insists.
 *
 * One ^C can arrive twice: the terminal signals us and npm, and npm passes its own on to us. So signals
 * that come together are one.
 */
import type { Clock } from "#shared/clock";

/** Closer together than two presses of a key are. */
const TOGETHER_MS = 300;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface StopSignals {
  /** Aborts with the first signal. */
  readonly stop: AbortSignal;
  /** Aborts with a later one. */
  readonly insist: AbortSignal;
}

export interface SignalSource {
  on(name: NodeJS.Signals, act: () => void): unknown;
}

export function listenForStopSignals(source: SignalSource, clock: Clock): StopSignals {
  const stop = new AbortController();
  const insist = new AbortController();
  let firstMs: number | null = null;
  const onSignal = () => {
    const nowMs = clock.monotonicMs();
    if (firstMs !== null && nowMs - firstMs < TOGETHER_MS) return;
    (firstMs === null ? stop : insist).abort();
    firstMs ??= nowMs;
  };
  for (const name of SIGNALS) source.on(name, onSignal);
  return { stop: stop.signal, insist: insist.signal };
}
