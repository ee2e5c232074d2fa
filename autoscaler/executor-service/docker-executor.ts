/**
 * The fleet executor whose workers are containers of a Docker engine.
 *
 * It obeys as the executor of a machine does: the highest epoch is on its own disk and looked at again right before
 * each start and stop; it never starts beyond a pool's maximum of the configuration, never too fast, and stops only
 * workers that are named to it. It starts declared releases of declared pools and nothing else. Without a leader it
 * keeps the pools' minimum of what was told last.
 *
 * The engine is asked once a second; between two looks it answers from memory.
 */
import type { Clock } from "#shared/clock";
import { StaleEpochError } from "#shared/errors";
import type { Log } from "#shared/log";
import { EpochFile } from "../fleet/epoch-file.ts";
import { ExecutorJournal, type JournalLine } from "../fleet/executor-journal.ts";
import type {
  CommandAnswer,
  ExecutedWorker,
  ExecutorStatus,
  FleetCommand,
  FleetExecutor,
  StopCommand,
} from "../fleet/fleet-executor.ts";
import { StartLimits } from "../fleet/start-limits.ts";
import { Turns } from "../fleet/turns.ts";
import { decideMissingMinimum } from "./decide-missing-minimum.ts";
import type { ContainedWorker, DockerWorkers } from "./docker-workers.ts";
import type { Templates } from "./templates.ts";
import { ToldCommands } from "./told-commands.ts";

/** What a worker may take beyond its drain deadline before it is killed. */
const KILL_GRACE_MS = 4_000;
const LOOK_MS = 1_000;
/** Containers that are started at the same time. */
const STARTS_AT_ONCE = 4;
const ENDED_KEPT_MAX = 1_000;

/** So long no leader must have been heard before the minimum is kept without one. */
export const UNLED_MS = 15_000;

export interface DockerExecutorPorts {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What it may start, as the configuration is now. */
  templates(): Templates;
  readonly workers: Pick<DockerWorkers, "list" | "start" | "drain" | "kill" | "takeDown">;
}

export class DockerExecutor implements FleetExecutor {
  readonly #ports: DockerExecutorPorts;
  readonly #file: EpochFile;
  readonly #journal: ExecutorJournal;
  readonly #limits: StartLimits;
  readonly #told: ToldCommands;
  /** Those that run, by their ids. */
  #workers = new Map<string, ContainedWorker>();
  /** Newest last. */
  readonly #ended = new Set<string>();
  #heardAtMs: number;
  #isStopping = false;
  /** One after the other: commands, looks, the keeping of the minimum. */
  readonly #turns = new Turns();

  /** @param ports.directory must be there. */
  constructor(ports: DockerExecutorPorts) {
    this.#ports = ports;
    this.#file = new EpochFile(ports.directory);
    this.#told = new ToldCommands(this.#file);
    this.#journal = new ExecutorJournal(ports.directory);
    this.#limits = new StartLimits(ports.clock);
    this.#heardAtMs = ports.clock.monotonicMs();
  }

  /** @throws {EngineError} when the engine does not answer; repeated, the command does no harm. */
  desired(command: FleetCommand): Promise<CommandAnswer> {
    return this.#turns.take(() => this.#journaled(command, () => this.#carryOut(command)));
  }

  stop(command: StopCommand): Promise<void> {
    return this.#turns.take(() => this.#journaled(command, () => this.#stop(command)));
  }

  async status(): Promise<ExecutorStatus> {
    return {
      epoch: this.#file.highest() || null,
      workers: [...this.#workers.values()].map(shown),
      ended: [...this.#ended],
      blocked: this.#limits.blocked(),
      // Its workers have memory of their own, by their containers' bounds.
      room: {},
    };
  }

  /** Whether a command may name it. */
  isDeclared(queue: string, release: string): boolean {
    const { pools, releases } = this.#ports.templates();
    return pools.has(queue) && releases.has(release);
  }

  /** Notes a request that was refused before it was a command. */
  refused(reason: string): void {
    this.#write({ what: "refused", epoch: this.#file.highest(), reason });
    this.#ports.log.warn({ reason }, "request is refused");
  }

  /** Looks once a second, takes down what has ended, and keeps the minimum while nobody leads. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    let wasWell = true;
    while (!signal.aborted) {
      try {
        await this.look();
        if (!wasWell) log.info("the container engine answers again");
        wasWell = true;
      } catch (error) {
        if (wasWell)
          log.error({ err: error }, "the container engine cannot be looked at; the last look stands");
        wasWell = false;
      }
      await clock.sleep(LOOK_MS, signal);
    }
  }

  /** @throws {EngineError} @throws {EpochFileCorruptError} */
  look(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#see();
      const { clock } = this.#ports;
      if (!this.#isStopping && clock.monotonicMs() - this.#heardAtMs >= UNLED_MS) await this.#keepMinimum();
    });
  }

  /** Drains all workers; those that outlast the deadline are killed. Resolves when none is left, or in the end. */
  async stopAll(): Promise<void> {
    const { clock, templates } = this.#ports;
    this.#isStopping = true;
    const deadlineMs = clock.monotonicMs() + templates().longestDrainMs + 2 * KILL_GRACE_MS;
    await this.#turns.take(() => this.#drain([...this.#workers.values()]));
    while (this.#workers.size > 0 && clock.monotonicMs() < deadlineMs) {
      await this.look().catch(() => undefined);
      if (this.#workers.size > 0) await clock.sleep(200);
    }
  }

  /** Ends all workers at once; their jobs run again when their leases end. */
  async killAll(): Promise<void> {
    this.#isStopping = true;
    await Promise.allSettled([...this.#workers.values()].map((it) => this.#ports.workers.kill(it)));
  }

  async #see(): Promise<void> {
    const { workers, clock } = this.#ports;
    const found = await workers.list();
    const present = new Map<string, ContainedWorker>();
    for (const worker of found) {
      if (!worker.isRunning) await this.#takeDown(worker);
      else present.set(worker.workerId, this.#known(worker));
    }
    for (const [workerId, worker] of this.#workers) {
      if (present.has(workerId) || this.#ended.has(workerId)) continue;
      // Somebody else has removed it.
      this.#hasEnded(workerId);
      const livedMs = clock.nowMs() - worker.startedAtMs;
      this.#limits.ended({ worker: { ...worker, pid: 0 }, code: null, signal: null, words: null, livedMs });
    }
    this.#workers = present;
    for (const worker of present.values()) {
      if (worker.drainsUntilMs !== null && clock.nowMs() >= worker.drainsUntilMs) await workers.kill(worker);
    }
    const strays = [...present.values()].filter((it) => !this.isDeclared(it.queue, it.release));
    await this.#drain(strays);
  }

  /** The engine tells the moment of a start by the second; what was seen here is exact. */
  #known(worker: ContainedWorker): ContainedWorker {
    const before = this.#workers.get(worker.workerId);
    if (before === undefined)
      this.#ports.log.info({ worker: worker.workerId, release: worker.release }, "worker is taken over");
    return before === undefined ? worker : { ...worker, startedAtMs: before.startedAtMs };
  }

  async #takeDown(worker: ContainedWorker): Promise<void> {
    const known = this.#workers.get(worker.workerId) ?? worker;
    const end = await this.#ports.workers.takeDown(known);
    this.#hasEnded(worker.workerId);
    this.#limits.ended(end);
  }

  #hasEnded(workerId: string): void {
    this.#workers.delete(workerId);
    this.#ended.add(workerId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_KEPT_MAX) break;
      this.#ended.delete(oldest);
    }
  }

  async #carryOut(command: FleetCommand): Promise<CommandAnswer> {
    const { queue, release, desired, leaving, heard } = command;
    const leavingHere = leaving.filter((it) => this.#workers.has(it)).toSorted();
    await this.#told.keep(command, leavingHere);
    this.#heardAtMs = this.#ports.clock.monotonicMs();
    for (const workerId of heard) this.#limits.heard(workerId);
    const there = this.#staying(queue).filter((it) => !leaving.includes(it.workerId));
    const missing = desired - there.filter((it) => it.release === release).length;
    if (missing <= 0 || this.#isStopping) return { started: [], limitedBy: null };
    const room = (this.#ports.templates().pools.get(queue)?.workersMax ?? 0) - there.length;
    const permitted = this.#limits.permitted(queue, release);
    const starts = Math.max(0, Math.min(missing, room, permitted.starts));
    const started = await this.#startSome(starts, command);
    if (started.length < starts) return { started, limitedBy: "start-failures" };
    if (missing <= starts) return { started, limitedBy: null };
    if (permitted.starts > starts) return { started, limitedBy: "workers-max" };
    return { started, limitedBy: permitted.by === "rate" ? "start-rate" : "start-failures" };
  }

  /** Ids of those that could be started; fewer when one could not. */
  async #startSome(
    count: number,
    { epoch, sequence, queue, release }: FleetCommand,
  ): Promise<readonly string[]> {
    const started: string[] = [];
    while (started.length < count) {
      const batch = Math.min(STARTS_AT_ONCE, count - started.length);
      const told = { what: "start", epoch, sequence } as const;
      const done = await Promise.all(Array.from({ length: batch }, () => this.#start(queue, release, told)));
      started.push(...done.flatMap((it) => it ?? []));
      if (done.includes(null)) break;
    }
    return started;
  }

  async #stop({ epoch, workers }: StopCommand): Promise<void> {
    this.#file.require(epoch);
    for (const worker of this.#workers.values()) {
      if (!workers.includes(worker.workerId) || worker.drainsUntilMs !== null) continue;
      this.#file.require(epoch);
      const { queue, release, workerId } = worker;
      this.#write({ what: "stop", epoch, queue, release, worker: workerId });
      await this.#drain([worker]);
    }
  }

  async #drain(workers: readonly ContainedWorker[]): Promise<void> {
    const { clock, templates } = this.#ports;
    await Promise.all(
      workers.map(async (worker) => {
        const deadlineMs = templates().pools.get(worker.queue)?.drainDeadlineMs ?? templates().longestDrainMs;
        const drains = await this.#ports.workers.drain(worker, clock.nowMs() + deadlineMs + KILL_GRACE_MS);
        this.#workers.set(worker.workerId, drains);
      }),
    );
  }

  /** @throws {EpochFileCorruptError} */
  async #keepMinimum(): Promise<void> {
    const told = this.#file.read();
    if (told === null) return;
    for (const { queue, workersMin, workersMax } of this.#ports.templates().pools.values()) {
      const { desired = {}, leaving = [] } = told.pools[queue] ?? {};
      // Those that leave take nothing, and nobody can call them back now.
      const stays = this.#staying(queue).filter((it) => !leaving.includes(it.workerId));
      const there = stays.map((it) => it.release);
      for (const release of decideMissingMinimum({ desired, there, workersMin, workersMax })) {
        if (!this.isDeclared(queue, release) || this.#limits.permitted(queue, release).starts === 0) continue;
        await this.#start(queue, release, { what: "kept", epoch: told.epoch });
      }
    }
  }

  /** Id of the worker, `null` when it could not be started. @throws {StaleEpochError} {EpochFileCorruptError} */
  async #start(
    queue: string,
    release: string,
    told: Pick<JournalLine, "what" | "epoch" | "sequence">,
  ): Promise<string | null> {
    const { templates, workers, log } = this.#ports;
    const [pool, template] = [templates().pools.get(queue), templates().releases.get(release)];
    if (pool === undefined || template === undefined) return null;
    this.#file.require(told.epoch);
    try {
      const worker = await workers.start(pool, template, told.epoch);
      this.#workers.set(worker.workerId, worker);
      this.#limits.started(worker.workerId, queue, release);
      this.#write({ ...told, queue, release, worker: worker.workerId });
      return worker.workerId;
    } catch (error) {
      log.error({ err: error, queue, release }, "worker cannot be started");
      this.#limits.refused(queue, release, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #staying(queue: string): readonly ContainedWorker[] {
    return [...this.#workers.values()].filter((it) => it.queue === queue && it.drainsUntilMs === null);
  }

  async #journaled<Answer>(command: StopCommand | FleetCommand, act: () => Promise<Answer>): Promise<Answer> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof StaleEpochError)
        this.#write({ what: "refused", epoch: command.epoch, newest: error.newest });
      throw error;
    }
  }

  #write(line: Omit<JournalLine, "atMs">): void {
    this.#journal.write({ atMs: this.#ports.clock.nowMs(), ...line });
  }
}

function shown({ workerId, release, queue, startedAtMs, pid }: ContainedWorker): ExecutedWorker {
  return { workerId, release, queue, startedAtMs, pid };
}
