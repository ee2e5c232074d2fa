/**
 * The HTTP surface of the autoscaler. Builds a server and starts nothing, so tests can `inject`.
 *
 * A write is taken on the routes with the scope `ops:write`; every other one is refused, whatever the path.
 * Looks are shared with the control loop's, so viewers cost Redis little.
 */
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { RedisUnavailableError } from "#shared/errors";
import { type Authentication, addAuthentication } from "#shared/http/authenticate";
import { clientErrorHandler } from "#shared/http/client-errors";
import { documentRoutes } from "#shared/http/document-routes";
import { addHealthRoutes, type HealthPorts } from "#shared/http/health";
import { problemOf } from "#shared/http/problem";
import { refuseCrossSite } from "#shared/http/refuse-cross-site";
import { refuseOtherNames } from "#shared/http/refuse-other-names";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import type { LaneQueues } from "#shared/redis/lane-queues";
import type { Snapshot } from "../snapshot.ts";
import { type AuditPorts, addAuditRoute } from "./audit-route.ts";
import { readDecisions } from "./decision-log.ts";
import { addDecisionRoutes, type DecisionPorts } from "./decision-routes.ts";
import { addDesiredRoutes, type DesiredPorts } from "./desired-routes.ts";
import { addFleetRoutes, type FleetPorts } from "./fleet-routes.ts";
import { addGateRoutes, type GatePorts } from "./gate-routes.ts";
import { addLeaderRoute, type LeaderPorts } from "./leader-route.ts";
import { addLimitsRoutes, type LimitsPorts } from "./limits-routes.ts";
import { CONTROL_API } from "./operations/api.ts";
import { type Look, renderOutagePage, renderPage } from "./page.ts";
import { causeOf, problemFor, readRedis } from "./problems.ts";
import { addRawBoard, RAW_PATH } from "./raw-board.ts";
import type { Query } from "./read-query.ts";
import { addRetireRoute, type RetirePorts } from "./retire-route.ts";
import { addRetirementRoutes, type RetirementPorts } from "./retirement-routes.ts";
import { shownView } from "./rollout-answer.ts";
import { addRolloutRoutes, type RolloutPorts } from "./rollout-routes.ts";
import { addScalingRoutes, type ScalingPorts } from "./scaling-routes.ts";
import { STYLE } from "./style.ts";

export interface ControlPorts
  extends HealthPorts,
    GatePorts,
    RetirementPorts,
    AuditPorts,
    LimitsPorts,
    LeaderPorts,
    DesiredPorts,
    DecisionPorts,
    ScalingPorts,
    RolloutPorts,
    FleetPorts,
    RetirePorts {
  readonly log: Log;
  /** Answer only requests addressed to loopback by name. */
  readonly loopbackOnly: boolean;
  readonly authentication: Authentication;
  readonly audit: GatePorts["audit"] & AuditPorts["audit"];
  readonly rollouts: RolloutPorts["rollouts"];
  /** Where the raw board finds its queues. */
  readonly queues: Pick<LaneQueues, "open">;
  /** A recent look at everything. Rejects when Redis is away; never hangs. */
  snapshot(): Promise<Snapshot>;
}

/** A request that has not arrived completely by then is dropped. */
const REQUEST_TIMEOUT_MS = 30_000;

const PAGE_DECISIONS = 20;

/** Pools that the page explains; the list of decisions has them all. */
const PAGE_POOLS = 50;

const READS = { config: { scope: "ops:read" } } as const;

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

export async function buildControlServer(ports: ControlPorts): Promise<FastifyInstance> {
  const server = Fastify({
    bodyLimit: 1_024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: "idle",
    clientErrorHandler: clientErrorHandler({}),
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply.headers(SECURITY_HEADERS), problemFor(error));
    },
  });
  server.addHook("onRequest", (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
  if (ports.loopbackOnly) refuseOtherNames(server);
  refuseCrossSite(server);
  addAuthentication(server, ports.authentication, { basic: true });
  refuseWrites(server);

  server.setErrorHandler((error, _request, reply) => {
    const problem = problemFor(error);
    if (problem.status >= 500) ports.log.error({ err: causeOf(error), code: problem.code }, "request failed");
    return sendProblem(reply, problem);
  });
  server.setNotFoundHandler((_request, reply) => {
    const detail = "Nothing is at this path; / shows what there is.";
    return sendProblem(
      reply,
      problemOf({ status: 404, code: "ROUTE_NOT_FOUND", title: "No such route", detail }),
    );
  });

  documentRoutes(server, CONTROL_API, { undescribed: (path) => path.startsWith(RAW_PATH) });
  addViewRoutes(server, ports);
  addGateRoutes(server, ports);
  addRetirementRoutes(server, ports);
  addAuditRoute(server, ports);
  addLimitsRoutes(server, ports);
  addLeaderRoute(server, ports);
  addDesiredRoutes(server, ports);
  addDecisionRoutes(server, ports);
  addScalingRoutes(server, ports);
  addRolloutRoutes(server, ports);
  addFleetRoutes(server, ports);
  addRetireRoute(server, ports);
  addPageRoutes(server, ports);
  addHealthRoutes(server, ports);
  await addRawBoard(server, ports);
  return server;
}

/** By method and the matched route's own scope, so that no spelling of a path gets around it. */
function refuseWrites(server: FastifyInstance): void {
  server.addHook("onRequest", (request, reply, done) => {
    if (request.method === "GET" || request.method === "HEAD") return done();
    if (request.routeOptions.config?.scope === "ops:write") return done();
    const detail = "This path only shows; use GET or HEAD.";
    sendProblem(
      reply.header("allow", "GET, HEAD"),
      problemOf({ status: 405, code: "METHOD_NOT_ALLOWED", title: "Read only", detail }),
    );
  });
}

function addViewRoutes(server: FastifyInstance, ports: ControlPorts): void {
  server.get("/v1/fleet", READS, async () => {
    const { observedAt, workers, releases } = await readRedis(ports.snapshot());
    return { observedAt, workers, releases };
  });

  server.get("/v1/lanes", READS, async () => {
    const { observedAt, queues, memory } = await readRedis(ports.snapshot());
    return { observedAt, queues, memory };
  });
}

function addPageRoutes(server: FastifyInstance, ports: ControlPorts): void {
  let last: Look | null = null;

  server.get<{ Querystring: Query }>("/", READS, async ({ query }, reply) => {
    const options = { refreshes: query.refresh !== "off", open: ports.authentication === "off" };
    try {
      last = await look(ports);
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      ports.log.warn({ err: causeOf(error) }, "page has nothing new to show");
      return sendPage(reply.code(503).header("retry-after", "1"), renderOutagePage(last, options));
    }
    return sendPage(reply, renderPage(last, options));
  });

  server.get("/style.css", async (_request, reply) => reply.type("text/css; charset=utf-8").send(STYLE));
}

async function look(ports: ControlPorts): Promise<Look> {
  const [snapshot, gates, scaling, leader, { records }, views] = await readRedis(
    Promise.all([
      ports.snapshot(),
      ports.gates(),
      ports.scaling.view(),
      ports.leader(),
      ports.decisions.page({ pool: null, limit: PAGE_DECISIONS, atMs: null, after: null }),
      ports.rollouts.list(),
    ]),
  );
  const pools = scaling.pools.map(({ pool }) => pool).slice(0, PAGE_POOLS);
  const newest = readDecisions(await readRedis(ports.decisions.newestOf(pools))).decisions;
  const rollouts = views.map((it) => shownView(it, ports.clock.nowMs()));
  const { decisions } = readDecisions(records);
  return { snapshot, decisions, newest, scaling, gates, leader, rollouts };
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type("text/html; charset=utf-8").send(page);
}
