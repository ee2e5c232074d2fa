/** The job API's document: what is registered and what is described are the same, both ways. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { JOB_API } from "#producer/operations/api";
import type { jobViewSchema } from "#producer/operations/job-answers";
import { cloudEventSchema, jobRequestSchema } from "#producer/operations/job-request";
import { clientAttributes, parseCloudEventRequest, parsePlainRequest } from "#shared/envelope";
import type { OpenApiDocument } from "#shared/http/openapi-document";
import type { JobView } from "#shared/redis/job-lookup";
import { documentProblems } from "#test/fuzz/document-problems";
import { request, serve } from "./server-builder.ts";

const headers = { host: "127.0.0.1:7700" };

async function served() {
  const { server } = serve();
  const answer = await server.inject({ url: "/openapi.json", headers });
  return { server, answer, document: answer.json<OpenApiDocument>() };
}

describe("the document of the job API", () => {
  test("describes every route that is registered, and no route that is not", async () => {
    const { server, document } = await served();
    expect(server.documentedRoutes.undocumented, "routes without an operation").toEqual([]);
    expect(server.documentedRoutes.unrouted, "operations without a route").toEqual([]);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(Object.keys(JOB_API.operations).toSorted());
  });

  test("asks for the scope that each route itself asks for", async () => {
    const { server } = await served();
    const registered = server.documentedRoutes.routes.map(({ operation, scope }) => [
      operation.operationId,
      scope,
      operation.scope,
    ]);
    expect(registered.filter(([, own, described]) => own !== described)).toEqual([]);
    expect(registered.length).toBeGreaterThan(5);
  });

  test("is a valid OpenAPI 3.1 document whose schemas compile and whose references lead somewhere", async () => {
    const { answer, document } = await served();
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(document.openapi).toBe("3.1.0");
    expect(documentProblems(document)).toEqual([]);
  });

  test("gives each operation an id of its own, a summary and its path's parameters", async () => {
    const { document } = await served();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );
    expect(new Set(operations.map((it) => it.operationId)).size).toBe(operations.length);
    for (const { path, parameters, summary, operationId } of operations) {
      expect(summary, operationId).toMatch(/\S/);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(parameters.filter((it) => it.in === "path").map((it) => it.name)).toEqual(inPath);
    }
  });

  test("lists for every refusal the codes that it may carry", async () => {
    const { document } = await served();
    const post = document.paths["/v1/jobs"]?.post;
    expect(post?.responses["422"]?.content?.["application/problem+json"]?.schema).toEqual({
      allOf: [
        { $ref: "#/components/schemas/Problem" },
        {
          properties: { status: { const: 422 }, code: { enum: expect.arrayContaining(["DATA_INVALID"]) } },
          required: ["outcome"],
        },
      ],
    });
  });
});

describe("the forms of a job request", () => {
  test("are the envelope's own attributes, each with its rule", () => {
    const plain = z.toJSONSchema(jobRequestSchema, { io: "input", unrepresentable: "any" });
    expect(Object.keys(plain.properties ?? {})).toEqual(Object.keys(clientAttributes));
    expect(plain.additionalProperties).toBe(false);
    expect(jobRequestSchema.shape.id.description).toMatch(/^a string of 1 to 256 characters/);
  });

  test("take what the door takes and refuse what it refuses", () => {
    const event = { ...request, specversion: "1.0", id: "1", source: "/shop", lockkey: "a" };
    expect(jobRequestSchema.safeParse(request).success).toBe(true);
    expect(cloudEventSchema.safeParse(event).success).toBe(true);
    expect(parsePlainRequest(request)).toMatchObject(request);
    expect(parseCloudEventRequest(event)).toMatchObject(event);
    for (const wrong of [
      { ...request, extra: 1 },
      { ...request, type: "X" },
      { ...request, id: "" },
    ]) {
      expect(jobRequestSchema.safeParse(wrong).success).toBe(false);
      expect(() => parsePlainRequest(wrong)).toThrow();
    }
  });
});

test("the described view of a job is the one that is looked up", () => {
  expectTypeOf<z.output<typeof jobViewSchema>>().branded.toEqualTypeOf<Mutable<JobView>>();
});

/** Without `readonly`, at every depth: a schema's type says nothing of it. */
type Mutable<Value> = Value extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Mutable<Value[Key]> }
    : Value;

describe("the pages at /docs", () => {
  test("load from this server alone and run nothing inline", async () => {
    const { server } = serve();
    const page = await server.inject({ url: "/docs", headers });
    expect(page.statusCode).toBe(200);
    expect(page.headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => String(match[1]));
    expect(loaded.length).toBeGreaterThan(4);
    expect(loaded.filter((it) => !it.startsWith("/docs/"))).toEqual([]);
    expect(page.body).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=/);
    for (const url of loaded) {
      const part = await server.inject({ url, headers });
      expect([url, part.statusCode, part.headers["x-content-type-options"]]).toEqual([url, 200, "nosniff"]);
    }
  });

  test("show the document that /openapi.json is", async () => {
    const { server, document } = await served();
    const shown = await server.inject({ url: "/docs/json", headers });
    expect(shown.json()).toEqual(document);
  });

  test("answer a problem for a part that is not there, and give no file of another folder", async () => {
    const { server } = serve();
    for (const url of ["/docs/static/no.js", "/docs/static/..%2f..%2fpackage.json", "/docs/nothing"]) {
      const answer = await server.inject({ url, headers });
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, "ROUTE_NOT_FOUND"]);
    }
  });

  test("add no hook and no header to any other route", async () => {
    const { server } = serve();
    const answer = await server.inject({ url: "/livez", headers });
    expect(Object.keys(answer.headers).sort()).toEqual([
      "connection",
      "content-length",
      "content-type",
      "date",
    ]);
  });
});
