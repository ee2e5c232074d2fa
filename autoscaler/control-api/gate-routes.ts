/**
 * `GET /v1/gates` and `POST /v1/gates/{type}`.
 *
 * A write is taken only as JSON: a page in a browser cannot send that to another origin without asking
 * first, and nobody here says yes. Who moved a gate is whom the credential names; where nobody is asked for
 * one, it is who says to.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { RedisUnavailableError } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import { type AuditAct, type AuditStore, actorOf } from "#shared/redis/audit-store";
import type { GateDecision, GateRefusal } from "#shared/registry/decide-gate";
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";
import type { GateMove, GateView } from "../gate-keeper.ts";
import { checkedBody } from "./checked-body.ts";
import { whoText, whyText } from "./one-line.ts";
import { BodyInvalidError, causeOf, readRedis } from "./problems.ts";

const BODY_BYTES_MAX = 4_096;

const READS = { config: { scope: "ops:read" } } as const;

export interface GatePorts {
  readonly log: Log;
  readonly audit: Pick<AuditStore, "record">;
  /** Rejects when Redis is away; never hangs. */
  gates(): Promise<readonly GateView[]>;
  moveGate(move: GateMove): Promise<GateDecision>;
}

const moveBody = z.strictObject({
  version: z.int().min(1),
  expected: z.int().min(0).nullish(),
  force: z.boolean().default(false),
  sunset: z.iso.datetime({ offset: true }).nullish(),
  by: whoText.optional(),
  why: whyText,
});

export function addGateRoutes(server: FastifyInstance, ports: GatePorts): void {
  // Fastify would take it, and it is what any page may send.
  server.removeContentTypeParser("text/plain");
  server.get("/v1/gates", READS, async () => ({ gates: await readRedis(ports.gates()) }));

  server.get<{ Params: { type: string } }>("/v1/gates/:type", READS, async ({ params }, reply) => {
    const gate = (await readRedis(ports.gates())).find((it) => it.type === params.type);
    return gate ?? sendProblem(reply, unknownType(`No release has published the type ${params.type}.`));
  });

  server.post<{ Params: { type: string } }>(
    "/v1/gates/:type",
    { bodyLimit: BODY_BYTES_MAX, config: { scope: "ops:write" } },
    async (request, reply) => {
      const move = moveOf(request);
      const decision = await writtenOrNull(ports, move);
      await ports.audit.record({ ...actorOf(request), ...auditFacts(move, decision) });
      if (decision === null) return sendProblem(reply, NOT_KNOWN);
      if (decision.kind === "refused")
        return sendProblem(reply, refusalProblem(decision.code, decision.reason));
      const from = decision.kind === "moved" ? decision.from : decision.activeVersion;
      return { type: move.type, from, activeversion: move.version, moved: decision.kind === "moved" };
    },
  );
}

/** @throws {BodyInvalidError} */
function moveOf({ params, body, caller }: FastifyRequest<{ Params: { type: string } }>): GateMove {
  const { expected = null, sunset = null, ...rest } = checkedBody(moveBody, body);
  const by = caller.keyId === null ? rest.by : caller.name;
  if (by === undefined) {
    const message = "is required: who moves it, where nobody is asked for a key";
    throw new BodyInvalidError([{ pointer: "/by", rule: "invalid-type", message }]);
  }
  return { ...rest, type: params.type, by, expected, sunset: sunset === null ? null : inUtc(sunset) };
}

/** What is remembered of a move: from where to where, or what kept it from moving. */
function auditFacts(
  { type, version, force, by, why }: GateMove,
  decision: GateDecision | null,
): Pick<AuditAct, "action" | "target" | "before" | "after" | "why" | "outcome"> {
  const act = { action: "gate.move", target: type, why };
  const asked = { by, force };
  switch (decision?.kind) {
    case undefined:
      return { ...act, after: { activeversion: version, ...asked }, outcome: "unknown" };
    case "refused":
      return { ...act, after: { refused: decision.code, asked: version, ...asked }, outcome: "refused" };
    default: {
      const from = decision?.kind === "moved" ? decision.from : version;
      const before = { activeversion: from };
      return { ...act, before, after: { activeversion: version, ...asked }, outcome: "done" };
    }
  }
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
