/**
 * Asks for a rollout and follows it, by the control API alone, and says each step of it.
 *
 * It decides nothing. Everything that waits has a limit.
 */
import type { Clock } from "#shared/clock";
import { understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { postRollout, readRollout, rolloutPath } from "../commands/rollout/read-rollout.ts";
import {
  changedAnswer,
  type RolloutAnswer,
  type RolloutRecordAnswer,
  type RolloutViewAnswer,
  recordsAnswer,
  startedAnswer,
} from "../commands/rollout/rollout-answer.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { requestJson } from "../http-client.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";

const LOOK_MS = 250;
const RECORDS_MAX = 500;

export interface DirectorPorts {
  readonly controlUrl: string;
  readonly pool: string;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  note(line: string): void;
}

export interface ActOptions {
  readonly why: string;
  /** For `force`. */
  readonly expiresInMs?: number;
  /** For `revise`. */
  readonly to?: string;
}

export class RolloutDirector {
  readonly #ports: DirectorPorts;
  #told = "";

  constructor(ports: DirectorPorts) {
    this.#ports = ports;
  }

  /** @throws {CliError} when something is in its way. */
  async start(to: string, why: string): Promise<RolloutAnswer> {
    const { controlUrl, pool } = this.#ports;
    const body = { pool, to, why, by: "demo" };
    const answer = await postRollout({ baseUrl: controlUrl, path: "/v1/rollouts", body }, pool);
    return understood(startedAnswer, answer, "rollout").rollout;
  }

  /** @throws {CliError} when it is refused. */
  async act(kind: string, options: ActOptions): Promise<RolloutAnswer> {
    const { controlUrl, pool } = this.#ports;
    const path = `${rolloutPath(pool)}/${kind}`;
    const answer = await postRollout({ baseUrl: controlUrl, path, body: { ...options, by: "demo" } }, pool);
    return understood(changedAnswer, answer, "rollout").rollout;
  }

  /** @throws {CliError} */
  async view(): Promise<RolloutViewAnswer> {
    const { controlUrl, pool } = this.#ports;
    return (await readRollout(controlUrl, pool)).view;
  }

  /**
   * Resolves once a look shows what is waited for, or when it was stopped.
   *
   * @param what is waited for, for the error. @throws {CliError} when that takes too long.
   */
  async until(
    what: string,
    isSeen: (view: RolloutViewAnswer) => boolean,
    timeoutMs: number,
  ): Promise<RolloutViewAnswer> {
    const { clock, stop } = this.#ports;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const view = await this.view();
      this.#tell(view);
      if (isSeen(view) || stop.aborted) return view;
      if (clock.monotonicMs() >= deadlineMs) throw tooLong(what, view, timeoutMs);
      await clock.sleep(LOOK_MS, stop);
    }
  }

  /** Of the newest rollout, oldest first. @throws {CliError} */
  async records(rollout: string): Promise<readonly RolloutRecordAnswer[]> {
    const { controlUrl, pool } = this.#ports;
    const path = `${rolloutPath(pool)}/records?limit=${RECORDS_MAX}`;
    const answer = await requestJson({ method: "GET", baseUrl: controlUrl, path });
    const { records } = understood(recordsAnswer, answer, "records of rollouts");
    return records.filter((it) => it.rollout === rollout).reverse();
  }

  #tell({ rollout, lastRecord }: RolloutViewAnswer): void {
    const { state, direction, stage, from, to, paused } = rollout;
    const where = stage === null ? "" : `, ${stage.kind} ${stage.step} ${stage.phase}`;
    const how = `${state}${direction === "back" ? " (back)" : ""}${where}${paused === null ? "" : ", paused"}`;
    if (how === this.#told) return;
    this.#told = how;
    const why = lastRecord === null || lastRecord.rollout !== rollout.id ? "" : `: ${lastRecord.sentence}`;
    this.#ports.note(neutraliseLine(`${from} -> ${to}  ${how}${why}`));
  }
}

function tooLong(what: string, { rollout, lastRecord }: RolloutViewAnswer, timeoutMs: number): CliError {
  const { state, stage } = rollout;
  const where = stage === null ? state : `${state} (${stage.kind} ${stage.step}, ${stage.phase})`;
  return new CliError({
    exitCode: CLI_EXIT.timedOut,
    code: "DEMO_TIMEOUT",
    message: `The rollout did not come to ${what} within ${timeoutMs / 1_000} s; it is ${where}: ${lastRecord?.sentence ?? "-"}`,
  });
}
