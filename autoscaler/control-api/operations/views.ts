/** What the routes that only show promise; `snapshot.ts` and `retirement/` make the answers. */
import { z } from "zod";
import { component, type Operations } from "#shared/http/operation";
import { TAKES } from "#shared/rollout/release-orders";
import { DESIRED_OPERATIONS } from "./desired.ts";

const moment = z.iso.datetime({ offset: true });
const count = z.int().min(0);

const worker = component(
  "Worker",
  z.object({
    worker: z.string(),
    release: z.string(),
    queue: z.string(),
    state: z.enum(["starting", "ok", "suspect", "dead", "draining", "quarantined"]),
    reason: z.string().nullable().describe("Why it is not `ok`."),
    slots: count,
    busy: count.describe("Jobs in flight."),
    lanes: z.array(z.string()).describe("It takes from them now."),
    trippedLanes: z.array(z.string()),
    takes: z.enum(TAKES).describe("What its release's workers are told to take, as far as it has heard."),
    firstRuns: z
      .object({ finished: count, failed: count, failedElsewhere: count, stalls: count, inRow: count })
      .nullable()
      .describe("First attempts since it started."),
    heartbeatAgeMs: z.number().nullable(),
    startedAt: moment,
    pid: z.int().nullable(),
    host: z.string().nullable(),
    settled: z.record(z.string(), z.number()).describe("Jobs that ended there, by how they settled."),
    eventLoopLagMs: z.number().nullable(),
    rssBytes: z.number().nullable(),
    clockOffsetMs: z.number().nullable(),
  }),
);

const release = component(
  "Release",
  z.object({
    release: z.string(),
    app: z.string(),
    state: z.enum(["live", "retired"]),
    publishedAt: moment,
    generations: z.record(z.string(), z.int()).describe("Its own generation by queue."),
  }),
);

const laneTrip = z.object({
  release: z.string(),
  until: moment,
  failures: z.int().min(1),
  type: z.string(),
  targetVersion: z.int(),
  code: z.string(),
  jobId: z.string(),
});

const lane = component(
  "Lane",
  z.object({
    lane: z.string(),
    generation: z.int(),
    waiting: count,
    inFlight: count,
    scheduled: count,
    dueSoon: count,
    succeeded: count,
    failed: count,
    other: count,
    retiredAt: moment.nullable(),
    oldestDueAgeMs: z.number().nullable(),
    readers: z.array(z.string()),
    consumers: count,
    orphaned: z.boolean(),
    tripped: z.boolean(),
    trips: z.array(laneTrip),
    arrivalRatePerSec: z.number().nullable(),
    serviceTimeMs: z.number().nullable(),
  }),
);

const spread = component(
  "Spread",
  z
    .object({
      jobs: count,
      p50Ms: z.number(),
      p95Ms: z.number(),
      p99Ms: z.number(),
      scv: z.number().describe("Squared coefficient of variation."),
    })
    .describe("Of the last ten minutes."),
);

export const snapshotSchema = z.object({
  observedAt: moment,
  queues: z.array(
    component(
      "Queue",
      z.object({
        queue: z.string(),
        app: z.string(),
        floor: z.int().nullable(),
        pickupPromiseMs: z.number().nullable(),
        lanes: z.array(lane),
        parked: count,
        quarantined: count,
        pickup: spread.nullable().describe("From due to taken."),
        run: spread.nullable().describe("From taken to settled."),
      }),
    ),
  ),
  workers: z.array(worker),
  releases: z.array(release),
  memory: z.object({
    usedBytes: count.describe("Of Redis."),
    maxBytes: count.describe("0: no limit is set. From 85 % of it on, new jobs are refused."),
  }),
});

const blockers = {
  mayRetire: z.boolean(),
  blockers: z.array(
    component("Blocker", z.object({ code: z.string(), what: z.string(), jobs: count.optional() })),
  ),
  observedAt: moment,
};

const { observedAt, queues, workers, releases, memory } = snapshotSchema.shape;

const SHOW = { scope: "ops:read", refusals: {} } as const;

function shown(description: string, schema: z.ZodType) {
  return { 200: { description, content: { "application/json": schema } } };
}

function page(operationId: string, summary: string, contentType: string) {
  const answer = { description: summary, content: { [contentType]: z.string() } };
  return { operationId, summary, tag: "Page", answers: { 200: answer } };
}

export const VIEW_OPERATIONS: Operations = {
  "GET /v1/fleet": {
    ...SHOW,
    operationId: "getFleet",
    summary: "Workers and releases",
    tag: "Fleet",
    answers: shown("As observed.", z.object({ observedAt, workers, releases })),
  },
  "GET /v1/lanes": {
    ...SHOW,
    operationId: "getLanes",
    summary: "Queues and their lanes",
    tag: "Fleet",
    answers: shown("As observed.", z.object({ observedAt, queues, memory })),
  },
  "GET /v1/lanes/{lane}/retirement": {
    ...SHOW,
    operationId: "getLaneRetirement",
    summary: "May the lane retire, and if not, why",
    tag: "Fleet",
    params: z.object({ lane: z.string() }),
    answers: shown("The answer.", z.object({ lane: z.string(), retiredAt: moment.nullable(), ...blockers })),
    refusals: { 404: ["LANE_NOT_FOUND"] },
  },
  "GET /v1/releases/{release}/retirement": {
    ...SHOW,
    operationId: "getReleaseRetirement",
    summary: "May the release retire, and if not, why",
    tag: "Fleet",
    params: z.object({ release: z.string() }),
    answers: shown(
      "The answer.",
      z.object({ release: z.string(), state: z.enum(["live", "retired"]), ...blockers }),
    ),
    refusals: { 404: ["RELEASE_NOT_FOUND"] },
  },
  ...DESIRED_OPERATIONS,
  "GET /": {
    ...page("getPage", "The operator page", "text/html"),
    scope: "ops:read",
    query: z.object({ refresh: z.string().optional().describe("`off`: it does not reload by itself.") }),
    answers: {
      200: { description: "How things are.", content: { "text/html": z.string() } },
      503: {
        description: "Redis is away: how things were last.",
        content: { "text/html": z.string() },
      },
    },
    refusals: {},
  },
  "GET /style.css": { ...page("getStyle", "The page's style sheet", "text/css"), scope: null, refusals: {} },
};
