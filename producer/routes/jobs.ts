/** `POST /v1/jobs` and `GET /v1/jobs/{id}`. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Enqueuer } from "#shared/enqueue/enqueuer";
import { type JobRequest, parseCloudEventRequest, parsePlainRequest } from "#shared/envelope";
import { PROBLEM_CONTENT_TYPE, problemOf } from "#shared/http/problem";
import type { JobView } from "#shared/redis/job-lookup";
import { deprecationHeaders } from "../deprecation-headers.ts";
import { readBody } from "../read-body.ts";

export interface JobsPorts {
  readonly enqueuer: Enqueuer;
  /** `null` when the job is not known; rejects when Redis is not reached. */
  findJob(jobId: string): Promise<JobView | null>;
}

/** Until there are credentials to take it from. */
const DEFAULT_TENANT = "default";

export function addJobsRoutes(server: FastifyInstance, ports: JobsPorts): void {
  server.post("/v1/jobs", async (request, reply) => {
    const { job, superseded } = await ports.enqueuer.enqueue(jobRequestOf(request), DEFAULT_TENANT);
    if (superseded !== null) reply.headers(deprecationHeaders(superseded));
    return reply.code(202).header("location", `/v1/jobs/${job.id}`).send(job);
  });

  server.get<{ Params: { id: string } }>("/v1/jobs/:id", async (request, reply) => {
    const job = await ports.findJob(request.params.id);
    if (job !== null) return job;
    const detail =
      "No job with this id is known: it was never accepted, or it finished and was cleaned away.";
    return reply
      .code(404)
      .header("content-type", PROBLEM_CONTENT_TYPE)
      .send(problemOf({ status: 404, code: "JOB_NOT_FOUND", title: "No such job", detail }));
  });
}

/** The content type parser has let only these two through. */
function jobRequestOf(request: FastifyRequest): JobRequest {
  const body = readBody(typeof request.body === "string" ? request.body : "");
  const isCloudEvent = request.headers["content-type"]
    ?.toLowerCase()
    .startsWith("application/cloudevents+json");
  return isCloudEvent ? parseCloudEventRequest(body) : parsePlainRequest(body);
}
