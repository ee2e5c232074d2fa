/** The producer's HTTP surface on ports that keep what reaches them; no Redis, no socket. */
import type { FastifyInstance, InjectOptions } from "fastify";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { ProducerMetrics } from "#producer/metrics";
import { OverloadGate } from "#producer/overload-gate";
import { buildServer, type ServerPorts } from "#producer/server";
import { ArrivalCounter } from "#shared/enqueue/arrival-counter";
import { Backlogs } from "#shared/enqueue/backlogs";
import { Enqueuer, type EnqueuerPorts } from "#shared/enqueue/enqueuer";
import { EMPTY_LIMITS } from "#shared/limits/limits-document";
import type { AdmissionOutcome } from "#shared/redis/admission";
import type { AuditAct } from "#shared/redis/audit-store";
import { decideGate } from "#shared/registry/decide-gate";
import { decidePublish } from "#shared/registry/decide-publish";
import {
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
} from "#shared/registry/registry-document";
import { FakeClock } from "#test/support/fake-clock";

type LoadStore = ConstructorParameters<typeof ArrivalCounter>[0];

const policy = {
  attempts: 5,
  timeoutMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  excess: "reject",
} as const;

const PUBLISHED = { at: "2026-01-31T12:00:00.000Z", by: "ana@ops1" };

const release: ReleaseDescriptor = {
  release: "shop-v1",
  app: "shop",
  types: [
    {
      type: "receipt.render",
      queue: "shop",
      policy,
      versions: [
        {
          version: 1,
          minReaderVersion: 1,
          schema: {
            type: "object",
            properties: { orderId: { type: "string" }, note: { type: "string" } },
            required: ["orderId"],
            additionalProperties: {},
          },
        },
      ],
    },
  ],
};

/** A registry with `receipt.render` version 1 on the queue `shop`. */
export function registryWithReceipts(): RegistryDocument {
  return publishedOn(EMPTY_REGISTRY, release);
}

function publishedOn(document: RegistryDocument, descriptor: ReleaseDescriptor): RegistryDocument {
  const decision = decidePublish(document, descriptor, PUBLISHED);
  if (decision.kind !== "published") throw new Error(`the release is ${decision.kind}`);
  return decision.document;
}

/** The same, and a release with a breaking version 2, which waits above the gate. */
export function registryWithWaitingVersion(): RegistryDocument {
  return publishedOn(registryWithReceipts(), {
    ...release,
    release: "shop-v2",
    types: release.types.map((it) => ({
      ...it,
      versions: [
        ...it.versions,
        ...it.versions.map((first) => ({ ...first, version: 2, minReaderVersion: 2 })),
      ],
    })),
  });
}

/** The registry with the gate of receipts at `version`. */
export function withGateAt(
  document: RegistryDocument,
  version: number,
  { sunset = null, at = PUBLISHED.at }: { readonly sunset?: string | null; readonly at?: string } = {},
): RegistryDocument {
  const request = { type: "receipt.render", version, expected: null, force: true, sunset };
  const readiness = { readerSlots: 0, loadSlots: null };
  const decision = decideGate(document, request, { readiness, change: { ...PUBLISHED, at, why: "tested" } });
  if (decision.kind !== "moved") throw new Error(`the gate did not move: ${decision.kind}`);
  return decision.document;
}

export interface Added {
  readonly place: string;
  readonly jobId: string;
  readonly dataText: string;
}

export interface TestServer {
  readonly server: FastifyInstance;
  /** Jobs that reached Redis' door. */
  readonly added: Added[];
  readonly lines: string[];
  /** What was recorded of operators' acts. */
  readonly acts: AuditAct[];
  /** What was announced or counted as accepted. */
  readonly announced: string[];
  readonly counts: ProducerMetrics;
}

export interface Faults {
  /** Thrown by the door to Redis instead of adding. */
  readonly add?: Error;
  /** What it answers to every job that a lane takes, instead of adding it. */
  readonly outcome?: AdmissionOutcome;
  /** Instead of Redis' door, whole. */
  readonly admit?: EnqueuerPorts["queues"]["admit"];
  readonly claims?: ServerPorts["claims"];
  readonly findJob?: ServerPorts["findJob"];
  readonly watch?: ServerPorts["watch"];
  readonly canceller?: ServerPorts["canceller"];
  readonly lister?: ServerPorts["lister"];
  readonly loopbackOnly?: boolean;
  readonly authentication?: ServerPorts["authentication"];
  readonly gate?: ServerPorts["gate"];
  readonly schedules?: ServerPorts["schedules"];
  /** @default `registryWithReceipts()` */
  readonly registry?: RegistryDocument;
  readonly readiness?: Partial<ReturnType<ServerPorts["readiness"]>>;
}

/** No room for anybody to wait. */
const UNWATCHED: ServerPorts["watch"] = {
  hasRoom: false,
  isStopped: false,
  untilEnded: async () => null,
  subscribe: () => null,
  stop: () => undefined,
};

const NO_SCHEDULES: ServerPorts["schedules"] = {
  get: async () => null,
  list: async () => [],
  put: async () => ({ kind: "unknown" }),
  remove: async () => false,
  setPaused: async () => ({ kind: "missing" }),
};

export function serve(faults: Faults = {}): TestServer {
  const added: Added[] = [];
  const announced: string[] = [];
  const lines: string[] = [];
  const acts: AuditAct[] = [];
  const document = faults.registry ?? registryWithReceipts();
  const queues: EnqueuerPorts["queues"] = {
    admit: async (job) => {
      const { terms, jobId, dataText } = job;
      if (faults.admit !== undefined) return faults.admit(job);
      if (faults.add !== undefined) throw faults.add;
      if (terms.place === null) return { kind: "unroutable" };
      if (faults.outcome !== undefined) return faults.outcome;
      added.push({ place: terms.place, jobId, dataText });
      return { kind: "created" };
    },
    admitAll: async (jobs) => Promise.all(jobs.map((job) => queues.admit(job))),
    admitEach: async (jobs) =>
      Promise.all(
        jobs.map((job) => queues.admit(job).catch((error: unknown) => ({ kind: "failed", error }) as const)),
      ),
  };
  const store = { announce: async (queue: string) => announced.push(queue) } as unknown as LoadStore;
  const clock = new FakeClock();
  const counts = new ProducerMetrics();
  const server = buildServer({
    log: pino({ base: null }, { write: (line: string) => lines.push(line) }),
    counts,
    metrics: counts.registry,
    loopbackOnly: faults.loopbackOnly ?? true,
    authentication: faults.authentication ?? "off",
    gate:
      faults.gate ??
      new OverloadGate({ clock, random: () => 0, activeMs: () => 0, onRefused: () => undefined }),
    enqueuer: new Enqueuer({
      queues,
      reader: { find: async () => null },
      arrivals: new ArrivalCounter(store, clock),
      clock,
      backlogs: new Backlogs(clock),
      limits: () => EMPTY_LIMITS.base,
      throttler: { take: () => Promise.reject(new TypeError("there are no throttles")) },
      registry: { document, refresh: async () => false },
    }),
    claims: faults.claims ?? { hold: async () => async () => undefined },
    registry: () => document,
    clock,
    schedules: faults.schedules ?? NO_SCHEDULES,
    findJob: faults.findJob ?? (async () => null),
    watch: faults.watch ?? UNWATCHED,
    audit: { record: async (act) => void acts.push(act) },
    canceller: faults.canceller ?? { cancel: async () => ({ kind: "unknown" }) },
    lister: faults.lister ?? { list: async () => ({ jobs: [], next: null }) },
    readiness: () => ({
      durability: null,
      redisReachable: true,
      stopping: false,
      problems: [],
      ...faults.readiness,
    }),
  });
  onTestFinished(() => server.close());
  return { server, added, announced, lines, acts, counts };
}

export const request = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-1" } };

/** A `POST /v1/jobs` of this body. */
export function posting(
  body: unknown,
  headers: Record<string, string | undefined> = { "content-type": "application/json" },
): InjectOptions {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  return { method: "POST", url: "/v1/jobs", headers: { host: "127.0.0.1:7700", ...headers }, payload };
}
