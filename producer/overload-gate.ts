/**
 * Refuses requests that hand jobs in when the process has as many as it can bear, before their bodies are read.
 *
 * A refusal costs next to nothing: it is written beforehand and the body is thrown away. How many the process can
 * bear is learnt from how long its requests take and how late its event loop is. Every count is of this process.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#shared/clock";
import { PRIORITIES, type Priority } from "#shared/envelope";
import { PROBLEM_CONTENT_TYPE, type Problem, problemOf } from "#shared/http/problem";
import { decideLimit, decideOverload, LIMIT_AT_START } from "./decide-overload.ts";

const LOOK_INTERVAL_MS = 100;

/** How fine the event loop is watched, in milliseconds. */
const LOOP_RESOLUTION_MS = 10;

/** Refused requests are told one of these, so that they do not come back all at once. */
const RETRY_AFTER_SECONDS = [1, 2, 3] as const;

declare module "fastify" {
  interface FastifyRequest {
    /** Ends the request's hold on the process: what it still waits for is none of its work. */
    letGo(): void;
  }
}

const NOTHING_HELD = () => undefined;

const ENQUEUING: ReadonlySet<string> = new Set(["/v1/jobs", "/v1/jobs/batch"]);

export interface OverloadGatePorts {
  readonly clock: Clock;
  /** A draw in [0, 1). */
  random(): number;
  /** Told of every request that is refused. */
  onRefused(problem: Problem, priority: Priority): void;
}

const REFUSALS = RETRY_AFTER_SECONDS.map((retryAfterSeconds) => {
  const problem = problemOf({
    status: 503,
    code: "OVERLOADED",
    title: "Too many requests at once",
    detail: "This process has as many requests as it can bear; the job was not read. Send it again later.",
    outcome: "not_enqueued",
    retryAfterSeconds,
  });
  return { problem, body: JSON.stringify(problem), retryAfter: String(retryAfterSeconds) };
});

export class OverloadGate {
  readonly #ports: OverloadGatePorts;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #heldByTenant = new Map<string, number>();
  #limit = LIMIT_AT_START;
  #held = 0;
  #heldMax = 0;
  #answered = 0;
  #answeredMs = 0;

  constructor(ports: OverloadGatePorts) {
    this.#ports = ports;
  }

  /** Requests that may be held at once, as learnt so far. */
  get limit(): number {
    return this.#limit;
  }

  /** Requests held now. */
  get held(): number {
    return this.#held;
  }

  /** Puts the gate in front of the routes that hand jobs in. Add it after authentication. */
  guard(server: FastifyInstance): void {
    server.decorateRequest("letGo", NOTHING_HELD);
    server.addHook("onRequest", (request, reply, done) => {
      const { method, routeOptions } = request;
      if (method !== "POST" || !ENQUEUING.has(routeOptions.url ?? "")) return done();
      const { tenant } = request.caller;
      const priority = priorityOf(request);
      if (!this.#takes(tenant, priority)) return this.#refuse(reply, priority);
      request.letGo = this.#hold(tenant);
      // Comes once, whether the answer was sent or the client has gone away.
      reply.raw.once("close", () => {
        request.letGo();
        this.#tellTime(reply);
      });
      done();
    });
  }

  /** Learns until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#loop.enable();
    while ((await this.#ports.clock.sleep(LOOK_INTERVAL_MS, signal)) === "elapsed") this.#look();
    this.#loop.disable();
  }

  #takes(tenant: string, priority: Priority): boolean {
    const heldByTenant = this.#heldByTenant.get(tenant) ?? 0;
    const tenants = this.#heldByTenant.size + (heldByTenant === 0 ? 1 : 0);
    const facts = { limit: this.#limit, held: this.#held, heldByTenant, tenants, priority };
    return decideOverload(facts) === null;
  }

  #refuse(reply: FastifyReply, priority: Priority): void {
    const refusal = REFUSALS[Math.floor(this.#ports.random() * REFUSALS.length)] ?? REFUSALS[0];
    if (refusal === undefined) throw new TypeError("there is always a refusal");
    this.#ports.onRefused(refusal.problem, priority);
    reply
      .code(refusal.problem.status)
      .header("content-type", PROBLEM_CONTENT_TYPE)
      .header("retry-after", refusal.retryAfter)
      .send(refusal.body);
  }

  /** Gives what ends the hold; it does nothing the second time. */
  #hold(tenant: string): () => void {
    this.#held += 1;
    if (this.#held > this.#heldMax) this.#heldMax = this.#held;
    this.#heldByTenant.set(tenant, (this.#heldByTenant.get(tenant) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#held -= 1;
      const others = (this.#heldByTenant.get(tenant) ?? 1) - 1;
      if (others === 0) this.#heldByTenant.delete(tenant);
      else this.#heldByTenant.set(tenant, others);
    };
  }

  #tellTime(reply: FastifyReply): void {
    if (isHeldByChoice(reply)) return;
    this.#answered += 1;
    this.#answeredMs += reply.elapsedTime;
  }

  #look(): void {
    const latencyMs = this.#answered === 0 ? null : this.#answeredMs / this.#answered;
    const loopDelayMs = Math.max(0, this.#loop.mean / 1e6 - LOOP_RESOLUTION_MS);
    const load = {
      latencyMs,
      loopDelayMs: Number.isNaN(loopDelayMs) ? 0 : loopDelayMs,
      heldMax: this.#heldMax,
    };
    this.#limit = decideLimit(this.#limit, load);
    this.#loop.reset();
    this.#heldMax = this.#held;
    this.#answered = 0;
    this.#answeredMs = 0;
  }
}

/** A stream lasts as long as its sender likes, and one that prefers to wait for its job waits: neither tells of load. */
function isHeldByChoice({ request }: FastifyReply): boolean {
  return request.routeOptions.url !== "/v1/jobs" || request.headers.prefer !== undefined;
}

/** Before the body is read only headers can tell: an own one, or that of a CloudEvent in binary mode. */
function priorityOf({ headers }: FastifyRequest): Priority {
  const named = headers["sluice-priority"] ?? headers["ce-priority"];
  return PRIORITIES.find((it) => it === named) ?? "normal";
}
