/**
 * The worker containers of one stack: seen, started, told to drain, killed, and removed when they have ended. It judges
 * nothing; `docker-executor.ts` does.
 *
 * What there is to know of a worker is on its container: labels say whose it is, and the name says whether it was told
 * to drain and until when. So an executor that is started anew knows all of it, and never signals a drain twice: a
 * second signal tells a worker to wait for nothing.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import { lastWordsIn } from "#shared/worker-last-words";
import type { ExecutedWorker } from "../fleet/fleet-executor.ts";
import type { WorkerEnd } from "../fleet/local-processes.ts";
import { containerSpecOf, LABELS, type StackFacts } from "./container-spec.ts";
import type { ContainerEnd, DockerEngine, ListedContainer } from "./docker-engine.ts";
import type { ImagePins } from "./image-pins.ts";
import type { PoolTemplate, ReleaseTemplate } from "./templates.ts";

/** `<stack>-drains-<until, ms since the epoch>-<worker>` */
const DRAINS = /-drains-(\d{1,15})-[a-z0-9-]+$/;

/** Lines that the engine shows begin with a frame of eight bytes, whose first is below space. */
const LAST_WORDS_CHARS_MAX = 4_000;

export interface ContainedWorker extends ExecutedWorker {
  readonly containerId: string;
  readonly isRunning: boolean;
  /** When it is to be killed, in milliseconds since the Unix epoch; `null`: it was not told to drain. */
  readonly drainsUntilMs: number | null;
}

export interface DockerWorkersPorts {
  readonly engine: DockerEngine;
  readonly pins: Pick<ImagePins, "idOf">;
  readonly stack: StackFacts;
  readonly clock: Clock;
  readonly log: Log;
}

export class DockerWorkers {
  readonly #ports: DockerWorkersPorts;

  constructor(ports: DockerWorkersPorts) {
    this.#ports = ports;
  }

  /** All of the stack, ended ones too, longest running first. @throws {EngineError} */
  async list(): Promise<readonly ContainedWorker[]> {
    const { engine, stack } = this.#ports;
    const containers = await engine.list(`${LABELS.stack}=${stack.stack}`);
    return containers.flatMap(workerOf).toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  }

  /** @throws {EngineError} when it could not be started; nothing is left of it then. */
  async start(pool: PoolTemplate, release: ReleaseTemplate, epoch: number): Promise<ContainedWorker> {
    const { engine, pins, stack, clock, log } = this.#ports;
    const imageId = await pins.idOf(release);
    const workerId = `w-${randomUUID().slice(0, 8)}`;
    const spec = containerSpecOf(pool, release, { ...stack, workerId, epoch, imageId });
    const containerId = await engine.create(`${stack.stack}-${pool.queue}-${workerId}`, spec);
    const startedAtMs = clock.nowMs();
    try {
      await engine.start(containerId);
    } catch (error) {
      await engine.remove(containerId).catch(() => undefined);
      throw error;
    }
    log.info(
      { worker: workerId, release: release.release, queue: pool.queue, imageId },
      "worker is starting",
    );
    const facts = { workerId, release: release.release, queue: pool.queue, startedAtMs, pid: null };
    return { ...facts, containerId, isRunning: true, drainsUntilMs: null };
  }

  /** Once: on the container's name first, so that no later executor says it again. @throws {EngineError} */
  async drain(worker: ContainedWorker, untilMs: number): Promise<ContainedWorker> {
    const { engine, stack } = this.#ports;
    if (worker.drainsUntilMs !== null) return worker;
    await engine.rename(worker.containerId, `${stack.stack}-drains-${untilMs}-${worker.workerId}`);
    await engine.signal(worker.containerId, "SIGTERM");
    return { ...worker, drainsUntilMs: untilMs };
  }

  /** @throws {EngineError} */
  async kill({ workerId, containerId }: ContainedWorker): Promise<void> {
    this.#ports.log.warn({ worker: workerId }, "worker has outlasted its drain deadline and is killed");
    await this.#ports.engine.signal(containerId, "SIGKILL");
  }

  /** Takes down what has ended, and tells how it did. @throws {EngineError} */
  async takeDown(worker: ContainedWorker): Promise<WorkerEnd> {
    const { engine, log, clock } = this.#ports;
    const { containerId, workerId, release } = worker;
    const state = await engine.endOf(containerId);
    const { code, signal } = endOf(state);
    const words = code === 0 || state === null ? null : lastWordsOf(await engine.lastLines(containerId));
    await engine.remove(containerId);
    const facts = { worker: workerId, release, code, signal, outOfMemory: state?.OOMKilled ?? false };
    log.info({ ...facts, words: words?.text }, "worker has exited");
    const livedMs = clock.nowMs() - worker.startedAtMs;
    const told = state?.OOMKilled === true ? outOfMemory() : words;
    return { worker: { ...worker, pid: 0 }, code, signal, words: told, livedMs };
  }
}

function workerOf({ Id, Names, State, Created, Labels }: ListedContainer): ContainedWorker[] {
  const { [LABELS.worker]: workerId, [LABELS.release]: release, [LABELS.pool]: queue } = Labels ?? {};
  if (workerId === undefined || release === undefined || queue === undefined) return [];
  const until = DRAINS.exec(Names[0] ?? "")?.[1];
  return [
    {
      workerId,
      release,
      queue,
      startedAtMs: Created * 1_000,
      pid: null,
      containerId: Id,
      isRunning: State === "running" || State === "paused" || State === "restarting",
      drainsUntilMs: until === undefined ? null : Number(until),
    },
  ];
}

/** An engine tells a signal as 128 and its number. */
function endOf(state: ContainerEnd | null): { readonly code: number | null; readonly signal: string | null } {
  if (state === null) return { code: null, signal: null };
  const { ExitCode: code } = state;
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0] ?? null;
  return signal === null ? { code, signal } : { code: null, signal };
}

function outOfMemory() {
  const text = "it was out of memory: raise the pool's container.memoryMb, or lower slotsPerWorker";
  return { kind: "sluice-last-words" as const, code: null, text };
}

/** The message of the last error in its log, or its last line; made safe to show. */
function lastWordsOf(log: string) {
  const lines = log
    .slice(-LAST_WORDS_CHARS_MAX)
    .split("\n")
    .map((it) => it.trim());
  const told = lines.flatMap((line) => messageIn(line) ?? []).at(-1);
  const text =
    told ??
    lines
      .filter((it) => it !== "")
      .at(-1)
      ?.replace(/^[^\x20-\x7e]+/, "") ??
    "";
  return text === ""
    ? null
    : lastWordsIn({ kind: "sluice-last-words", code: null, text: text.slice(0, 200) });
}

function messageIn(line: string): string | null {
  try {
    const { err, msg } = JSON.parse(line.slice(Math.max(0, line.indexOf("{"))));
    const found: unknown = err?.message ?? msg;
    return typeof found === "string" ? found : null;
  } catch {
    return null;
  }
}
