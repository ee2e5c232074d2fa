/**
 * Puts together what leads and what acts on this machine: the lease, the executor with its directory, and what keeps
 * the minimum while nobody leads.
 *
 * What is done in a term is given to it. A stop hands the workers over to another autoscaler of the same machine; the
 * last one takes them with it.
 */
import { createHash, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "#shared/clock";
import { ConfigInvalidError, StaleEpochError } from "#shared/errors";
import type { Log } from "#shared/log";
import type { RedisConnection } from "#shared/redis/connection";
import type { Keys } from "#shared/redis/keys";
import { LeaderLease, type LeaderLook } from "#shared/redis/leader-lease";
import type { SluiceConfig } from "#shared/sluice-config";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import { FleetSight } from "./fleet/fleet-sight.ts";
import { KeepMinimum } from "./fleet/keep-minimum.ts";
import { LocalExecutor } from "./fleet/local-executor.ts";
import type { LocalProcesses } from "./fleet/local-processes.ts";
import { bootId, machineMemory } from "./fleet/machine.ts";
import { MachineLock } from "./fleet/machine-lock.ts";
import { MachinePeers } from "./fleet/machine-peers.ts";
import type { RemoteExecutor } from "./fleet/remote-executor.ts";
import { RoutedExecutor } from "./fleet/routed-executor.ts";
import { Leadership, type Role, type Term } from "./leadership.ts";

export interface LeadFleetPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly sluice: SluiceConfig;
  readonly keys: Keys;
  readonly redisUrl: string;
  /** Where this machine keeps what it must not forget, of all Redis servers. */
  readonly dataDir: string;
  /** Where it does so for this one; `null`: below `dataDir`. */
  readonly executorDir: string | null;
  /** Fails fast. */
  readonly leaseRedis: RedisConnection;
  readonly processes: LocalProcesses;
  /** Of pools whose workers are containers; `null` when there is none. */
  readonly remote: RemoteExecutor | null;
  /** The most and the fewest workers of a pool that are in force. */
  bounds(queue: string): { readonly workersMin: number; readonly workersMax: number };
  /** The leader's work beside scaling; resolves soon after the term is over. */
  work(term: Term): Promise<void>;
}

export interface LeaderView {
  /** Of the process that answers. */
  readonly role: Role;
  readonly id: string;
  readonly look: LeaderLook;
}

export class LeadFleet {
  readonly executor: LocalExecutor;
  /** What acts: this machine's executor, and the remote one for its pools. */
  readonly hands: FleetExecutor;
  readonly sight: FleetSight;
  readonly leadership: Leadership;
  readonly keeper: KeepMinimum;
  readonly id = `a-${randomUUID().slice(0, 8)}`;
  readonly #lease: LeaderLease;
  readonly #machine: string;
  readonly #peers: MachinePeers;

  /** @throws {ConfigInvalidError} when the directory cannot be used. */
  constructor(ports: LeadFleetPorts) {
    const { clock, log, sluice, keys, leaseRedis, processes, bounds, work } = ports;
    const directory = executorDirectory(ports);
    this.#peers = new MachinePeers(directory);
    this.#peers.join();
    this.#machine = `${hostname()}/${bootId()}/${machineId(directory)}`;
    const facts = { host: hostname(), pid: process.pid, machine: this.#machine };
    this.#lease = new LeaderLease(leaseRedis, keys, { id: this.id, facts });
    const pools = Object.keys(sluice.pools).filter((it) => sluice.pools[it]?.executor !== "docker");
    const guard = (epoch: number) => {
      const { term } = this.leadership;
      if (term === null || term.epoch !== epoch) throw new StaleEpochError(epoch, term?.epoch ?? null);
      term.require();
    };
    const memory = machineMemory;
    this.executor = new LocalExecutor({ directory, clock, log, processes, pools, bounds, memory, guard });
    this.hands = handsOf(ports, this.executor);
    this.sight = new FleetSight(this.hands);
    const { executor } = this;
    this.leadership = new Leadership({
      lease: this.#lease,
      clock,
      log,
      epochMin: () => Math.max(executor.epoch, ports.remote?.epoch ?? 0),
      lead: work,
    });
    const leaderlessMs = () => this.leadership.leaderlessMs;
    const lock = new MachineLock(directory, clock);
    this.keeper = new KeepMinimum({ clock, log, lock, executor, leaderlessMs });
  }

  /** Rejects when Redis does not answer. */
  async view(): Promise<LeaderView> {
    return { role: this.leadership.role, id: this.id, look: await this.#lease.look() };
  }

  /** Process id of another autoscaler of this machine, that goes on with its workers; `null` when this is the last. */
  leaveTo(): number | null {
    this.#peers.leave();
    return this.#peers.other();
  }
}

function handsOf({ remote, sluice }: LeadFleetPorts, local: LocalExecutor): FleetExecutor {
  if (remote === null) return local;
  const named = Object.entries(sluice.pools).filter(([, { executor }]) => executor === "docker");
  return new RoutedExecutor({ local, remote, remotePools: new Set(named.map(([queue]) => queue)) });
}

/** One for each Redis and prefix: epochs of one mean nothing to another. */
function executorDirectory({ dataDir, executorDir, redisUrl, keys }: LeadFleetPorts): string {
  const url = new URL(redisUrl);
  const place = `${url.protocol}//${url.host}${url.pathname} ${keys.prefix}`;
  const name = createHash("sha256").update(place).digest("hex").slice(0, 16);
  const directory = executorDir ?? join(dataDir, "executor", name);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const probe = join(directory, `.probe-${process.pid}`);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it failed";
    throw new ConfigInvalidError("The environment", [
      `${executorDir === null ? "SLUICE_DATA_DIR" : "SLUICE_EXECUTOR_DIR"}: files cannot be written below it (${code}); name a directory of this user's`,
    ]);
  }
  return directory;
}

/** Given to the directory once: whoever finds the same uses the same directory. */
function machineId(directory: string): string {
  const path = join(directory, "machine-id");
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, randomUUID(), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch {
    // It has one already.
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, "utf8").trim();
}
