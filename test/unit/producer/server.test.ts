import { describe, expect, test } from "vitest";
import { RedisUnavailableError } from "#shared/errors";
import { jobIdOf, queueOfJobId } from "#shared/job-id";
import type { JobView } from "#shared/redis/job-lookup";
import { posting, request, serve } from "./server-builder.ts";

const host = "127.0.0.1:7700";

describe("POST /v1/jobs", () => {
  test("answers 202 with the job and where to ask for it", async () => {
    const { server, added, announced } = serve();
    const answer = await server.inject(posting({ ...request, id: "order-1", source: "/shop" }));
    const id = jobIdOf({ queue: "shop", tenant: "default", source: "/shop", id: "order-1" });
    expect(answer.statusCode).toBe(202);
    expect(answer.headers.location).toBe(`/v1/jobs/${id}`);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({ id, type: "receipt.render", state: "waiting", outcome: "created" });
    expect(added).toEqual([{ place: "shop.r1", jobId: id, dataText: expect.any(String) }]);
    expect(announced).toEqual(["shop"]);
  });

  test("stamps what the server alone decides", async () => {
    const { server, added } = serve();
    await server.inject(posting({ ...request, id: "order-1", subject: "s" }));
    expect(JSON.parse(added[0]?.dataText ?? "")).toEqual({
      ...request,
      specversion: "1.0",
      id: "order-1",
      source: "/anonymous",
      subject: "s",
      minreaderversion: 1,
      // The clock of the test stands there.
      time: "2026-01-31T12:00:00.000Z",
      tenant: "default",
    });
  });

  test("makes up an id of its own time for each job that has none", async () => {
    const { server, added } = serve();
    const [one, two] = [await server.inject(posting(request)), await server.inject(posting(request))];
    expect(one.json().id).not.toBe(two.json().id);
    expect(queueOfJobId(one.json().id)).toBe("shop");
    const { id } = JSON.parse(added[0]?.dataText ?? "");
    // RFC 9562, 5.7: version 7, variant 10, and the first 48 bits are the milliseconds since 1970.
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(Date.UTC(2026, 0, 31, 12));
  });

  test("gives the same id for the same request again", async () => {
    const { server } = serve();
    const same = posting({ ...request, id: "order-1" });
    expect((await server.inject(same)).json()).toEqual((await server.inject(same)).json());
  });

  test.each([
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/json ;charset=UTF-8",
  ])("takes the content type %s for the plain form", async (type) => {
    const { server } = serve();
    expect((await server.inject(posting(request, { "content-type": type }))).statusCode).toBe(202);
  });

  test.each(["application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"])(
    "takes %s for a CloudEvent, keeps its extensions and overwrites what is stamped",
    async (type) => {
      const { server, added } = serve();
      const event = {
        ...request,
        specversion: "1.0",
        id: "1",
        source: "/shop",
        sampledrate: 3,
        tenant: "another",
        minreaderversion: 99,
        time: "1999-01-01T00:00:00Z",
      };
      expect((await server.inject(posting(event, { "content-type": type }))).statusCode).toBe(202);
      expect(JSON.parse(added[0]?.dataText ?? "")).toEqual({
        ...event,
        tenant: "default",
        minreaderversion: 1,
        time: "2026-01-31T12:00:00.000Z",
      });
    },
  );

  test("counts what it accepted", async () => {
    const { server, counts } = serve();
    await server.inject(posting(request));
    expect(await counts.registry.metrics()).toMatch(
      /sluice_enqueue_requests_total\{outcome="accepted",reason=""\} 1/,
    );
  });
});

describe("GET /v1/jobs/{id}", () => {
  test("answers what is known of the job", async () => {
    const view = { id: "shop~x", tenant: "default", state: "running" } as JobView;
    const { server } = serve({ findJob: async (id) => (id === "shop~x" ? view : null) });
    const answer = await server.inject({ url: "/v1/jobs/shop~x", headers: { host } });
    expect([answer.statusCode, answer.json()]).toEqual([200, view]);
  });

  test("answers 404 for a job that is not known", async () => {
    const { server } = serve();
    const answer = await server.inject({ url: "/v1/jobs/shop~x", headers: { host } });
    expect(answer.json()).toMatchObject({ status: 404, code: "JOB_NOT_FOUND" });
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  });

  test("answers 503 while Redis is away", async () => {
    const findJob = () => Promise.reject(new RedisUnavailableError());
    const answer = await serve({ findJob }).server.inject({ url: "/v1/jobs/shop~x", headers: { host } });
    expect(answer.json()).toMatchObject({ status: 503, code: "REDIS_UNAVAILABLE" });
    expect(answer.headers["retry-after"]).toBe("1");
  });

  test.each([`/v1/jobs/${"x".repeat(300)}`, "/v1/jobs/%zz", "/v1/jobs/a/b"])(
    "answers %s by a problem, and never by an error of ours",
    async (url) => {
      const answer = await serve().server.inject({ url, headers: { host } });
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.statusCode).toBeLessThan(500);
      expect(answer.json()).toMatchObject({ code: expect.any(String), title: expect.any(String) });
      expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    },
  );
});

describe("GET /v1/types", () => {
  test("lists what can be enqueued, with the closed schema the door uses", async () => {
    const answer = await serve().server.inject({ url: "/v1/types", headers: { host } });
    expect(answer.json()).toEqual({
      types: [
        {
          type: "receipt.render",
          queue: "shop",
          policy: expect.objectContaining({ attempts: 5 }),
          activeversion: 1,
          versions: [
            {
              schemaversion: 1,
              minreaderversion: 1,
              state: "active",
              since: "2026-01-31T12:00:00.000Z",
              by: "ana@ops1",
              sunset: null,
              accepted: true,
              lane: "shop.r1",
              schema: {
                type: "object",
                properties: { orderId: { type: "string" }, note: { type: "string" } },
                required: ["orderId"],
                additionalProperties: false,
              },
            },
          ],
        },
      ],
    });
  });
});

describe("the other routes", () => {
  test("say that the process lives, and whether it is ready and why not", async () => {
    const { server } = serve();
    expect((await server.inject({ url: "/livez", headers: { host } })).json()).toEqual({ status: "alive" });
    const ready = await server.inject({ url: "/readyz", headers: { host } });
    expect([ready.statusCode, ready.json().status]).toEqual([200, "ready"]);
    const away = serve({ readiness: { redisReachable: false, stopping: true, problems: ["no release"] } });
    const answer = await away.server.inject({ url: "/readyz", headers: { host } });
    expect([answer.statusCode, answer.json().problems]).toEqual([
      503,
      ["the process is stopping", "Redis is not reachable", "no release"],
    ]);
  });

  test("are a problem where there is none", async () => {
    const { server } = serve();
    for (const [method, url] of [
      ["GET", "/"],
      ["GET", "/v2/jobs"],
      ["PUT", "/v1/jobs"],
      ["DELETE", "/v1/jobs"],
    ] as const) {
      const answer = await server.inject({ method, url, headers: { host } });
      expect(answer.json()).toMatchObject({ status: 404, code: "ROUTE_NOT_FOUND" });
    }
  });
});
