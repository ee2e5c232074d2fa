/**
 * The three calls of a fleet executor over HTTP, for whoever has the secret, and `/livez` for everybody.
 *
 * A body has the fields of a command and no others: one that names an image, a mount or a privilege is refused, and so
 * is a pool or a release that the configuration does not declare. What is refused is noted in the executor's journal.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import type { z } from "zod";
import { SluiceError, StaleEpochError } from "#shared/errors";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import type { FleetExecutor } from "../fleet/fleet-executor.ts";
import { EngineError } from "./docker-engine.ts";
import { EXECUTOR_PATHS, fleetCommand, stopCommand } from "./executor-messages.ts";

/** Ids of a thousand workers fit. */
const BODY_BYTES_MAX = 1_048_576;
const REQUEST_TIMEOUT_MS = 30_000;

export interface ExecutorServerPorts {
  readonly executor: FleetExecutor;
  readonly log: Log;
  /** What a caller must show. */
  readonly token: string;
  /** Whether a command may name it. */
  isDeclared(queue: string, release: string): boolean;
  /** Notes a request that was refused. */
  refused(reason: string): void;
}

/** What a request is refused by. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function buildExecutorServer(ports: ExecutorServerPorts): FastifyInstance {
  const { executor } = ports;
  const server = Fastify({ bodyLimit: BODY_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS });
  const digest = digestOf(`Bearer ${ports.token}`);
  server.addHook("onRequest", async (request) => {
    if (request.url === EXECUTOR_PATHS.alive) return;
    if (timingSafeEqual(digestOf(request.headers.authorization ?? ""), digest)) return;
    throw new Refusal(401, "TOKEN_REFUSED", "The executor's token is missing, or another.");
  });
  server.setErrorHandler((error, _request, reply) => {
    const { status, code, detail, facts } = problemFor(error);
    if (status < 500) ports.refused(`${code}: ${detail}`);
    else ports.log.error({ err: error }, "command failed");
    return sendProblem(reply, { ...problemOf({ status, code, title: "Refused", detail }), ...facts });
  });
  server.setNotFoundHandler((request, reply) => {
    const detail = "The executor has the calls desired, stop and status, and no other.";
    ports.refused(`ROUTE_NOT_FOUND: ${request.method}`);
    return sendProblem(
      reply,
      problemOf({ status: 404, code: "ROUTE_NOT_FOUND", title: "No such call", detail }),
    );
  });

  server.get(EXECUTOR_PATHS.alive, async () => ({ status: "alive" }));
  server.get(EXECUTOR_PATHS.status, async () => executor.status());
  server.post(EXECUTOR_PATHS.stop, async (request) => {
    await executor.stop(understood(stopCommand, request.body));
    return {};
  });
  server.post(EXECUTOR_PATHS.desired, async (request) => {
    const command = understood(fleetCommand, request.body);
    const { queue, release, desired } = command;
    // Nothing is started for a release that is wanted no more, so that may have left the configuration.
    if (desired > 0 && !ports.isDeclared(queue, release)) {
      const said = "is not declared for containers in the configuration of the executor";
      throw new Refusal(403, "TEMPLATE_UNKNOWN", `Release ${release} of pool ${queue} ${said}.`);
    }
    return executor.desired(command);
  });
  return server;
}

/** @throws {Refusal} naming each field that is wrong. */
function understood<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const problems = result.error.issues.map((it) => `${it.path.join(".") || "body"}: ${it.message}`);
  throw new Refusal(400, "COMMAND_INVALID", problems.join("; ").slice(0, 1_000));
}

function problemFor(error: unknown) {
  if (error instanceof Refusal)
    return { status: error.status, code: error.code, detail: error.message, facts: {} };
  if (error instanceof StaleEpochError) {
    const facts = { epoch: error.epoch, newest: error.newest };
    return { status: 409, code: error.code, detail: error.message, facts };
  }
  if (error instanceof EngineError)
    return { status: 503, code: "ENGINE_FAILED", detail: error.message, facts: {} };
  if (error instanceof SluiceError)
    return { status: 500, code: error.code, detail: error.message, facts: {} };
  const status = statusOf(error);
  const detail =
    status < 500
      ? "The request is not one of the three calls."
      : "The executor has failed; its log says why.";
  return { status, code: status < 500 ? "REQUEST_INVALID" : "INTERNAL", detail, facts: {} };
}

/** The server's own refusals, of a body that is no JSON or too long, have a status. */
function statusOf(error: unknown): number {
  const found = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  return found >= 400 && found < 500 ? found : 500;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
