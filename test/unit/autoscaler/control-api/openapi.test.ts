/** The control API's document: what is registered and what is described are the same, both ways. */
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import type { z } from "zod";
import { CONTROL_API } from "#autoscaler/control-api/operations/api";
import type { decisionSchema, overridesSchema } from "#autoscaler/control-api/operations/scaling";
import type { snapshotSchema } from "#autoscaler/control-api/operations/views";
import type { gateSchema, limitsSchema } from "#autoscaler/control-api/operations/writes";
import { buildControlServer } from "#autoscaler/control-api/server";
import type { GateView } from "#autoscaler/gate-keeper";
import type { LimitsView } from "#autoscaler/limits-keeper";
import type { OverridesView } from "#autoscaler/overrides-keeper";
import type { DecisionRecord, Snapshot } from "#autoscaler/snapshot";
import type { OpenApiDocument } from "#shared/http/openapi-document";
import { DocumentChecks } from "#test/fuzz/document-checks";
import { documentProblems } from "#test/fuzz/document-problems";
import { decisionRecord, snapshotOf } from "./build-look.ts";
import { calmPorts, keptDecisions } from "./build-ports.ts";

async function serve(changes: Parameters<typeof calmPorts>[0] = {}) {
  const server = await buildControlServer(calmPorts(changes));
  onTestFinished(() => server.close());
  const document = (await server.inject("/openapi.json")).json<OpenApiDocument>();
  return { server, document };
}

describe("the document of the control API", () => {
  test("describes every route that is registered, and no route that is not", async () => {
    const { server, document } = await serve();
    expect(server.documentedRoutes.undocumented, "routes without an operation").toEqual([]);
    expect(server.documentedRoutes.unrouted, "operations without a route").toEqual([]);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(Object.keys(CONTROL_API.operations).toSorted());
  });

  test("asks for the scope that each route itself asks for", async () => {
    const { server } = await serve();
    const wrong = server.documentedRoutes.routes.filter((it) => it.scope !== it.operation.scope);
    expect(wrong.map((it) => [it.path, it.scope])).toEqual([]);
  });

  test("is valid, with schemas that compile and references that lead somewhere", async () => {
    const { document } = await serve();
    expect(documentProblems(document)).toEqual([]);
  });

  test("describes what the routes that show really answer", async () => {
    const { server, document } = await serve({
      snapshot: async () => snapshotOf(),
      decisions: keptDecisions([decisionRecord()]),
    });
    const checks = new DocumentChecks(document);
    for (const path of [
      "/v1/fleet",
      "/v1/lanes",
      "/v1/gates",
      "/v1/limits",
      "/v1/audit",
      "/v1/scaling/decisions",
      "/v1/scaling/decisions/shop~1-1",
      "/v1/scaling/overrides",
    ]) {
      const answer = await server.inject(path);
      const at = [
        "paths",
        path.replace("shop~1-1", "{id}"),
        "get",
        "responses",
        String(answer.statusCode),
        "content",
        "application/json",
        "schema",
      ];
      expect([path, checks.problem(at, answer.json())]).toEqual([path, null]);
    }
  });

  test("keeps the pages' policy and gives /docs its own, which lets nothing in from outside", async () => {
    const { server } = await serve();
    const page = await server.inject("/");
    expect(page.headers["content-security-policy"]).not.toContain("script-src");
    const docs = await server.inject("/docs");
    expect([docs.statusCode, docs.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(docs.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
  });
});

test("what is described is what is made", () => {
  expectTypeOf<z.output<typeof snapshotSchema>>().toExtend<Snapshot>();
  expectTypeOf<z.output<typeof decisionSchema>>().toExtend<DecisionRecord>();
  expectTypeOf<z.output<typeof gateSchema>>().toExtend<GateView>();
  expectTypeOf<keyof z.output<typeof gateSchema>>().toEqualTypeOf<keyof GateView>();
  expectTypeOf<keyof z.output<typeof snapshotSchema>>().toEqualTypeOf<keyof Snapshot>();
  expectTypeOf<keyof z.output<typeof decisionSchema>>().toEqualTypeOf<keyof DecisionRecord>();
  expectTypeOf<keyof z.output<typeof overridesSchema>>().toEqualTypeOf<keyof OverridesView>();
  expectTypeOf<keyof z.output<typeof limitsSchema>>().toEqualTypeOf<keyof LimitsView>();
});
