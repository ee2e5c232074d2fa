/**
 * Tries a build before it gets jobs: its readers on every stored golden sample, a job of a queue of its own, and the
 * app's own probe.
 *
 * It never runs a handler and touches no lane. What fails ends as a sentence; it never rejects.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { ResolvedApp } from "./app.ts";

/** For the app's own probe. */
const APP_PROBE_MS_MAX = 30_000;

/** Of a sentence; what an app throws can be long. */
const DETAIL_CHARS_MAX = 500;

export interface ProbePorts {
  readonly app: ResolvedApp;
  readonly release: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the worker stops. */
  readonly stop: AbortSignal;
  /** Reads what is stored with this build; how many samples there were, and what it could not read. */
  readSamples(): Promise<{ readonly read: number; readonly problems: readonly string[] }>;
  /** Runs one job of its own; rejects with what went wrong. */
  runOwnJob(): Promise<void>;
}

export interface ProbeResult {
  readonly outcome: "succeeded" | "failed";
  /** In a sentence; hostile text. */
  readonly detail: string;
}

/** Never rejects. */
export async function runProbe(ports: ProbePorts): Promise<ProbeResult> {
  const { app } = ports;
  let step = "the golden samples could not be read";
  try {
    const { read, problems } = await ports.readSamples();
    const [first] = problems;
    if (first !== undefined) return failed(`${problems.length} of ${read} golden samples: ${first}`);
    step = "a job of its own failed";
    await ports.runOwnJob();
    step = "the app's probe failed";
    if (app.probe !== undefined) await runAppProbe(app.probe, ports);
    const own = app.probe === undefined ? "the app has no probe" : "the app's probe passed";
    return {
      outcome: "succeeded",
      detail: `it read ${read} golden samples and ran a job of its own; ${own}`,
    };
  } catch (error) {
    return failed(`${step}: ${textOf(error)}`);
  }
}

async function runAppProbe(probe: NonNullable<ResolvedApp["probe"]>, ports: ProbePorts): Promise<void> {
  const { release, clock, log, stop } = ports;
  const end = new AbortController();
  const late = new Error(`it took longer than ${APP_PROBE_MS_MAX / 1_000} s`);
  const signal = AbortSignal.any([end.signal, stop]);
  const cancelTimeout = clock.after(APP_PROBE_MS_MAX, () => end.abort(late));
  // A promise that is left behind must not end the process when it rejects later.
  const running = (async () =>
    probe({ signal, release, log: (message, facts) => log.info({ ...facts }, message) }))();
  running.catch(() => undefined);
  try {
    await Promise.race([running, aborted(signal)]);
  } finally {
    cancelTimeout();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const act = () => reject(signal.reason ?? new Error("the worker stops"));
    if (signal.aborted) act();
    else signal.addEventListener("abort", act, { once: true });
  });
}

function failed(detail: string): ProbeResult {
  return { outcome: "failed", detail: detail.slice(0, DETAIL_CHARS_MAX) };
}

/** Anything can be thrown, and some of it cannot be made a text. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return `a thrown ${typeof error}`;
  }
}
