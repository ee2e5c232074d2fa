/**
 * Lists a tenant's jobs, newest first, a page at a time; `list-script.ts` has the walk.
 *
 * Jobs that have not ended are found by the tenant's open sets, those that have by the finished jobs of the
 * lanes and by quarantine, which tenants share. A page looks at a bounded number of entries, so it may hold
 * fewer jobs than asked for, or none, and there is more all the same: only a missing `next` means the end.
 */
import { ANYONE } from "../auth/caller.ts";
import { PRIORITIES } from "../envelope.ts";
import { isEnded, type JobState } from "../job-state.ts";
import { generationOf } from "../lane.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import { toRfc3339 } from "../system-clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { JobView } from "./job-lookup.ts";
import { type PlacedQueue, placedQueueOf, placesOf, queueArguments } from "./job-places.ts";
import { dueAtMsOf, withRedis } from "./job-reader.ts";
import type { Keys } from "./keys.ts";
import { LIST_JOBS } from "./list-script.ts";

/** A job in a list: the part of `JobView` that can be read without its data. */
export type JobItem = Pick<
  JobView,
  | "id"
  | "type"
  | "state"
  | "queue"
  | "lane"
  | "schemaversion"
  | "acceptedAt"
  | "dueAt"
  | "startedAt"
  | "finishedAt"
> & { readonly attempts: Pick<JobView["attempts"], "failed"> };

/** The score, as Redis writes it, and the member behind which a walk goes on. */
export type Mark = readonly [score: string, member: string];

/** Where a list goes on. */
export interface ListPosition {
  /** Of everything that is ordered by time. */
  readonly after: Mark | null;
  /** Of the parts of quarantine that were touched. */
  readonly parts: readonly PartPosition[];
}

export interface PartPosition {
  readonly queue: string;
  /** 0 is what has no priority; n is what has one of the n-th band. */
  readonly part: number;
  /** Of part 0 how many are left from the end, of a band a score. */
  readonly at: string;
  /** Of part 0 the last members before, of a band the last one. */
  readonly members: readonly string[];
}

export interface ListQuestion {
  readonly tenant: string;
  /** `null`: all that have not ended. */
  readonly state: JobState | null;
  readonly type: string | null;
  readonly limit: number;
  readonly position: ListPosition | null;
}

export interface JobPage {
  readonly jobs: readonly JobItem[];
  /** `null` at the end. */
  readonly next: ListPosition | null;
}

export interface ListerPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  /** The newest copy of the registry. */
  registry(): RegistryDocument;
}

/** What the script walks. Fields that are not there are left out: JSON's null is a value to Lua. */
interface Source {
  readonly kind: "open" | "ended" | "band" | "list";
  readonly queue: number;
  readonly at: number;
  readonly key: string;
  readonly lowest?: string;
  readonly above?: string;
  readonly after?: readonly [string | number, string | readonly string[]];
}

/** What a source is a part of, when its position is its own. */
type SourcePart = Pick<PartPosition, "queue" | "part"> | null;

type Item = readonly [string, number, number, JobState, ...string[]];
type ListReply = [number, Item[], [] | [string, string], [number, string, string | string[]][]];

interface ScriptedRedis extends RedisConnection {
  sluiceListJobs(...args: string[]): Promise<ListReply>;
}

export class JobLister {
  readonly #ports: ListerPorts;
  readonly #redis: ScriptedRedis;

  constructor(ports: ListerPorts) {
    this.#ports = ports;
    this.#redis = ports.redis as ScriptedRedis;
    this.#redis.defineCommand("sluiceListJobs", { lua: LIST_JOBS, numberOfKeys: 0 });
  }

  /** @throws {RedisUnavailableError} */
  async list(question: ListQuestion): Promise<JobPage> {
    const { keys, registry } = this.#ports;
    const document = registry();
    const queues = queuesOf(document, question.type);
    const sources = queues.flatMap((placed, index) => this.#sourcesOf(placed, index + 1, question));
    if (sources.length === 0) return { jobs: [], next: null };
    const { tenant, type, state, limit, position } = question;
    const spec = {
      revision: document.revision,
      tenant,
      defaultTenant: ANYONE.tenant,
      limit,
      ...(type !== null && { type }),
      ...(state !== null && { states: [state] }),
      ...(position?.after && { after: position.after }),
      sources: sources.map((it) => it.source),
    };
    const args = [keys.prefix, ...queueArguments(queues), JSON.stringify(spec)];
    const [isWhole, items, last, touched] = await withRedis(() => this.#redis.sluiceListJobs(...args));
    const jobs = items.map((item) => jobItemOf(queues, item));
    if (isWhole === 1) return { jobs, next: null };
    const moved = touched.flatMap(([number, at, members]) => {
      const part = sources[number - 1]?.part ?? null;
      return part === null ? [] : [{ ...part, at, members: [members].flat() }];
    });
    const isMoved = (it: PartPosition) =>
      moved.some(({ queue, part }) => queue === it.queue && part === it.part);
    const kept = (position?.parts ?? []).filter((it) => !isMoved(it));
    return { jobs, next: { after: last.length === 0 ? null : last, parts: [...kept, ...moved] } };
  }

  #sourcesOf(
    placed: PlacedQueue,
    number: number,
    { state, tenant, position }: ListQuestion,
  ): readonly { readonly source: Source; readonly part: SourcePart }[] {
    const { keys } = this.#ports;
    const places = placesOf(placed).map((place) => `${keys.prefix}:${place}:`);
    if (state === null || !isEnded(state)) {
      const key = keys.open(placed.queue, tenant);
      return [{ source: { kind: "open", queue: number, at: 0, key }, part: null }];
    }
    if (state === "quarantined") {
      const at = places.length;
      const parts = (position?.parts ?? []).filter((it) => it.queue === placed.queue);
      return quarantineSources({ queue: number, at }, places[at - 1] ?? "", parts).map(
        ({ source, part }) => ({
          source,
          part: { queue: placed.queue, part },
        }),
      );
    }
    const set = state === "failed" ? "failed" : "completed";
    // A parked job can be cancelled; nothing else ends in there, and nothing that ends here lies in quarantine.
    const ended = places.slice(0, state === "cancelled" ? -1 : -2);
    return ended.map((place, index) => ({
      source: { kind: "ended", queue: number, at: index + 1, key: `${place}${set}` },
      part: null,
    }));
  }
}

/** A type belongs to one queue. */
function queuesOf(document: RegistryDocument, type: string | null): readonly PlacedQueue[] {
  const known = type !== null && Object.hasOwn(document.types, type) ? document.types[type] : undefined;
  if (type !== null && known === undefined) return [];
  const names = known === undefined ? Object.keys(document.queues) : [known.queue];
  return names.flatMap((queue) => placedQueueOf(document, queue) ?? []);
}

/** BullMQ keeps the priority above 32 bits of a counter that rises with each job. */
const BAND = 2 ** 32;

/** Quarantine's list, and a part for each priority: only within one are the jobs in the order they came. */
function quarantineSources(
  where: Pick<Source, "queue" | "at">,
  place: string,
  positions: readonly PartPosition[],
): readonly { readonly source: Source; readonly part: number }[] {
  const at = (part: number) => positions.find((it) => it.part === part);
  const list = at(0);
  const bands = PRIORITIES.map((_priority, index) => {
    const part = index + 1;
    const isLast = part === PRIORITIES.length;
    const known = at(part);
    const source: Source = {
      ...where,
      kind: "band",
      key: `${place}prioritized`,
      ...(index > 0 && { lowest: String(part * BAND) }),
      ...(!isLast && { above: String((part + 1) * BAND) }),
      ...(known && { after: [known.at, known.members[0] ?? ""] }),
    };
    return { source, part };
  });
  const source: Source = {
    ...where,
    kind: "list",
    key: `${place}wait`,
    ...(list && { after: [Number(list.at), list.members] }),
  };
  return [{ source, part: 0 }, ...bands];
}

function jobItemOf(queues: readonly PlacedQueue[], item: Item): JobItem {
  const [id, queueNumber, at, state, ...texts] = item;
  const [type = "", timestamp = "", processedOn = "", finishedOn = "", due = "", version = "", failed = ""] =
    texts;
  const placed = queues[queueNumber - 1] ?? { queue: "", lanes: [] };
  const place = placesOf(placed)[at - 1] ?? "";
  return {
    id,
    type,
    state,
    queue: placed.queue,
    lane: generationOf(place) === null ? null : place,
    schemaversion: version === "" ? null : Number(version),
    acceptedAt: toRfc3339(Number(timestamp)),
    dueAt: state === "scheduled" && due !== "" ? toRfc3339(dueAtMsOf(due)) : null,
    startedAt: processedOn === "" ? null : toRfc3339(Number(processedOn)),
    finishedAt: finishedOn === "" ? null : toRfc3339(Number(finishedOn)),
    attempts: { failed: Number(failed) },
  };
}
