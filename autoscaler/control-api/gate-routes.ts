/**
 * `GET /v1/gates` and `POST /v1/gates/{type}`: the one thing that this API changes.
 *
 * Nobody is asked for credentials, so a write is taken on loopback only, and only as JSON: a page in a
 * browser cannot send that to another origin without asking first, and nobody here says yes.
 */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { RedisUnavailableError } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import type { GateDecision, GateRefusal } from "#shared/registry/decide-gate";
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";
import type { GateMove, GateView } from "../gate-keeper.ts";
import { BodyInvalidError, causeOf, readRedis } from "./problems.ts";

/** The path of the one write, as the server's rule for all others names it. */
export const GATE_MOVE_ROUTE = "/v1/gates/:type";

const BODY_BYTES_MAX = 4_096;

export interface GatePorts {
  readonly log: Log;
  readonly loopbackOnly: boolean;
  /** Rejects when Redis is away; never hangs. */
  gates(): Promise<readonly GateView[]>;
  moveGate(move: GateMove): Promise<GateDecision>;
}

const oneLine = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "must have no control characters and no line breaks");

const moveBody = z.strictObject({
  version: z.int().min(1),
  expected: z.int().min(0).nullish(),
  force: z.boolean().default(false),
  sunset: z.iso.datetime({ offset: true }).nullish(),
  by: oneLine.min(1).max(128),
  why: oneLine.min(3, "must say why, in at least three letters").max(500),
});

export function addGateRoutes(server: FastifyInstance, ports: GatePorts): void {
  // Fastify would take it, and it is what any page may send.
  server.removeContentTypeParser("text/plain");
  server.get("/v1/gates", async () => ({ gates: await readRedis(ports.gates()) }));

  server.get<{ Params: { type: string } }>("/v1/gates/:type", async ({ params }, reply) => {
    const gate = (await readRedis(ports.gates())).find((it) => it.type === params.type);
    return gate ?? sendProblem(reply, unknownType(`No release has published the type ${params.type}.`));
  });

  server.post<{ Params: { type: string } }>(
    "/v1/gates/:type",
    { bodyLimit: BODY_BYTES_MAX },
    async ({ params, body }, reply) => {
      if (!ports.loopbackOnly) return sendProblem(reply, NOT_ON_LOOPBACK);
      const move = moveOf(params.type, body);
      const decision = await writtenOrNull(ports, move);
      if (decision === null) return sendProblem(reply, NOT_KNOWN);
      if (decision.kind === "refused")
        return sendProblem(reply, refusalProblem(decision.code, decision.reason));
      const from = decision.kind === "moved" ? decision.from : decision.activeVersion;
      return { type: move.type, from, activeversion: move.version, moved: decision.kind === "moved" };
    },
  );
}

/** @throws {BodyInvalidError} */
function moveOf(type: string, body: unknown): GateMove {
  const result = moveBody.safeParse(body);
  if (!result.success) {
    throw new BodyInvalidError(
      result.error.issues.map((issue) => ({
        pointer: issue.path.map((step) => `/${String(step)}`).join(""),
        rule: issue.code.replaceAll("_", "-"),
        message: issue.message,
      })),
    );
  }
  const { expected = null, sunset = null, ...rest } = result.data;
  return { type, ...rest, expected: expected ?? null, sunset: sunset === null ? null : inUtc(sunset) };
}

function inUtc(time: string): string {
  const atMs = fromRfc3339(time);
  return atMs === null ? time : toRfc3339(atMs);
}

/** `null` when the answer is lost: the gate may have moved all the same. */
async function writtenOrNull(ports: GatePorts, move: GateMove): Promise<GateDecision | null> {
  try {
    return await readRedis(ports.moveGate(move));
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    ports.log.error({ err: causeOf(error), type: move.type }, "move of a gate was not answered");
    return null;
  }
}

const NOT_KNOWN = problemOf({
  status: 503,
  code: "GATE_MOVE_UNKNOWN",
  title: "It is not known whether the gate moved",
  detail: "Redis did not answer, so it is not known whether the gate moved; look before trying again.",
});

function unknownType(detail: string): Problem {
  return problemOf({ status: 404, code: "TYPE_UNKNOWN", title: "Unknown job type", detail });
}

const NOT_ON_LOOPBACK = problemOf({
  status: 403,
  code: "WRITE_NOT_ALLOWED",
  title: "Not allowed from here",
  detail: "Nobody is asked for credentials, so gates move only where this API listens on loopback.",
});

/** A slot that is missing now may be there once more workers have started. */
const RETRY_AFTER_SECONDS = 10;

export function refusalProblem(code: GateRefusal, reason: string): Problem {
  const detail = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
  if (code === "type-unknown") return unknownType(detail);
  const title = code === "gate-moved" ? "The gate is elsewhere by now" : "The gate stays where it is";
  const facts = { status: 409, code: code.toUpperCase().replaceAll("-", "_"), title, detail };
  const waits = code === "load-unknown" || code === "slots-missing";
  return problemOf(waits ? { ...facts, retryAfterSeconds: RETRY_AFTER_SECONDS } : facts);
}
