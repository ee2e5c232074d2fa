import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import { OBSERVED_AT, snapshotOf } from "./build-look.ts";
import { calmPorts } from "./build-ports.ts";

type Server = Awaited<ReturnType<typeof buildControlServer>>;
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** All is well and nothing needs a queue. */
async function serve(changes: Partial<ControlPorts> = {}): Promise<Server> {
  const server = await buildControlServer(
    calmPorts({ snapshot: async () => snapshotOf({ queues: [] }), ...changes }),
  );
  servers.push(server);
  return server;
}

const redisAway: Partial<ControlPorts> = {
  snapshot: () => Promise.reject(new Error("Redis did not answer in time")),
  decisions: {
    page: () => Promise.reject(new Error("Redis did not answer in time")),
    find: () => Promise.reject(new Error("Redis did not answer in time")),
    newestOf: () => Promise.reject(new Error("Redis did not answer in time")),
  },
};

describe("the control API", () => {
  test("gives the fleet and the lanes with the time they were observed", async () => {
    const snapshot = snapshotOf();
    const server = await serve({ snapshot: async () => snapshot });
    const { workers, releases, queues, memory } = snapshot;
    expect((await server.inject("/v1/fleet")).json()).toEqual({ observedAt: OBSERVED_AT, workers, releases });
    expect((await server.inject("/v1/lanes")).json()).toEqual({ observedAt: OBSERVED_AT, queues, memory });
  });

  test("answers an unknown path with a problem", async () => {
    const answer = await (await serve()).inject("/v1/fleets");
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: "ROUTE_NOT_FOUND", status: 404 });
  });

  test("answers a path it cannot decode with a problem", async () => {
    const answer = await (await serve()).inject("/%zz");
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: "BAD_REQUEST" });
    expect(answer.headers["content-security-policy"]).toBeDefined();
  });

  test("answers what is no HTTP with a problem that says nothing of jobs", async () => {
    const server = await serve();
    await server.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect((server.server.address() as AddressInfo).port, "127.0.0.1");
    socket.end("no HTTP\r\n\r\n");
    let answer = "";
    for await (const piece of socket.setEncoding("utf8")) answer += piece;
    const problem = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
    expect(problem).toMatchObject({ status: 400, code: "BAD_REQUEST" });
    expect(problem).not.toHaveProperty("outcome");
  });

  test("shows nothing of an error that only a bug throws, and does not blame Redis", async () => {
    const server = await serve({ snapshot: () => Promise.reject(new TypeError("secret")) });
    for (const path of ["/v1/fleet", "/", "/raw"]) {
      const answer = await server.inject(path);
      expect([path, answer.statusCode, answer.json().code]).toEqual([path, 500, "INTERNAL"]);
      expect(answer.body).not.toContain("secret");
    }
  });

  test("answers only to loopback's names on loopback", async () => {
    const server = await serve({ loopbackOnly: true });
    const ask = async (host: string) =>
      (await server.inject({ url: "/v1/fleet", headers: { host } })).statusCode;
    expect(await ask("localhost:9000")).toBe(200);
    expect(await ask("rebound.example:9000")).toBe(421);
  });

  test("serves health and metrics", async () => {
    const server = await serve();
    for (const path of ["/livez", "/readyz", "/metrics"]) {
      expect([path, (await server.inject(path)).statusCode]).toEqual([path, 200]);
    }
  });

  test("says in its readiness what it is: a standby is as ready as the leader", async () => {
    const calm = { durability: null, redisReachable: true, stopping: false, problems: [] };
    const server = await serve({ readiness: () => ({ ...calm, role: "standby" }) });
    const answer = await server.inject("/readyz");
    expect([answer.statusCode, answer.json().role]).toEqual([200, "standby"]);
    expect((await (await serve()).inject("/readyz")).json()).not.toHaveProperty("role");
  });

  test.each(["/", "/style.css", "/v1/fleet", "/v1/lanes", "/v1/scaling/decisions", "/nowhere"])(
    "%s lets a browser load nothing else, guess no type, leak no referrer and keep no copy",
    async (path) => {
      const { headers } = await (await serve()).inject(path);
      expect(headers).toMatchObject({
        "content-security-policy":
          "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      });
    },
  );
});

describe("while Redis is away", () => {
  test.each(["/v1/fleet", "/v1/lanes", "/v1/scaling/decisions", "/raw", "/raw/api/queues"])(
    "%s is a 503 that says when to come back",
    async (path) => {
      const answer = await (await serve(redisAway)).inject(path);
      expect(answer.statusCode).toBe(503);
      expect(answer.headers["retry-after"]).toBe("1");
      expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({ code: "REDIS_UNAVAILABLE", status: 503, retryAfterSeconds: 1 });
    },
  );

  test("the page still comes, first without and then with the last good look", async () => {
    let isAway = true;
    const server = await serve({
      snapshot: async () => {
        if (isAway) throw new Error("away");
        return snapshotOf();
      },
    });
    const first = await server.inject("/");
    expect([first.statusCode, first.headers["content-type"]]).toEqual([503, "text/html; charset=utf-8"]);
    expect(first.body).toContain("Redis has not answered since this process started.");
    isAway = false;
    expect((await server.inject("/")).statusCode).toBe(200);
    isAway = true;
    const last = await server.inject("/?refresh=off");
    expect(last.statusCode).toBe(503);
    expect(last.body).toContain("2026-03-01 03:00:00 UTC");
    expect(last.body).not.toContain("http-equiv");
  });
});

describe("the raw board", () => {
  test("may use its own script and inline styles, and nothing of another host", async () => {
    const answer = await (await serve()).inject("/raw/");
    expect(answer.statusCode).toBe(200);
    const policy = String(answer.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("style-src 'self' 'unsafe-inline';");
    expect(policy).toContain("font-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).not.toContain("http");
  });

  test("starts without its last slash too", async () => {
    expect((await (await serve()).inject("/raw")).statusCode).toBe(200);
  });

  const writes = [
    ["POST", "/raw/api/queues/shop.r1/add"],
    ["PUT", "/raw/api/queues/pause"],
    ["PUT", "/raw/api/queues/shop.r1/empty"],
    ["PUT", "/raw/api/queues/shop.r1/obliterate"],
    ["PUT", "/raw/api/queues/shop.r1/clean/completed"],
    ["PUT", "/%72aw/api/queues/shop.r1/1/clean"],
    ["PATCH", "/raw/api/queues/shop.r1/1/update-data"],
    ["DELETE", "/raw/api/queues/shop.r1"],
    ["OPTIONS", "/raw/api/queues"],
    ["POST", "/v1/fleet"],
  ] as const;

  test.each(writes)("refuses %s %s", async (method, url) => {
    const open = vi.fn(() => Promise.reject(new Error("no queue in this test")));
    const snapshot = vi.fn(async () => snapshotOf());
    const answer = await (await serve({ queues: { open }, snapshot })).inject({ method, url, payload: {} });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toBe("GET, HEAD");
    expect(answer.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
    expect(snapshot).not.toHaveBeenCalled();
    expect(open).not.toHaveBeenCalled();
  });
});
