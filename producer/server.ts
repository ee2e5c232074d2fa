/**
 * The HTTP surface of the producer. Builds a server and starts nothing, so tests can `inject`.
 *
 * Bodies are taken as text and parsed by `read-body.ts`: the framework's own JSON parser knows neither
 * our limits nor our words.
 */
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { NoRoomError } from "#shared/admission-errors";
import { ENVELOPE_BYTES_MAX } from "#shared/envelope";
import { ThrottledError } from "#shared/errors";
import { type Authentication, addAuthentication } from "#shared/http/authenticate";
import { clientErrorHandler } from "#shared/http/client-errors";
import { documentRoutes } from "#shared/http/document-routes";
import { addHealthRoutes, type HealthPorts } from "#shared/http/health";
import { problemOf } from "#shared/http/problem";
import { rateLimitHeaders } from "#shared/http/rate-limit-fields";
import { refuseOtherNames } from "#shared/http/refuse-other-names";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { ProducerMetrics } from "./metrics.ts";
import { JOB_API } from "./operations/api.ts";
import type { OverloadGate } from "./overload-gate.ts";
import { problemFor } from "./problems.ts";
import { addReadingRoutes, type ReadingPorts } from "./reading.ts";
import { addBatchRoute, type BatchPorts } from "./routes/batch.ts";
import { addJobsRoutes, type JobsPorts, type Refuse } from "./routes/jobs.ts";
import { addSchedulesRoutes, type SchedulesPorts } from "./routes/schedules.ts";
import { addTypesRoute } from "./routes/types.ts";

export interface ServerPorts
  extends Omit<JobsPorts, "refuse">,
    BatchPorts,
    ReadingPorts,
    SchedulesPorts,
    HealthPorts {
  readonly log: Log;
  readonly watch: ReadingPorts["watch"];
  readonly counts: ProducerMetrics;
  /** Answer only requests addressed to loopback by name. */
  readonly loopbackOnly: boolean;
  readonly authentication: Authentication;
  readonly gate: Pick<OverloadGate, "guard">;
  registry(): RegistryDocument;
}

/** A request that has not arrived completely by then is dropped, unless it is a stream of jobs. */
const REQUEST_TIMEOUT_MS = 30_000;

export function buildServer(ports: ServerPorts): FastifyInstance {
  const server = Fastify({
    bodyLimit: ENVELOPE_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    clientErrorHandler: clientErrorHandler({ outcome: "not_enqueued" }),
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: "idle",
    // A path that cannot be routed at all never reaches the error handler.
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply, problemFor(error));
    },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    ["application/json", "application/cloudevents+json"],
    { parseAs: "string" },
    (_request, body, done) => done(null, body),
  );
  if (ports.loopbackOnly) refuseOtherNames(server, { outcome: "not_enqueued" });
  addAuthentication(server, ports.authentication, {
    basic: false,
    outcome: "not_enqueued",
    refused: (request, problem) => {
      if (isEnqueue(request)) ports.counts.refused(problem);
    },
  });

  ports.gate.guard(server);

  const refuse: Refuse = (error, request, reply) => {
    request.letGo();
    const problem = problemFor(error);
    if (problem.status >= 500 && !isExpected(error))
      ports.log.error({ err: error, code: problem.code }, "request failed");
    if (isEnqueue(request)) ports.counts.refused(problem);
    if (error instanceof ThrottledError) reply.headers(rateLimitHeaders(error.fields));
    // Not returned: a reply can be awaited, and the framework would.
    sendProblem(reply, problem);
  };
  server.setErrorHandler(refuse);
  server.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${request.routeOptions.url ?? "at this path"}; see /v1/types and /v1/jobs.`;
    return sendProblem(
      reply,
      problemOf({ status: 404, code: "ROUTE_NOT_FOUND", title: "No such route", detail }),
    );
  });
  // Hooks with a callback: an async one costs every request a promise.
  server.addHook("onResponse", (request, reply, done) => {
    if (isEnqueue(request)) ports.counts.answered(reply.statusCode, reply.elapsedTime);
    done();
  });

  documentRoutes(server, JOB_API);
  addJobsRoutes(server, { ...ports, refuse });
  addBatchRoute(server, ports);
  addReadingRoutes(server, ports);
  addSchedulesRoutes(server, ports);
  addTypesRoute(server, ports.registry);
  addHealthRoutes(server, ports);
  return server;
}

/**
 * Nothing that the log has to tell: there is no room, which a flood would write thousands of times a second and metrics
 * count; or the client closed the connection while its body or its answer was on the way.
 */
function isExpected(error: unknown): boolean {
  if (error instanceof NoRoomError) return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET";
}

function isEnqueue({ method, routeOptions }: FastifyRequest): boolean {
  return method === "POST" && (routeOptions.url === "/v1/jobs" || routeOptions.url === "/v1/jobs/batch");
}
