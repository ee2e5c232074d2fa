/**
 * Shows and moves the emission gates: brings together what the registry, the fleet and the measured load
 * say, and leaves the judgement to `decideGate`.
 */
import type { Clock } from "#shared/clock";
import { laneName } from "#shared/lane";
import type { RedisConnection } from "#shared/redis/connection";
import type { Keys } from "#shared/redis/keys";
import { moveGate } from "#shared/redis/registry-store";
import {
  decideGate,
  type GateDecision,
  type GateReadiness,
  type GateRequest,
} from "#shared/registry/decide-gate";
import { routeOf } from "#shared/registry/decide-lane";
import type { PublishedType, RegistryDocument, VersionEvent } from "#shared/registry/registry-document";
import { type VersionState, versionStates } from "#shared/registry/version-state";
import { toRfc3339 } from "#shared/system-clock";
import type { Observation } from "./observe.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";

export interface GateView extends GateReadiness {
  readonly type: string;
  readonly queue: string;
  readonly activeversion: number;
  /** The version the gate can go up to next and why it may not; `null` when nothing is above it. */
  readonly next: {
    readonly version: number;
    readonly mayRise: boolean;
    readonly reason: string | null;
  } | null;
  readonly versions: readonly VersionState[];
  /** Oldest first. */
  readonly events: readonly VersionEvent[];
}

/** A move that somebody asks for. */
export interface GateMove extends GateRequest {
  /** Who says to ask; not checked. */
  readonly by: string;
  readonly why: string;
}

export interface GateKeeperPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly estimates: LoadEstimates;
  /** A look at most a second old; rejects when Redis is away. */
  observe(): Promise<Observation>;
  /** A new look, which later ones may share; rejects when Redis is away. */
  look(): Promise<unknown>;
}

export class GateKeeper {
  readonly #ports: GateKeeperPorts;

  constructor(ports: GateKeeperPorts) {
    this.#ports = ports;
  }

  /** Every published type's gate, by type. Rejects when Redis is away. */
  async gates(): Promise<readonly GateView[]> {
    const observation = await this.#ports.observe();
    return Object.keys(observation.document.types)
      .sort()
      .flatMap((type) => this.#view(observation, type));
  }

  /** Moves a gate, or says why not. Rejects when Redis is away. */
  async move({ by, why, ...request }: GateMove): Promise<GateDecision> {
    const { redis, keys, clock } = this.#ports;
    const readiness = this.#readiness(await this.#ports.observe(), request.type, request.version);
    const change = { at: toRfc3339(clock.nowMs()), by, why };
    const decision = await moveGate(redis, keys, { request, readiness, change });
    // Whoever asks next sees it moved; a look that fails now is made when they ask.
    if (decision.kind === "moved") await this.#ports.look().catch(() => undefined);
    return decision;
  }

  #view(observation: Observation, type: string): GateView[] {
    const { document } = observation;
    const published = document.types[type];
    if (published === undefined) return [];
    const { queue, activeVersion, events } = published;
    const above = nextAbove(document, type, published);
    const readiness = this.#readiness(observation, type, above ?? activeVersion);
    return [
      {
        type,
        queue,
        activeversion: activeVersion,
        ...readiness,
        next:
          above === undefined
            ? null
            : { version: above, ...outlook(document, { type, version: above }, readiness) },
        versions: versionStates(document, type),
        events,
      },
    ];
  }

  #readiness({ document, snapshot }: Observation, type: string, version: number): GateReadiness {
    const route = routeOf(document, type, version);
    const queue = document.types[type]?.queue;
    const loadSlots = queue === undefined ? null : this.#ports.estimates.loadSlots(queue, type);
    if (route === null) return { readerSlots: 0, loadSlots };
    const lane = laneName(route.queue, route.generation);
    const readers = snapshot.workers.filter((it) => it.state === "ok" && it.lanes.includes(lane));
    return { readerSlots: readers.reduce((total, { slots }) => total + slots, 0), loadSlots };
  }
}

/** The lowest version above the gate that a live release reads, else the lowest of all. */
function nextAbove(
  document: RegistryDocument,
  type: string,
  { versions, activeVersion }: PublishedType,
): number | undefined {
  const above = versions.map((it) => it.version).filter((version) => version > activeVersion);
  return above.find((version) => routeOf(document, type, version) !== null) ?? above[0];
}

/** What a raise would be answered with now. */
function outlook(
  document: RegistryDocument,
  { type, version }: { readonly type: string; readonly version: number },
  readiness: GateReadiness,
): { readonly mayRise: boolean; readonly reason: string | null } {
  const request = { type, version, expected: null, force: false, sunset: null };
  const change = { at: "", by: "", why: "" };
  const decision = decideGate(document, request, { readiness, change });
  return { mayRise: decision.kind === "moved", reason: decision.kind === "refused" ? decision.reason : null };
}
