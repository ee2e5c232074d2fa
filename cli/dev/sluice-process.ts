/** A process of Sluice's own (the producer, the autoscaler): started, waited for, kept running, stopped. */
import type { Clock } from "#shared/clock";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { send } from "../http-client.ts";
import { problemsIn } from "../readiness.ts";
import { ChildVoice } from "./child-voice.ts";
import type { Screen } from "./screen.ts";
import { type StopPlan, SupervisedProcess, showEnd } from "./supervised-process.ts";

const READY_MS_MAX = 30_000;
const LOOK_AGAIN_MS = 100;
const ANSWER_MS_MAX = 2_000;

export interface SluiceProcessOptions {
  readonly name: string;
  /** The script to run on this Node. */
  readonly main: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Base address it will listen on. */
  readonly baseUrl: string;
  readonly screen: Screen;
  readonly clock: Clock;
}

export class SluiceProcess {
  readonly #options: SluiceProcessOptions;
  readonly #voice: ChildVoice;
  readonly #process: SupervisedProcess;

  constructor(options: SluiceProcessOptions) {
    const { name, main, env, screen, clock } = options;
    this.#options = options;
    this.#voice = new ChildVoice(name, clock, ({ process, level, text }) =>
      screen.event(process, `${level}: ${text}`, level === "warn" ? "warn" : "bad"),
    );
    this.#process = new SupervisedProcess(
      { name, command: process.execPath, args: [main], env, ipc: true },
      {
        clock,
        onLine: (line) => this.#voice.hear(line),
        onRestart: (end, delayMs) =>
          screen.event(name, `${showEnd(end)}; starting it again in ${delayMs / 1_000} s`, "bad"),
      },
    );
  }

  start(): void {
    this.#process.start();
  }

  /** Resolves once it is ready, or `stop` aborts. @throws {CliError} when it ends, or takes too long. */
  async untilReady(stop: AbortSignal): Promise<void> {
    const { name, clock, baseUrl } = this.#options;
    const deadlineMs = clock.monotonicMs() + READY_MS_MAX;
    while (!stop.aborted) {
      const problem = await this.#findProblem();
      const end = this.#process.finalEnd;
      if (end !== null) {
        throw new CliError({
          exitCode: end.code ?? CLI_EXIT.unexpected,
          code: "PROCESS_NOT_STARTED",
          message: `The ${name} ${showEnd(end)}.\n${this.#voice.lastWords ?? ""}`.trim(),
        });
      }
      if (problem === null) break;
      if (clock.monotonicMs() > deadlineMs) {
        throw new CliError({
          exitCode: CLI_EXIT.unexpected,
          code: "PROCESS_NOT_READY",
          message: `The ${name} is not ready after ${READY_MS_MAX / 1_000} s: ${problem}.`,
          hint: `${baseUrl}/readyz says so.`,
        });
      }
      await clock.sleep(LOOK_AGAIN_MS, stop);
    }
    this.#process.keepAlive();
    this.#voice.open();
  }

  async stop(plan: StopPlan): Promise<void> {
    await this.#process.stop(plan);
  }

  /** What keeps it from being ready, `null` when it is. */
  async #findProblem(): Promise<string | null> {
    const { baseUrl } = this.#options;
    try {
      const answer = await send({ method: "GET", baseUrl, path: "/readyz", timeoutMs: ANSWER_MS_MAX });
      return answer.status === 200 ? null : (problemsIn(answer.value) ?? `it answers ${answer.status}`);
    } catch (error) {
      return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
    }
  }
}
