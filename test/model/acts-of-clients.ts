/** What comes in from outside: jobs, repeats of jobs, and poison that somebody puts past the door. */
import fc from "fast-check";
import { stampEnvelope } from "#shared/enqueue/stamp";
import type { JobRequest } from "#shared/envelope";
import { SluiceError } from "#shared/errors";
import { jobIdOf } from "#shared/job-id";
import { laneName } from "#shared/lane";
import { routeOf } from "#shared/registry/decide-lane";
import { type ActKind, pick } from "./act.ts";
import { InvariantBroken } from "./ledger.ts";
import { TENANT } from "./model-producer.ts";
import { dataOf, type History, QUEUE, VERSIONS_MAX, versionIn } from "./version-histories.ts";
import { PRODUCERS, type World } from "./world.ts";

const draw = fc.nat(1_000);

const SOURCE = "/model";

const MONTH_MS = 30 * 24 * 3_600_000;

interface Enqueue {
  readonly producer: number;
  readonly type: number;
  readonly version: number;
  readonly options: number;
  readonly delayMs: number;
}

export const enqueue: ActKind<Enqueue> = {
  name: "enqueue",
  parameters: fc.record({
    producer: fc.nat(PRODUCERS - 1),
    type: draw,
    version: draw,
    options: fc.nat(15),
    delayMs: fc.constantFrom(0, 0, 0, 0, 0, 1_000, 60_000, MONTH_MS),
  }),
  applies: () => true,
  async run(world, { producer, type, version: drawn, options, delayMs }) {
    // Mostly of a type that is there, sometimes of one that no release has published yet.
    const known = world.histories.filter((it) => it.type in world.fleet.document.types);
    const history = pick(type % 8 === 0 ? world.histories : known, type) ?? (world.histories[0] as History);
    const version = versionToWrite(world, history, drawn);
    world.jobs += 1;
    const written = { n: world.jobs, options };
    const request = requestOf(history, version, dataOf(history, version, written));
    const jobId = jobIdOf({ queue: QUEUE, tenant: TENANT, source: SOURCE, id: `${world.jobs}` });
    world.ledger.accept({ jobId, history, version, written, isPoison: false });
    const answer = await offer(world, { producer, delayMs }, request);
    if (answer === null) {
      world.ledger.refuse(jobId);
      return;
    }
    const { activeVersion = 0 } = world.fleet.producerOf(producer).document.types[history.type] ?? {};
    if (version > activeVersion) {
      throw new InvariantBroken("nothing new is accepted above the gate", `${history.type}@${version}`);
    }
    if (delayMs > 0) world.coverage.count("enqueue: scheduled");
    if (delayMs === MONTH_MS) world.coverage.count("enqueue: scheduled far ahead");
  },
};

/** Mostly what the gate is at, sometimes a version beside it, sometimes any. */
function versionToWrite({ fleet }: World, { type }: History, drawn: number): number {
  const active = fleet.document.types[type]?.activeVersion ?? 1;
  const beside = [active, active, active - 1, active + 1, 1 + (drawn % VERSIONS_MAX)];
  return Math.min(VERSIONS_MAX, Math.max(1, pick(beside, drawn) ?? active));
}

function requestOf({ type }: History, version: number, data: Record<string, unknown>): JobRequest {
  return { type, schemaversion: version, data, source: SOURCE, id: `${data.n}` };
}

/** `null` when the door refused it. */
async function offer(
  world: World,
  { producer, delayMs }: Pick<Enqueue, "producer" | "delayMs">,
  request: JobRequest,
): Promise<{ readonly jobId: string } | null> {
  const { fleet, coverage } = world;
  if (fleet.producerOf(producer).document !== fleet.document)
    coverage.count("enqueue: on an old copy of the registry");
  try {
    const { job } = await fleet.offer(producer, request, delayMs);
    coverage.count("enqueue: accepted");
    return { jobId: job.id };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    coverage.count(`enqueue: refused, ${error.code}`);
    return null;
  }
}

/** A client that lost the answer asks again. */
export const repeat: ActKind<{ readonly producer: number; readonly job: number }> = {
  name: "repeat",
  parameters: fc.record({ producer: fc.nat(PRODUCERS - 1), job: draw }),
  applies: ({ ledger }) => ledger.jobs.size > 0,
  async run(world, { producer, job }) {
    const { ledger, coverage } = world;
    const { jobId, history, version, written, isPoison } = pick([...ledger.jobs.values()], job) ?? {};
    if (history === undefined || version === undefined || isPoison) return;
    const data = dataOf(history, version, written ?? { n: 0, options: 0 });
    const answer = await offer(world, { producer, delayMs: 0 }, requestOf(history, version, data));
    if (answer === null) return;
    if (answer.jobId !== jobId) throw new Error(`a repeat of ${jobId} was given the id ${answer.jobId}`);
    coverage.count("repeat: the same job");
  },
};

/** Data that its own version does not promise is refused at the door. */
export const enqueueInvalid: ActKind<{ readonly type: number }> = {
  name: "enqueue invalid data",
  parameters: fc.record({ type: draw }),
  applies: ({ fleet }) => Object.keys(fleet.document.types).length > 0,
  async run(world, { type }) {
    const history = pick(world.histories, type) as History;
    const version = world.fleet.document.types[history.type]?.activeVersion ?? 1;
    const data = { ...dataOf(history, version, { n: 0, options: 0 }), surplus: true };
    const answer = await offer(world, { producer: 0, delayMs: 0 }, requestOf(history, version, data));
    if (answer !== null) throw new Error("the door let an unknown field pass");
  },
};

/** A plain BullMQ tool adds data that its own version does not promise, to the lane of that version. */
export const addPoison: ActKind<{ readonly type: number; readonly version: number }> = {
  name: "add poison",
  parameters: fc.record({ type: draw, version: fc.integer({ min: 1, max: VERSIONS_MAX }) }),
  applies: (world, { type, version }) => {
    const history = pick(world.histories, type) as History;
    return routeOf(world.fleet.document, history.type, version) !== null;
  },
  async run(world, { type, version }) {
    const { fleet, ledger } = world;
    const history = pick(world.histories, type) as History;
    const route = routeOf(fleet.document, history.type, version);
    if (route === null) return;
    world.jobs += 1;
    const written = { n: world.jobs, options: 0 };
    const data = { ...dataOf(history, version, written), n: "poison" };
    const request = { ...requestOf(history, version, data), id: `poison-${world.jobs}` };
    const { minReaderVersion } = versionIn(history, version);
    const acceptedAtMs = fleet.clock.nowMs();
    const envelope = stampEnvelope(request, {
      tenant: TENANT,
      source: SOURCE,
      minReaderVersion,
      acceptedAtMs,
    });
    const jobId = jobIdOf({ queue: QUEUE, tenant: TENANT, source: SOURCE, id: request.id });
    const job = { jobId, name: history.type, dataText: JSON.stringify(envelope), acceptedAtMs, delayMs: 0 };
    ledger.accept({ jobId, history, version, written, isPoison: true });
    await fleet.addByHand(laneName(QUEUE, route.generation), job);
    world.coverage.count("poison");
  },
};

export const refresh: ActKind<{ readonly producer: number }> = {
  name: "refresh a producer",
  parameters: fc.record({ producer: fc.nat(PRODUCERS - 1) }),
  applies: ({ fleet }, { producer }) => fleet.producers[producer]?.document !== fleet.document,
  async run({ fleet }, { producer }) {
    await fleet.refresh(producer);
  },
};
