/**
 * Every route of both servers, asked with every kind of key. The routes are those that are really registered,
 * and what is expected of each follows from the scope that it names: a new route is in here by itself.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FastifyInstance, HTTPMethods, RouteOptions } from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildControlServer } from "#autoscaler/control-api/server";
import { SCOPES, type Scope } from "#shared/auth/caller";
import { isOpenRoute } from "#shared/http/authenticate";
import type { JobView } from "#shared/redis/job-lookup";
import { keysOnly, type TestKey, testKey } from "#test/support/api-keys";
import { calmPorts } from "./autoscaler/control-api/build-ports.ts";
import { serve } from "./producer/server-builder.ts";

const OWN = "acme";
const AT = "2026-01-31T12:00:00.000Z";

const owned = new Map<string, TestKey>(SCOPES.map((scope) => [scope, testKey([scope], { tenant: OWN })]));
const foreign = testKey(["admin"], { tenant: "rival" });
const authentication = keysOnly([...owned.values(), foreign]);

interface FoundRoute {
  readonly method: HTTPMethods;
  readonly url: string;
  readonly scope: Scope | undefined;
}

interface Found {
  readonly server: FastifyInstance;
  readonly routes: readonly FoundRoute[];
}

/** Builds a server and keeps the routes that are registered while it is. */
async function watched(build: () => FastifyInstance | Promise<FastifyInstance>): Promise<Found> {
  const registered: RouteOptions[] = [];
  const onInstance = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook("onRoute", (route) => void registered.push(route));
  };
  subscribe("fastify.initialization", onInstance);
  try {
    const server = await build();
    await server.ready();
    // Now, because a plugin's own hook may have given a route its scope since.
    const routes = registered.flatMap(({ method, url, config }) =>
      [method].flat().map((it) => ({ method: it as HTTPMethods, url, scope: config?.scope })),
    );
    return { server, routes };
  } finally {
    unsubscribe("fastify.initialization", onInstance);
  }
}

const servers: readonly (readonly [string, () => Promise<Found>])[] = [
  ["the API", () => watched(() => serve({ authentication, ...jobsOf(OWN) }).server)],
  [
    "the control API",
    () =>
      watched(async () => {
        const server = await buildControlServer(calmPorts({ authentication }));
        onTestFinished(() => server.close());
        return server;
      }),
  ],
];

/** Every id is that of a job of this tenant. */
function jobsOf(tenant: string): Parameters<typeof serve>[0] {
  return {
    findJob: async (id) => jobView(id, tenant),
    canceller: {
      cancel: async (_id, terms) => ({ kind: terms.tenant === tenant ? "cancelled" : "unknown" }),
    },
  };
}

function jobView(id: string, tenant: string): JobView {
  return {
    id,
    tenant,
    type: "receipt.render",
    state: "succeeded",
    queue: "shop",
    lane: "shop.r1",
    schemaversion: 1,
    minreaderversion: 1,
    source: null,
    acceptedAt: AT,
    dueAt: null,
    startedAt: AT,
    finishedAt: AT,
    release: "shop-v1",
    worker: "w1",
    attempts: { failed: 0, starts: 1, crashes: 0, entries: [] },
    progress: null,
    result: null,
    resultBytesDropped: null,
    error: null,
  };
}

/** A request for the route, with something in the place of every parameter. */
function ask(server: FastifyInstance, { method, url }: FoundRoute, key: TestKey | null) {
  const hasBody = !["GET", "HEAD", "DELETE", "OPTIONS"].includes(method);
  return server.inject({
    method: method as "GET",
    url: url.replace(/:\w+/g, "a").replace("*", "a"),
    headers: {
      host: "127.0.0.1:7700",
      ...(hasBody && { "content-type": "application/json" }),
      ...key?.bearer,
    },
    ...(hasBody && { payload: "{}" }),
  });
}

function expected(scope: Scope | undefined, held: string, url: string): number | "let in" {
  if (scope === undefined && isOpenRoute(url)) return "let in";
  if (held === "no key") return 401;
  return scope !== undefined && (held === scope || held === "admin") ? "let in" : 403;
}

describe.each(servers)("%s", (_name, build) => {
  test("has a scope on every route that is not on the open list, and none on those that are", async () => {
    const { routes } = await build();
    expect(routes.length).toBeGreaterThan(5);
    const wrong = routes.filter(({ scope, url }) => (scope === undefined) !== isOpenRoute(url));
    expect(wrong).toEqual([]);
  });

  test("lets in, route by route, whoever holds its scope, and nobody else", async () => {
    const { server, routes } = await build();
    const cells: [string, number | "let in"][] = [];
    const wanted: typeof cells = [];
    for (const route of routes) {
      for (const held of ["no key", ...SCOPES]) {
        const { statusCode } = await ask(server, route, owned.get(held) ?? null);
        const cell = `${route.method} ${route.url} with ${held}`;
        cells.push([cell, statusCode === 401 || statusCode === 403 ? statusCode : "let in"]);
        wanted.push([cell, expected(route.scope, held, route.url)]);
      }
    }
    expect(cells).toEqual(wanted);
    expect(cells.length).toBeGreaterThan(30);
  });

  test("asks nobody for a key when authentication is off", async () => {
    const open = await buildControlServer(calmPorts());
    onTestFinished(() => open.close());
    for (const server of [open, serve().server]) {
      const metrics = await server.inject({ url: "/metrics", headers: { host: "127.0.0.1" } });
      expect(metrics.statusCode).toBe(200);
    }
  });
});

describe("a job", () => {
  /** Everything that names one job. */
  const isOfOneJob = ({ url }: FoundRoute) => /^\/v1\/jobs\/:id(\/|$)/.test(url);

  test("of another tenant is answered as one that does not exist, by every route", async () => {
    const [, build] = servers[0] ?? [];
    if (build === undefined) throw new Error("there is no API");
    const { server, routes } = await build();
    const unknown = await watched(() => serve({ authentication, findJob: async () => null }).server);
    const found = routes.filter(isOfOneJob);
    expect(found.length).toBeGreaterThan(2);
    for (const route of found) {
      const cell = `${route.method} ${route.url}`;
      const [theirs, nobodys] = [
        await ask(server, route, foreign),
        await ask(unknown.server, route, foreign),
      ];
      expect([cell, theirs.statusCode, theirs.body]).toEqual([cell, 404, nobodys.body]);
      const own = await ask(server, route, owned.get("admin") ?? null);
      expect([cell, own.statusCode === 404]).toEqual([cell, false]);
      const nobody = await ask(server, route, null);
      expect([cell, nobody.statusCode]).toEqual([cell, 401]);
    }
  });

  test("cannot be told from one that does not exist without a key either", async () => {
    const { server, routes } = await watched(() => serve({ authentication, ...jobsOf(OWN) }).server);
    const other = await watched(() => serve({ authentication, findJob: async () => null }).server);
    for (const route of routes.filter(isOfOneJob)) {
      const [known, unknown] = [await ask(server, route, null), await ask(other.server, route, null)];
      expect([known.statusCode, known.body]).toEqual([401, unknown.body]);
    }
  });
});

describe("a schedule", () => {
  test("is looked for among the caller's own only: a stranger finds none by any name", async () => {
    const { server, routes } = await watched(() => serve({ authentication }).server);
    // Writing one under a name makes the caller's own.
    const found = routes.filter(({ url, method }) => url.startsWith("/v1/schedules/:") && method !== "PUT");
    for (const route of found) {
      const cell = `${route.method} ${route.url}`;
      expect([cell, (await ask(server, route, foreign)).statusCode]).toEqual([cell, 404]);
      expect([cell, (await ask(server, route, null)).statusCode]).toEqual([cell, 401]);
    }
  });
});
