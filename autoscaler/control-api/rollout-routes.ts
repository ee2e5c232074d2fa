/**
 * `/v1/rollouts`: how each pool's takeover stands, its past, and what people ask of it.
 *
 * A wish is stored by any autoscaler and carried out by the leader with its next look; what it may do is decided in
 * `autoscaler/rollout/`. Every wish is audited with who and why, also one that is refused or whose answer is lost.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Clock } from "#shared/clock";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import { type AuditAct, type AuditStore, actorOf } from "#shared/redis/audit-store";
import { toRfc3339 } from "#shared/system-clock";
import type { ActAnswer, RolloutDesk, StartAnswer, StartAsk } from "../rollout/rollout-desk.ts";
import { answeredOrNull, checkedBody, whoAsks } from "./checked-body.ts";
import { whoText, whyText } from "./one-line.ts";
import { readRedis } from "./problems.ts";
import { limitOf, type Query } from "./read-query.ts";
import { shownRecord, shownRollout, shownView } from "./rollout-answer.ts";
import { actRefusal, CHANGE_UNKNOWN, NO_ROLLOUT, startRefusal } from "./rollout-problems.ts";

export interface RolloutPorts {
  readonly log: Log;
  readonly clock: Pick<Clock, "nowMs">;
  readonly audit: Pick<AuditStore, "record">;
  /** Each rejects when Redis is away; never hangs. */
  readonly rollouts: RolloutDesk;
}

const BODY_BYTES_MAX = 4_096;
const DAY_MS = 86_400_000;

const READS = { config: { scope: "ops:read" } } as const;
const WRITES = { bodyLimit: BODY_BYTES_MAX, config: { scope: "ops:write" } } as const;

export const ROLLOUT_ACTS = [
  "pause",
  "resume",
  "retry",
  "promote",
  "promote-full",
  "force",
  "abort",
  "undo",
  "revise",
  "close",
] as const;

const release = z.string().min(1).max(64);
const asking = { why: whyText, by: whoText.optional() };

const startBody = z.strictObject({
  pool: z.string().min(1).max(64),
  to: release,
  from: release.optional(),
  bypassChannelForMs: z.int().min(1_000).max(DAY_MS).optional(),
  ...asking,
});

const lintBody = z.strictObject({ to: release, from: release.optional() });

const actBody = z.strictObject({
  ...asking,
  expected: z.int().min(1).nullish(),
  expiresInMs: z.int().min(1_000).max(DAY_MS).optional(),
  to: release.optional(),
});

type OfPool = { Params: { pool: string } };
type OfAct = { Params: { pool: string; act: string } };

export function addRolloutRoutes(server: FastifyInstance, ports: RolloutPorts): void {
  addShowing(server, ports);
  server.post("/v1/rollouts", WRITES, async (request, reply) => {
    const { bypassChannelForMs, by, ...rest } = checkedBody(startBody, request.body);
    const until = bypassChannelForMs === undefined ? undefined : ports.clock.nowMs() + bypassChannelForMs;
    const asked = { ...rest, by: whoAsks(request, by), bypassChannelUntilMs: until };
    return start(asked, ports, { request, reply });
  });
  server.post<OfPool>("/v1/rollouts/:pool/lint", WRITES, async (request, reply) => {
    const { pool } = request.params;
    const asked = { ...checkedBody(lintBody, request.body), pool, by: request.caller.name, why: "lint" };
    const answer = await readRedis(ports.rollouts.lint(asked));
    if (answer.kind === "unknown-pool") return sendProblem(reply, startRefusal(answer));
    const blockers = answer.kind === "blocked" ? answer.blockers : [];
    return { pool, to: asked.to, mayStart: blockers.length === 0, blockers };
  });
  server.post<OfAct>("/v1/rollouts/:pool/:act", WRITES, async (request, reply) =>
    act(ports, { request, reply }),
  );
}

function addShowing(server: FastifyInstance, { rollouts, clock }: RolloutPorts): void {
  server.get("/v1/rollouts", READS, async () => {
    const views = await readRedis(rollouts.list());
    return { rollouts: views.map((it) => shownView(it, clock.nowMs())) };
  });
  server.get<OfPool>("/v1/rollouts/:pool", READS, async ({ params }, reply) => {
    const view = await readRedis(rollouts.get(params.pool));
    return view === null ? sendProblem(reply, NO_ROLLOUT) : shownView(view, clock.nowMs());
  });
  server.get<OfPool>("/v1/rollouts/:pool/history", READS, async ({ params: { pool } }) => {
    const past = await readRedis(rollouts.history(pool));
    return { pool, rollouts: past.map(shownRollout) };
  });
  server.get<OfPool & { Querystring: Query }>(
    "/v1/rollouts/:pool/records",
    READS,
    async ({ params: { pool }, query }) => {
      const records = await readRedis(rollouts.records(pool, { limit: limitOf(query) }));
      return { pool, records: records.map(shownRecord) };
    },
  );
}

interface Exchange<Params = unknown> {
  readonly request: FastifyRequest & { readonly params: Params };
  readonly reply: FastifyReply;
}

async function start(asked: StartAsk, ports: RolloutPorts, { request, reply }: Exchange) {
  const facts = { pool: asked.pool, to: asked.to };
  const answer = await answeredOrNull(ports.rollouts.start(asked), { log: ports.log, facts });
  await ports.audit.record({
    ...actorOf(request),
    ...{ action: "rollout.start", target: asked.pool, why: asked.why },
    ...startFacts(asked, answer),
  });
  if (answer === null) return sendProblem(reply, CHANGE_UNKNOWN);
  if (answer.kind !== "started") return sendProblem(reply, startRefusal(answer));
  return reply.code(201).send({ rollout: shownRollout(answer.rollout) });
}

function startFacts(
  { from, to, bypassChannelUntilMs: until }: StartAsk,
  answer: StartAnswer | null,
): Pick<AuditAct, "after" | "outcome"> {
  const asked = {
    ...{ from: from ?? null, to },
    ...(until === undefined ? {} : { bypassChannelUntil: toRfc3339(until) }),
  };
  if (answer === null) return { after: asked, outcome: "unknown" };
  if (answer.kind === "started") {
    const { id, revision, state } = answer.rollout;
    return { after: { ...asked, from: answer.rollout.from, id, revision, state }, outcome: "done" };
  }
  const refused = answer.kind === "blocked" ? answer.blockers.map(({ code }) => code) : [answer.kind];
  return { after: { ...asked, refused }, outcome: "refused" };
}

async function act(ports: RolloutPorts, { request, reply }: Exchange<OfAct["Params"]>) {
  const { pool, act: name } = request.params;
  const kind = ROLLOUT_ACTS.find((it) => it === name);
  if (kind === undefined) return sendProblem(reply, noSuchAct());
  const { why, by: claimed, expected, expiresInMs, to } = checkedBody(actBody, request.body);
  const by = whoAsks(request, claimed);
  const expiresAtMs = expiresInMs === undefined ? undefined : ports.clock.nowMs() + expiresInMs;
  const asked = { pool, kind, by, why, expiresAtMs, to, revision: expected ?? undefined };
  const facts = { pool, act: kind };
  const answer = await answeredOrNull(ports.rollouts.act(asked), { log: ports.log, facts });
  const wish = { by, to, ...(expiresAtMs === undefined ? {} : { expiresAt: toRfc3339(expiresAtMs) }) };
  await ports.audit.record({
    ...actorOf(request),
    ...{ action: `rollout.${kind}`, target: pool, why },
    ...actFacts(wish, answer),
  });
  if (answer === null) return sendProblem(reply, CHANGE_UNKNOWN);
  if (answer.kind !== "done") return sendProblem(reply, actRefusal(answer));
  return { rollout: shownRollout(answer.rollout), record: shownRecord(answer.record) };
}

function actFacts(
  wish: Readonly<Record<string, unknown>>,
  answer: ActAnswer | null,
): Pick<AuditAct, "before" | "after" | "outcome"> {
  if (answer === null) return { after: wish, outcome: "unknown" };
  if (answer.kind !== "done") {
    const refused = answer.kind === "refused" ? answer.code : answer.kind;
    return { after: { ...wish, refused }, outcome: "refused" };
  }
  const { id, revision, state } = answer.rollout;
  return {
    before: { id, revision: revision - 1, state: answer.record.from },
    after: { ...wish, id, revision, state },
    outcome: "done",
  };
}

function noSuchAct() {
  const detail = `A rollout can be asked to ${ROLLOUT_ACTS.join(", ")}.`;
  return problemOf({ status: 404, code: "ROLLOUT_ACT_UNKNOWN", title: "No such act", detail });
}
