/**
 * `GET /v1/fleet/holds` and `POST /v1/fleet/workers/{worker}/{order}`: what people want of single workers.
 *
 * It is stored, and the leader orders it with its next round; so any autoscaler takes it, and no newer leader undoes it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Clock } from "#shared/clock";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import { type AuditStore, actorOf } from "#shared/redis/audit-store";
import { HOLD_ORDERS, type WorkerHold } from "#shared/redis/worker-holds-store";
import { toRfc3339 } from "#shared/system-clock";
import type { RolloutDesk } from "../rollout/rollout-desk.ts";
import type { Snapshot } from "../snapshot.ts";
import { answeredOrNull, checkedBody, whoAsks } from "./checked-body.ts";
import { whoText, whyText } from "./one-line.ts";
import { readRedis } from "./problems.ts";

export interface FleetPorts {
  readonly log: Log;
  readonly clock: Pick<Clock, "nowMs">;
  readonly audit: Pick<AuditStore, "record">;
  /** Each rejects when Redis is away; never hangs. */
  readonly holds: {
    read(): Promise<readonly WorkerHold[]>;
    set(hold: WorkerHold): Promise<"set" | "full">;
  };
  readonly rollouts: Pick<RolloutDesk, "list">;
  snapshot(): Promise<Pick<Snapshot, "workers">>;
}

const WRITES = { bodyLimit: 4_096, config: { scope: "ops:write" } } as const;

const orderBody = z.strictObject({ why: whyText, by: whoText.optional() });

type OfWorker = { Params: { worker: string; order: string } };

export function addFleetRoutes(server: FastifyInstance, ports: FleetPorts): void {
  server.get("/v1/fleet/holds", { config: { scope: "ops:read" } }, async () => ({
    holds: await readRedis(ports.holds.read()),
  }));
  server.post<OfWorker>("/v1/fleet/workers/:worker/:order", WRITES, async (request, reply) =>
    hold(ports, { request, reply }),
  );
}

interface Exchange {
  readonly request: FastifyRequest<OfWorker>;
  readonly reply: FastifyReply;
}

async function hold(ports: FleetPorts, { request, reply }: Exchange) {
  const { worker } = request.params;
  const order = HOLD_ORDERS.find((it) => it === request.params.order);
  if (order === undefined) return sendProblem(reply, NO_SUCH_ORDER);
  const { why, by } = checkedBody(orderBody, request.body);
  const wanted = { worker, order, by: whoAsks(request, by), why, at: toRfc3339(ports.clock.nowMs()) };
  const refusal = await refusalOf(wanted, ports);
  const set =
    refusal === null
      ? await answeredOrNull(ports.holds.set(wanted), { log: ports.log, facts: { worker, order } })
      : "refused";
  await ports.audit.record({
    ...actorOf(request),
    ...{ action: `worker.${order}`, target: worker, why, after: { order, by: wanted.by } },
    outcome: set === null ? "unknown" : set === "set" ? "done" : "refused",
  });
  if (refusal !== null) return sendProblem(reply, refusal);
  if (set === null) return sendProblem(reply, HOLD_UNKNOWN);
  return set === "full" ? sendProblem(reply, HOLDS_FULL) : { hold: wanted };
}

async function refusalOf({ worker, order }: WorkerHold, ports: FleetPorts): Promise<Problem | null> {
  const { workers } = await readRedis(ports.snapshot());
  if (!workers.some((it) => it.worker === worker && it.state !== "dead")) return NO_SUCH_WORKER;
  if (order !== "run") return null;
  const views = await readRedis(ports.rollouts.list());
  const holding = views.find(({ rollout }) => rollout.quarantined.some((it) => it.worker === worker));
  if (holding === undefined || holding.rollout.state === "retired") return null;
  const { id } = holding.rollout;
  const detail = `The rollout ${id} quarantined it and orders so each round; it stays until that ends, or drain it.`;
  return problemOf({ status: 409, code: "WORKER_HELD", title: "A rollout holds the worker", detail });
}

const NO_SUCH_ORDER = problemOf({
  status: 404,
  code: "WORKER_ORDER_UNKNOWN",
  title: "No such order",
  detail: "A worker can be ordered to drain, quarantine or run.",
});

const NO_SUCH_WORKER = problemOf({
  status: 404,
  code: "WORKER_NOT_FOUND",
  title: "No such worker",
  detail: "No worker of this name is alive; /v1/fleet lists them.",
});

const HOLDS_FULL = problemOf({
  status: 409,
  code: "WORKER_HOLDS_FULL",
  title: "Too many workers are held",
  detail: "As many workers are held one by one as may be; let some run again.",
});

const HOLD_UNKNOWN = problemOf({
  status: 503,
  code: "WORKER_HOLD_UNKNOWN",
  title: "It is not known whether the worker is held",
  detail: "Redis did not answer, so it is not known whether the order was stored; look before trying again.",
});
