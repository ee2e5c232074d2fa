/** What a client of the job API sees of a type's gate. */
import { describe, expect, test } from "vitest";
import { deprecationHeaders } from "#producer/deprecation-headers";
import { decideDraft } from "#shared/registry/decide-draft";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import { posting, registryWithWaitingVersion, request, serve, withGateAt } from "./server-builder.ts";

const host = "127.0.0.1:7700";
const waiting = registryWithWaitingVersion();
const raised = withGateAt(waiting, 2, { at: "2026-02-01T08:30:00.500Z" });

function post(registry: RegistryDocument, schemaversion: number) {
  const served = serve({ registry });
  return served.server
    .inject(posting({ ...request, schemaversion }))
    .then((answer) => ({ answer, ...served }));
}

describe("a job of a version above the gate", () => {
  test("is refused with what to write instead and when to try again, and is not stored", async () => {
    const { answer, added, announced, counts } = await post(waiting, 2);
    expect(answer.statusCode).toBe(409);
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(answer.headers["retry-after"]).toBe("30");
    const message =
      "Version 2 of receipt.render is not active yet; write version 1, or try again once the gate is raised.";
    expect(answer.json()).toEqual({
      type: "urn:sluice:problem:version-not-active",
      title: "The version is not active yet",
      status: 409,
      code: "VERSION_NOT_ACTIVE",
      detail: message,
      outcome: "not_enqueued",
      errors: [{ pointer: "/schemaversion", rule: "version-not-active", message }],
      retryAfterSeconds: 30,
    });
    expect([added, announced]).toEqual([[], []]);
    expect(await counts.registry.metrics()).toMatch(
      /sluice_enqueue_requests_total\{outcome="invalid",reason="VERSION_NOT_ACTIVE"\} 1/,
    );
  });

  test("is refused before its data is looked at", async () => {
    const { server } = serve({ registry: waiting });
    const answer = await server.inject(posting({ ...request, schemaversion: 2, data: { orderId: 7 } }));
    expect(answer.json().code).toBe("VERSION_NOT_ACTIVE");
  });

  test("is taken once the gate is raised, into its own lane, and refused again once it is lowered", async () => {
    const taken = await post(raised, 2);
    expect(taken.answer.statusCode).toBe(202);
    expect(taken.added).toMatchObject([{ place: "shop.r2" }]);
    expect(JSON.parse(taken.added[0]?.dataText ?? "")).toMatchObject({
      schemaversion: 2,
      minreaderversion: 2,
    });
    expect((await post(withGateAt(raised, 1), 2)).answer.statusCode).toBe(409);
  });
});

describe("a job of a superseded version", () => {
  test("is taken with since when there is a newer one and where to look", async () => {
    const { answer, added } = await post(raised, 1);
    expect(answer.statusCode).toBe(202);
    expect(added).toMatchObject([{ place: "shop.r1" }]);
    // RFC 9745, 2.1: a structured-field date, whole seconds since 1970. 2026-02-01T08:30:00Z is 1769934600.
    expect(answer.headers.deprecation).toBe("@1769934600");
    expect(answer.headers.link).toBe('</v1/types>; rel="deprecation"');
    expect(answer.headers.sunset).toBeUndefined();
  });

  test("says until when it is taken where that is announced, in the form of HTTP dates", async () => {
    const sunset = "2027-01-01T00:30:00+01:00";
    const { answer } = await post(withGateAt(waiting, 2, { sunset }), 1);
    // RFC 8594 takes RFC 9110's date: GMT, an hour before the offset says.
    expect(answer.headers.sunset).toBe("Thu, 31 Dec 2026 23:30:00 GMT");
  });

  test("keeps its location and body", async () => {
    const { answer } = await post(raised, 1);
    expect(answer.headers.location).toBe(`/v1/jobs/${answer.json().id}`);
    expect(answer.json()).toEqual({
      id: expect.any(String),
      type: "receipt.render",
      state: "waiting",
      outcome: "created",
    });
  });
});

test.each([
  ["active", waiting, 1],
  ["active after a raise", raised, 2],
  ["active again after a lowering", withGateAt(raised, 1), 1],
] as const)("a job of the version that is %s has no such headers", async (_which, registry, version) => {
  const { answer } = await post(registry, version);
  expect(answer.statusCode).toBe(202);
  for (const name of ["deprecation", "sunset", "link"]) expect(answer.headers).not.toHaveProperty(name);
});

test("a refused job of a superseded version has no such headers either", async () => {
  const { server } = serve({ registry: raised });
  const answer = await server.inject(posting({ ...request, data: {} }));
  expect(answer.statusCode).toBe(422);
  expect(answer.headers).not.toHaveProperty("deprecation");
});

describe("deprecationHeaders", () => {
  test("leaves out a date that cannot be read rather than answering with a wrong one", () => {
    expect(deprecationHeaders({ since: "yesterday", sunset: "soon" })).toEqual({
      link: '</v1/types>; rel="deprecation"',
    });
  });

  test("is made once for a version of one registry", () => {
    const superseded = { since: "2026-02-01T08:30:00Z" };
    expect(deprecationHeaders(superseded)).toBe(deprecationHeaders(superseded));
    expect(deprecationHeaders({ ...superseded })).toEqual(deprecationHeaders(superseded));
  });
});

describe("GET /v1/types", () => {
  interface Listed {
    readonly activeversion: number;
    readonly versions: readonly Readonly<Record<string, unknown>>[];
  }

  async function typesIn(registry: RegistryDocument): Promise<readonly Listed[]> {
    return (await serve({ registry }).server.inject({ url: "/v1/types", headers: { host } })).json().types;
  }

  test("says of each version where it is in its life, whether it is taken, and where it would go", async () => {
    const [type] = await typesIn(waiting);
    expect(type?.activeversion).toBe(1);
    expect(type?.versions).toMatchObject([
      { schemaversion: 1, state: "active", accepted: true, lane: "shop.r1" },
      { schemaversion: 2, state: "published", accepted: false, lane: "shop.r2", minreaderversion: 2 },
    ]);
    expect((await typesIn(withGateAt(waiting, 2, { sunset: "2027-01-01T00:00:00Z" })))[0]).toMatchObject({
      activeversion: 2,
      versions: [
        { schemaversion: 1, state: "superseded", accepted: true, sunset: "2027-01-01T00:00:00Z" },
        { schemaversion: 2, state: "active", accepted: true, sunset: null },
      ],
    });
  });

  test("shows drafts with their schema closed as the door would have it, and takes none", async () => {
    const draft = {
      release: "shop-v3",
      app: "shop",
      types: [
        {
          type: "receipt.send",
          queue: "mail",
          policy: { attempts: 1, timeoutMs: 1, backoff: { baseMs: 1, maxMs: 1 }, excess: "reject" as const },
          versions: [
            {
              version: 1,
              minReaderVersion: 1,
              schema: { type: "object", properties: { to: { type: "string" } }, additionalProperties: {} },
            },
          ],
        },
      ],
    };
    const change = { at: "2026-02-02T00:00:00Z", by: "ben@ops2", why: "to look at" };
    const drafted = decideDraft(waiting, draft, change);
    expect((await typesIn(drafted))[1]).toEqual({
      type: "receipt.send",
      queue: "mail",
      policy: draft.types[0]?.policy,
      activeversion: 0,
      versions: [
        {
          schemaversion: 1,
          minreaderversion: null,
          state: "draft",
          since: "2026-02-02T00:00:00Z",
          by: "ben@ops2",
          sunset: null,
          accepted: false,
          lane: null,
          schema: { type: "object", properties: { to: { type: "string" } }, additionalProperties: false },
        },
      ],
    });
    const { server } = serve({ registry: drafted });
    const answer = await server.inject(
      posting({ type: "receipt.send", schemaversion: 1, data: { to: "x" } }),
    );
    expect(answer.json().code).toBe("TYPE_UNKNOWN");
  });

  test("is empty before anything is published", async () => {
    expect(await typesIn(EMPTY_REGISTRY)).toEqual([]);
  });
});
