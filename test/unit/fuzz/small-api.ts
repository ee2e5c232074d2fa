/** A small API on loopback that is right, or wrong in one way, for the fuzzer to find. */
import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { documentRoutes } from "#shared/http/document-routes";
import { PROCESS_OPERATIONS } from "#shared/http/health-operations";
import { type ApiDescription, component } from "#shared/http/operation";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";

const note = component(
  "TestNote",
  z.strictObject({ name: z.string().min(1).max(20), count: z.int().min(0).max(9) }),
);
const stored = component("TestStored", z.object({ id: z.string(), name: z.string(), count: z.int() }));

const openApi = PROCESS_OPERATIONS["GET /openapi.json"];

export const SMALL_API: ApiDescription = {
  title: "Small",
  description: "For tests.",
  operations: {
    "POST /notes": {
      operationId: "addNote",
      summary: "Add",
      tag: "Notes",
      scope: null,
      enqueues: true,
      body: { "application/json": note },
      answers: { 201: { description: "Added.", content: { "application/json": stored } } },
      refusals: { 413: ["BODY_TOO_LARGE"], 415: ["UNSUPPORTED"], 422: ["INVALID"], 503: ["BUSY"] },
    },
    "GET /notes/{id}": {
      operationId: "getNote",
      summary: "Get",
      tag: "Notes",
      scope: null,
      params: z.object({ id: z.string() }),
      answers: { 200: { description: "It.", content: { "application/json": stored } } },
      refusals: { 404: ["NOT_FOUND"] },
    },
    ...(openApi === undefined ? {} : { "GET /openapi.json": openApi }),
  },
  refusalsEverywhere: { 400: ["BAD_REQUEST"] },
  refusalsWithParams: { 414: ["BAD_REQUEST"] },
  refusalsWithScope: {},
};

export type Fault =
  | "fails"
  | "undocumented-status"
  | "undocumented-type"
  | "extra-field"
  | "takes-anything"
  | "no-outcome"
  | "no-retry-after"
  | "hangs-up";

/** @param fault what it does wrong with every note whose count is above 4, or that is not valid. */
export async function smallApi(fault: Fault | null): Promise<string> {
  const server = Fastify({
    bodyLimit: 1_000,
    clientErrorHandler: (_error, socket) => socket.destroy(),
    frameworkErrors: (error, _request, reply) => {
      refuse(reply, statusOf(error));
    },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) =>
    done(null, body),
  );
  server.setErrorHandler((error, _request, reply) => refuse(reply, statusOf(error)));
  server.setNotFoundHandler((_request, reply) => refuse(reply, 404, "ROUTE_NOT_FOUND"));
  documentRoutes(server, SMALL_API);
  addNotes(server, fault);
  await server.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

function addNotes(server: FastifyInstance, fault: Fault | null): void {
  const notes = new Map<string, z.output<typeof stored>>();
  server.post("/notes", async (request, reply) => {
    const parsed = note.safeParse(parsedJson(String(request.body ?? "")));
    if (!parsed.success) {
      return fault === "takes-anything"
        ? reply.code(201).send({ id: "x", name: "x", count: 0 })
        : refuse(reply, 422, "INVALID", fault !== "no-outcome");
    }
    const it = { id: `n${notes.size}`, ...parsed.data };
    notes.set(it.id, it);
    return it.count > 4 && fault !== null ? misbehave(reply, fault, it) : reply.code(201).send(it);
  });
  server.get<{ Params: { id: string } }>("/notes/:id", async ({ params }, reply) => {
    return notes.get(params.id) ?? refuse(reply, 404, "NOT_FOUND");
  });
}

function misbehave(reply: FastifyReply, fault: Fault, it: object): FastifyReply {
  switch (fault) {
    case "fails":
      return refuse(reply, 500, "INTERNAL");
    case "undocumented-status":
      return reply.code(200).send(it);
    case "undocumented-type":
      return reply.code(201).type("text/html").send("<p>added</p>");
    case "extra-field":
      return reply.code(201).send({ ...it, secret: 1 });
    case "no-retry-after":
      return refuse(reply, 503, "BUSY");
    case "hangs-up":
      reply.raw.destroy();
      return reply;
    default:
      return reply.code(201).send(it);
  }
}

const CODES: Readonly<Record<number, string>> = { 413: "BODY_TOO_LARGE", 415: "UNSUPPORTED" };

function refuse(reply: FastifyReply, status: number, code = CODES[status] ?? "BAD_REQUEST", tells = true) {
  const facts = { status, code, title: "No", detail: "It is refused." };
  return sendProblem(reply, problemOf(tells ? { ...facts, outcome: "not_enqueued" } : facts));
}

function statusOf(error: unknown): number {
  return error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
