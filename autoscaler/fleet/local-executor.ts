/**
 * The fleet executor of one machine: each worker is a child process.
 *
 * Every command is held against the highest epoch on its own disk, and so is each start and each stop right before it
 * is done: a leader that was paused in between has been overtaken by then. It never starts beyond a pool's maximum,
 * never too fast, and stops only workers that are named to it. Which workers there are it knows from the machine's
 * roster, so it goes on where a killed one left off.
 *
 * Other processes of the machine may share its directory. That an old leader is paused between the last look at the
 * disk and the start of a process, some microseconds, is not excluded; the worker is in the roster then, and leaves.
 */
import { mkdirSync } from "node:fs";
import type { Clock } from "#shared/clock";
import { StaleEpochError } from "#shared/errors";
import type { Log } from "#shared/log";
import { decideRoomForWorkers } from "./decide-room-for-workers.ts";
import { EpochFile, type Told } from "./epoch-file.ts";
import { ExecutorJournal, type JournalLine } from "./executor-journal.ts";
import type {
  CommandAnswer,
  ExecutorStatus,
  FleetCommand,
  FleetExecutor,
  StopCommand,
} from "./fleet-executor.ts";
import type { LocalProcesses } from "./local-processes.ts";
import { type MachineMemory, residentBytesOf } from "./machine.ts";
import { StartLimits } from "./start-limits.ts";
import { Turns } from "./turns.ts";
import { type RunningWorker, WorkerRoster } from "./worker-roster.ts";

/** What a worker may take beyond its drain deadline before it is killed. */
const KILL_GRACE_MS = 4_000;

/** A worker has taken its memory this long after its start. */
const GROWN_MS = 5_000;

export interface LocalExecutorOptions {
  /** Where it keeps what it must not forget; made when it is not there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly processes: Pick<LocalProcesses, "start" | "signal" | "longestDrainMs">;
  /** Pools that it carries out. */
  readonly pools: readonly string[];
  /** The most and the fewest workers of a pool, whoever asks. */
  bounds(queue: string): { readonly workersMin: number; readonly workersMax: number };
  memory(): MachineMemory;
  /** Called right before each effect of a command. @throws {StaleEpochError} when the leader's time is over. */
  guard(epoch: number): void;
}

export class LocalExecutor implements FleetExecutor {
  readonly #options: LocalExecutorOptions;
  readonly #file: EpochFile;
  readonly #roster: WorkerRoster;
  readonly #journal: ExecutorJournal;
  readonly #limits: StartLimits;
  /** What the current leader told last, as it is on disk. */
  #told: Told | null = null;
  readonly #sequences = new Map<string, number>();
  /** Workers that were told to stop, until they have ended. */
  readonly #stopping = new Set<string>();
  /** Commands are carried out one after the other. */
  readonly #turns = new Turns();

  constructor(options: LocalExecutorOptions) {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.#options = options;
    this.#file = new EpochFile(options.directory);
    this.#roster = new WorkerRoster(options.directory);
    this.#journal = new ExecutorJournal(options.directory);
    this.#limits = new StartLimits(options.clock);
  }

  /** The highest epoch on disk, 0 when there is none. @throws {EpochFileCorruptError} */
  get epoch(): number {
    return this.#file.read()?.epoch ?? 0;
  }

  /** What the newest leader told last. @throws {EpochFileCorruptError} */
  get told(): Told | null {
    return this.#file.read();
  }

  desired(command: FleetCommand): Promise<CommandAnswer> {
    return this.#turns.take(() => this.#journaled(command, () => this.#carryOut(command)));
  }

  stop(command: StopCommand): Promise<void> {
    return this.#turns.take(() => this.#journaled(command, async () => this.#stop(command)));
  }

  async status(): Promise<ExecutorStatus> {
    const workers = this.#roster.workers();
    return {
      epoch: this.#file.highest() || null,
      workers,
      ended: this.#roster.ended,
      blocked: this.#limits.blocked(),
      room: Object.fromEntries(this.#options.pools.map((queue) => [queue, this.#roomFor(queue, workers)])),
    };
  }

  /** Takes over a worker that is found running on this machine and is not in the roster. */
  adopt(worker: RunningWorker): void {
    if (this.#roster.hasEnded(worker.workerId)) return;
    if (this.#roster.workers().some((it) => it.workerId === worker.workerId)) return;
    this.#roster.add(worker);
    this.#options.log.info({ worker: worker.workerId, pid: worker.pid }, "worker is taken over");
  }

  /**
   * Starts workers without a leader, up to a pool's minimum, of what the last leader had run. Only here the minimum is
   * kept: a stop names workers that take nothing any more, and the pool may have its minimum on another machine.
   *
   * @param mayAct asked right before each start. @throws {EpochFileCorruptError}
   */
  keepMinimum(mayAct: () => boolean): void {
    const told = this.#file.read();
    if (told === null) return;
    for (const queue of this.#options.pools) {
      for (const release of this.#missingOf(queue, told)) {
        if (!mayAct() || this.#file.highest() !== told.epoch) return;
        if (this.#limits.permitted(queue, release).starts > 0)
          this.#start(queue, release, { what: "kept", epoch: told.epoch });
      }
    }
  }

  /** Releases of the workers that a pool's minimum lacks, as many times as they lack. */
  #missingOf(queue: string, told: Told): readonly string[] {
    const { desired: toldDesired = {}, leaving = [] } = told.pools[queue] ?? {};
    const desired = Object.entries(toldDesired);
    const { workersMin, workersMax } = this.#options.bounds(queue);
    // Those that leave take nothing, and nobody can call them back now.
    const there = this.#roster.workers().filter((it) => it.queue === queue && !leaving.includes(it.workerId));
    const lacking = desired.flatMap(([release, wanted]) => {
      const own = there.filter((it) => it.release === release).length;
      return Array.from({ length: Math.max(0, wanted - own) }, () => release);
    });
    return lacking.slice(0, Math.max(0, Math.min(workersMin, workersMax) - there.length));
  }

  /**
   * Drains and ends the workers that the machine has now; those that outlast the deadline are killed. Resolves when none
   * of them is left. Workers that another autoscaler starts in the meantime are that one's.
   */
  async stopAll(): Promise<void> {
    const { clock, processes } = this.#options;
    const deadlineMs = clock.monotonicMs() + processes.longestDrainMs + KILL_GRACE_MS;
    const told = new Set<string>();
    for (const { workerId, pid } of this.#roster.workers()) {
      this.#tellToStop(workerId, pid);
      told.add(workerId);
    }
    const left = () => this.#roster.workers().filter((it) => told.has(it.workerId));
    while (left().length > 0 && clock.monotonicMs() < deadlineMs) await clock.sleep(50);
    for (const { pid } of left()) processes.signal(pid, "SIGKILL");
  }

  /** Ends all workers of the machine at once; their jobs run again when their leases end. */
  killAll(): void {
    for (const { pid } of this.#roster.workers()) this.#options.processes.signal(pid, "SIGKILL");
  }

  async #carryOut(command: FleetCommand): Promise<CommandAnswer> {
    const { epoch, sequence, queue, release, desired, leaving } = command;
    await this.#keep(command);
    for (const workerId of command.heard) this.#limits.heard(workerId);
    const there = this.#roster.workers().filter((it) => it.queue === queue && !leaving.includes(it.workerId));
    const missing = desired - there.filter((it) => it.release === release).length;
    const room = this.#options.bounds(queue).workersMax - there.length;
    const permitted = this.#limits.permitted(queue, release);
    const starts = Math.max(0, Math.min(missing, room, permitted.starts));
    const started: string[] = [];
    for (let left = starts; left > 0; left -= 1) {
      this.#require(epoch);
      const worker = this.#start(queue, release, { what: "start", epoch, sequence });
      if (worker === null) return { started, limitedBy: "start-failures" };
      started.push(worker.workerId);
    }
    if (missing <= starts) return { started, limitedBy: null };
    if (permitted.starts <= starts)
      return { started, limitedBy: permitted.by === "rate" ? "start-rate" : "start-failures" };
    return { started, limitedBy: "workers-max" };
  }

  /** On disk before anything is done; what changes nothing but the sequence is not worth a write. */
  async #keep({ epoch, sequence, queue, release, desired, leaving }: FleetCommand): Promise<void> {
    this.#require(epoch);
    if (this.#told?.epoch !== epoch) {
      this.#told = this.#file.readOf(epoch);
      this.#sequences.clear();
      for (const [pool, it] of Object.entries(this.#told?.pools ?? {}))
        this.#sequences.set(pool, it.sequence);
    }
    if (sequence < (this.#sequences.get(queue) ?? 0)) throw new StaleEpochError(epoch, epoch);
    this.#sequences.set(queue, sequence);
    const before = this.#told?.pools[queue];
    const leavingHere = this.#running(leaving);
    const isLeavingKept = sameIds(this.#running(before?.leaving ?? []), leavingHere);
    if (before !== undefined && isLeavingKept && (before.desired[release] ?? 0) === desired) return;
    const { [release]: _, ...others } = before?.desired ?? {};
    const pool = {
      sequence,
      desired: desired === 0 ? others : { ...others, [release]: desired },
      leaving: leavingHere,
    };
    const next = { epoch, pools: { ...this.#told?.pools, [queue]: pool } };
    await this.#file.write(next);
    this.#told = next;
  }

  /** Those of them whose processes are on this machine, sorted. */
  #running(ids: readonly string[]): string[] {
    if (ids.length === 0) return [];
    const here = new Set(this.#roster.workers().map((it) => it.workerId));
    return ids.filter((id) => here.has(id)).toSorted();
  }

  #stop({ epoch, workers }: StopCommand): void {
    for (const { workerId, pid, queue, release } of this.#roster.workers()) {
      if (!workers.includes(workerId) || this.#stopping.has(workerId)) continue;
      this.#require(epoch);
      this.#write({ what: "stop", epoch, queue, release, worker: workerId });
      this.#tellToStop(workerId, pid);
    }
  }

  /** Once: a second signal tells a worker to wait for nothing, and would kill the job that it still has. */
  #tellToStop(workerId: string, pid: number): void {
    if (this.#stopping.has(workerId)) return;
    this.#stopping.add(workerId);
    this.#options.processes.signal(pid, "SIGTERM");
  }

  /** @throws {StaleEpochError} {EpochFileCorruptError} */
  #require(epoch: number): void {
    this.#file.require(epoch);
    this.#options.guard(epoch);
  }

  #start(
    queue: string,
    release: string,
    told: Pick<JournalLine, "what" | "epoch" | "sequence">,
  ): RunningWorker | null {
    const worker = this.#options.processes.start(queue, release, (end) => {
      this.#roster.remove(end.worker.workerId);
      this.#stopping.delete(end.worker.workerId);
      this.#limits.ended(end);
    });
    if (worker === null) {
      this.#limits.refused(queue, release);
      return null;
    }
    this.#roster.add(worker);
    this.#limits.started(worker.workerId, queue, release);
    this.#write({ ...told, queue, release, worker: worker.workerId });
    return worker;
  }

  #roomFor(queue: string, workers: readonly RunningWorker[]): number | null {
    const nowMs = this.#options.clock.nowMs();
    const own = workers.filter((it) => it.queue === queue);
    const up = own.filter(({ startedAtMs }) => nowMs - startedAtMs >= GROWN_MS);
    return decideRoomForWorkers({
      ...this.#options.memory(),
      workerBytes: up.flatMap(({ pid }) => residentBytesOf(pid) ?? []),
      starting: workers.filter(({ startedAtMs }) => nowMs - startedAtMs < GROWN_MS).length,
    });
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
    this.#journal.write({ atMs: this.#options.clock.nowMs(), ...line });
  }
}

/** Both in the same order. */
function sameIds(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((id, index) => id === right[index]);
}
