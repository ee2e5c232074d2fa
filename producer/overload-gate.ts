/**
 * Lets requests that hand jobs in have their turn, and refuses those that would wait for too long, before their bodies
 * are read.
 *
 * As many are served at once as the process can bear, and only a few are begun in one turn of the event loop, so that
 * who comes in between is seen. All others wait, tenant beside tenant. A refusal costs next to nothing: it is written
 * beforehand and the body is thrown away. How many the process can bear is learnt from how long its requests take and
 * how late its event loop is. Every count is of this process.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#shared/clock";
import { PRIORITIES, type Priority } from "#shared/envelope";
import { PROBLEM_CONTENT_TYPE, type Problem, problemOf } from "#shared/http/problem";
import {
  begunATurnMax,
  decideLimit,
  decideWait,
  LIMIT_AT_START,
  mayBegin,
  unreadMsMax,
} from "./decide-overload.ts";
import { Senders } from "./senders.ts";
import { WaitingRoom } from "./waiting-room.ts";

const LOOK_INTERVAL_MS = 100;

/** How fine the event loop is watched, in milliseconds. */
const LOOP_RESOLUTION_MS = 10;

/** Requests refused in one turn for having waited too long. */
const REFUSED_A_TURN = 64;

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
  /** How long the event loop has been at work, not waiting, since the process began, in milliseconds. */
  activeMs(): number;
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

/** A request that waits for its turn. */
interface Waiting {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly priority: Priority;
  readonly cameAtMs: number;
  readonly waitMsMax: number;
  /** Goes on with it. */
  done(): void;
}

export class OverloadGate {
  readonly #ports: OverloadGatePorts;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #room = new WaitingRoom<Waiting>();
  #limit = LIMIT_AT_START;
  #held = 0;
  #heldMax = 0;
  #answered = 0;
  #answeredMs = 0;
  #begun = 0;
  #isTurnDue = false;
  readonly #senders = new Senders();
  /** How long the event loop had been at work when the first request of this turn was read. */
  #activeMs = 0;
  #isTurnNew = true;
  /** How long, at most, the requests that are read in this turn have lain unread. */
  #unreadMs = 0;

  constructor(ports: OverloadGatePorts) {
    this.#ports = ports;
  }

  /** Requests that may be served at once, as learnt so far. */
  get limit(): number {
    return this.#limit;
  }

  /** Requests served now. */
  get held(): number {
    return this.#held;
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#room.size;
  }

  /** Puts the gate in front of the routes that hand jobs in. Add it after authentication. */
  guard(server: FastifyInstance): void {
    server.decorateRequest("letGo", NOTHING_HELD);
    server.addHook("onRequest", (request, reply, done) => {
      const { method, routeOptions } = request;
      if (method !== "POST" || !ENQUEUING.has(routeOptions.url ?? "")) return done();
      this.#readTurn();
      if (this.#isStale(request)) return this.#refuse(request, reply);
      if (this.#room.size > 0 || !this.#mayBegin(request.caller.tenant, priorityOf(request)))
        return this.#wait(request, reply, done);
      this.#begin(request, reply, done);
    });
  }

  /** Learns until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#loop.enable();
    while ((await this.#ports.clock.sleep(LOOK_INTERVAL_MS, signal)) === "elapsed") this.#look();
    this.#loop.disable();
  }

  readonly #mayBegin = (tenant: string, priority: Priority): boolean =>
    !this.#isTurnFull &&
    mayBegin({
      limit: this.#limit,
      held: this.#held,
      heldByTenant: this.#senders.of(tenant).held,
      isShared: this.#senders.areSeveral,
      priority,
    });

  get #isTurnFull(): boolean {
    return this.#begun >= begunATurnMax(this.#senders.areSeveral);
  }

  #begin(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    this.#begun += 1;
    this.#turnSoon();
    this.#hold(request, reply);
    done();
  }

  #wait(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const { tenant } = request.caller;
    const priority = priorityOf(request);
    const cameAtMs = this.#ports.clock.monotonicMs();
    const room = this.#room;
    const first = room.firstOf(tenant, priority);
    const decision = decideWait({
      priority,
      // Its answer has no socket before those of the requests ahead of it are sent.
      isPipelined: reply.raw.socket === null,
      waiting: room.size,
      waitingOfTenant: room.waitingOf(tenant),
      tenants: room.tenants,
      arrived: room.arrivedOf(tenant),
      firstWaitedMs: first === undefined ? 0 : cameAtMs - first.cameAtMs,
    });
    if (decision.kind === "refused") {
      this.#refuse(request, reply);
      return;
    }
    room.add({ request, reply, priority, cameAtMs, waitMsMax: decision.waitMsMax, done }, tenant, priority);
    this.#turnSoon();
  }

  #turnSoon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(this.#turn);
  }

  /** With the first request of a turn: whatever is read in it came since the turn before, unless the loop was idle. */
  #readTurn(): void {
    if (!this.#isTurnNew) return;
    this.#isTurnNew = false;
    const activeMs = this.#ports.activeMs();
    this.#unreadMs = activeMs - this.#activeMs;
    this.#activeMs = activeMs;
    this.#turnSoon();
  }

  #isStale(request: FastifyRequest): boolean {
    if (!this.#senders.of(request.caller.tenant).isMostlyRefused) return false;
    return this.#unreadMs > unreadMsMax(priorityOf(request), this.#senders.areSeveral);
  }

  readonly #turn = (): void => {
    this.#isTurnDue = false;
    this.#isTurnNew = true;
    this.#begun = 0;
    if (this.#room.size === 0) return;
    const nowMs = this.#ports.clock.monotonicMs();
    const isOver = ({ cameAtMs, waitMsMax }: Waiting) => nowMs - cameAtMs > waitMsMax;
    for (const { request, reply } of this.#room.takeWhere(isOver, REFUSED_A_TURN)) {
      if (!isGone(request)) this.#refuse(request, reply);
    }
    for (let next = this.#room.next(this.#mayBegin); next; next = this.#room.next(this.#mayBegin)) {
      if (!isGone(next.request)) this.#begin(next.request, next.reply, next.done);
    }
    // With no place left the next turn comes when one is let go.
    if (this.#room.size > 0 && this.#isTurnFull) this.#turnSoon();
  };

  #refuse(request: FastifyRequest, reply: FastifyReply): void {
    this.#senders.of(request.caller.tenant).refused();
    const refusal = REFUSALS[Math.floor(this.#ports.random() * REFUSALS.length)] ?? REFUSALS[0];
    if (refusal === undefined) throw new TypeError("there is always a refusal");
    this.#ports.onRefused(refusal.problem, priorityOf(request));
    reply
      .code(refusal.problem.status)
      .header("content-type", PROBLEM_CONTENT_TYPE)
      .header("retry-after", refusal.retryAfter)
      .send(refusal.body);
  }

  /** Until the answer is sent, the client has gone, or it is let go. */
  #hold(request: FastifyRequest, reply: FastifyReply): void {
    const heldAtMs = this.#ports.clock.monotonicMs();
    const sender = this.#senders.of(request.caller.tenant);
    sender.held += 1;
    this.#held += 1;
    if (this.#held > this.#heldMax) this.#heldMax = this.#held;
    let isHeld = true;
    request.letGo = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#held -= 1;
      sender.held -= 1;
      if (this.#room.size > 0) this.#turnSoon();
    };
    // Comes once, whether the answer was sent or the client has gone away.
    reply.raw.on("close", () => {
      request.letGo();
      if (reply.statusCode < 300) sender.took();
      else if (WANT_OF_ROOM.has(reply.statusCode)) sender.refused();
      if (isHeldByChoice(request)) return;
      this.#answered += 1;
      this.#answeredMs += this.#ports.clock.monotonicMs() - heldAtMs;
    });
  }

  #look(): void {
    this.#senders.look();
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
    // A limit that has risen has places, and with Redis stuck nothing else ends a wait.
    if (this.#room.size > 0) this.#turnSoon();
  }
}

/** Statuses of what is refused because of others, not for what it is. */
const WANT_OF_ROOM: ReadonlySet<number> = new Set([429, 503]);

function isGone({ raw }: FastifyRequest): boolean {
  return raw.socket.destroyed;
}

/** A stream lasts as long as its sender likes, and one that prefers to wait for its job waits: neither tells of load. */
function isHeldByChoice(request: FastifyRequest): boolean {
  return request.routeOptions.url !== "/v1/jobs" || request.headers.prefer !== undefined;
}

/** Before the body is read only headers can tell: an own one, or that of a CloudEvent in binary mode. */
function priorityOf({ headers }: FastifyRequest): Priority {
  const named = headers["sluice-priority"] ?? headers["ce-priority"];
  return PRIORITIES.find((it) => it === named) ?? "normal";
}
