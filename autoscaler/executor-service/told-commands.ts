/**
 * Keeps what leaders have told on disk before anything is done about it, and refuses what is older than what is there.
 */
import { StaleEpochError } from "#shared/errors";
import type { EpochFile, Told } from "../fleet/epoch-file.ts";
import type { FleetCommand } from "../fleet/fleet-executor.ts";

export class ToldCommands {
  readonly #file: EpochFile;
  readonly #sequences = new Map<string, number>();
  #told: Told | null = null;

  constructor(file: EpochFile) {
    this.#file = file;
  }

  /**
   * What changes nothing but the sequence is not worth a write.
   *
   * @param leaving those of the command's that are there.
   * @throws {StaleEpochError} when the command is of an earlier term, or overtaken by a later one of its own.
   * @throws {EpochFileCorruptError}
   */
  async keep(
    { epoch, sequence, queue, release, desired }: FleetCommand,
    leaving: readonly string[],
  ): Promise<void> {
    this.#file.require(epoch);
    if (this.#told?.epoch !== epoch) {
      this.#told = this.#file.readOf(epoch);
      this.#sequences.clear();
      for (const [pool, it] of Object.entries(this.#told?.pools ?? {}))
        this.#sequences.set(pool, it.sequence);
    }
    if (sequence < (this.#sequences.get(queue) ?? 0)) throw new StaleEpochError(epoch, epoch);
    this.#sequences.set(queue, sequence);
    const before = this.#told?.pools[queue];
    const isLeavingKept = before?.leaving.join() === leaving.join();
    if (before !== undefined && isLeavingKept && (before.desired[release] ?? 0) === desired) return;
    const { [release]: _, ...others } = before?.desired ?? {};
    const kept = desired === 0 ? others : { ...others, [release]: desired };
    const pool = { sequence, desired: kept, leaving: [...leaving] };
    const next = { epoch, pools: { ...this.#told?.pools, [queue]: pool } };
    await this.#file.write(next);
    this.#told = next;
  }
}
