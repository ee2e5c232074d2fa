/**
 * A fleet executor in another process, asked over HTTP.
 *
 * One that does not answer, or refuses what is not a leader of the past, may have started nothing: the round goes on, the
 * reason stands at the release, and the next command says it again. Only the past is an error: whoever hears of it must
 * stop leading.
 */
import type { z } from "zod";
import { StaleEpochError } from "#shared/errors";
import type { Log } from "#shared/log";
import {
  commandAnswer,
  EXECUTOR_PATHS,
  executorStatus,
  refusalAnswer,
} from "../executor-service/executor-messages.ts";
import { requestJson } from "../executor-service/json-request.ts";
import type {
  CommandAnswer,
  ExecutorStatus,
  FleetCommand,
  FleetExecutor,
  StopCommand,
} from "./fleet-executor.ts";

/** Starting containers takes a while, and a leader acts for eight seconds after it was granted its lease. */
const COMMAND_TIMEOUT_MS = 7_000;
const STATUS_TIMEOUT_MS = 2_000;

export interface RemoteExecutorPorts {
  /** Its `http://` address. */
  readonly url: string;
  readonly token: string;
  readonly log: Log;
}

export class RemoteExecutor implements FleetExecutor {
  readonly #ports: RemoteExecutorPorts;
  /** Why it did not do as told, by pool and release; gone with the next command that it obeys. */
  readonly #failures = new Map<string, { queue: string; release: string; reason: string }>();
  #status: ExecutorStatus = { epoch: null, workers: [], ended: [], blocked: [], room: {} };
  #epoch = 0;
  #isAway = false;

  constructor(ports: RemoteExecutorPorts) {
    this.#ports = ports;
  }

  /** The highest epoch that it is known to have heard, 0 before it has said. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @throws {StaleEpochError} */
  async desired(command: FleetCommand): Promise<CommandAnswer> {
    const { queue, release } = command;
    const key = `${queue}/${release}`;
    try {
      const answer = await this.#command(EXECUTOR_PATHS.desired, command, commandAnswer);
      this.#failures.delete(key);
      return answer;
    } catch (error) {
      if (error instanceof StaleEpochError) throw error;
      const reason = `The executor has not done as told: ${messageOf(error)}.`;
      if (command.desired > 0) this.#failures.set(key, { queue, release, reason });
      this.#ports.log.warn({ err: error, queue, release }, "executor has not done as told");
      return { started: [], limitedBy: "start-failures" };
    }
  }

  /** @throws {StaleEpochError} */
  async stop(command: StopCommand): Promise<void> {
    try {
      await this.#command(EXECUTOR_PATHS.stop, command, commandAnswer.partial());
    } catch (error) {
      if (error instanceof StaleEpochError) throw error;
      this.#ports.log.warn({ err: error, workers: command.workers }, "executor has not done as told");
    }
  }

  /** What it says, or what it said last while it does not answer. Never rejects. */
  async status(): Promise<ExecutorStatus> {
    const { log } = this.#ports;
    try {
      const answer = await this.#ask("GET", EXECUTOR_PATHS.status, { timeoutMs: STATUS_TIMEOUT_MS });
      const status = executorStatus.parse(answer);
      this.#status = status;
      this.#epoch = Math.max(this.#epoch, status.epoch ?? 0);
      if (this.#isAway) log.info("executor answers again");
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway)
        log.warn({ err: error }, "executor does not answer; its workers are shown as they were");
      this.#isAway = true;
    }
    return { ...this.#status, blocked: [...this.#status.blocked, ...this.#failures.values()] };
  }

  async #command<Schema extends z.ZodType>(
    path: string,
    command: FleetCommand | StopCommand,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const body = await this.#ask("POST", path, { body: command, timeoutMs: COMMAND_TIMEOUT_MS });
    return schema.parse(body);
  }

  /** @throws {StaleEpochError}, and when it does not answer or refuses. */
  async #ask(
    method: "GET" | "POST",
    path: string,
    { body, timeoutMs }: { readonly body?: FleetCommand | StopCommand; readonly timeoutMs: number },
  ): Promise<unknown> {
    const { url, token } = this.#ports;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await requestJson({ server: url, method, path, body, headers, timeoutMs });
    if (answer.status === 200) return answer.body;
    const refusal = refusalAnswer.safeParse(answer.body).data;
    if (answer.status === 409 && body !== undefined) {
      this.#epoch = Math.max(this.#epoch, refusal?.newest ?? 0);
      throw new StaleEpochError(body.epoch, refusal?.newest ?? null);
    }
    throw new Error(`${refusal?.code ?? `status ${answer.status}`} ${refusal?.detail ?? ""}`.trim());
  }
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/[\p{C}\s]+/gu, " ")
    .replace(/\.$/, "")
    .slice(0, 300);
}
