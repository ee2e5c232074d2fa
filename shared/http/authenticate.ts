/**
 * Says who makes a request, and lets nobody in whom the route is not for.
 *
 * Deny by default: a route that names no scope and is not on the open list is nobody's. The hook answers
 * within the call for every key that the copy holds: a promise would cost each request more than the
 * check does. It logs a refusal with the key's id and never anything of a secret.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiKey } from "../auth/api-key.ts";
import { ANYONE, type Caller, NOBODY, type Scope } from "../auth/caller.ts";
import { type AccessRefusal, decideAccess, mayDo } from "../auth/decide-access.ts";
import { type HeldKey, presentedTo } from "../auth/held-key.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { FailureBrake } from "./failure-brake.ts";
import { apiKeyIn } from "./presented-credential.ts";
import { type Outcome, type Problem, problemOf } from "./problem.ts";
import { sendProblem } from "./send-problem.ts";

/** Where keys are looked for; the copy of them that `KeyFollower` keeps. */
export interface KeyBook {
  /** `null` when the copy has no such key. */
  find(keyId: string): HeldKey | null;
  /** Looks once more where the keys are stored, for what the copy does not know. Rejects when that cannot be asked. */
  lookUp(keyId: string): Promise<HeldKey | null>;
}

/** `off`: nobody is asked and everybody is `ANYONE`. */
export type Authentication = "off" | { readonly keys: KeyBook; readonly clock: Clock; readonly log: Log };

export interface AuthenticationOptions {
  /** Whether Basic is taken too, for people with a browser. */
  readonly basic: boolean;
  /** What every refusal says of the job. */
  readonly outcome?: Outcome;
  /** Hears of every refusal. */
  refused?(request: FastifyRequest, problem: Problem): void;
}

/** The routes that need no credential. */
const OPEN_ROUTES = new Set(["/livez", "/readyz", "/openapi.json", "/docs", "/style.css"]);

export function isOpenRoute(url: string): boolean {
  return OPEN_ROUTES.has(url) || url.startsWith("/docs/");
}

/** Add it after the hooks that refuse whoever asks, and before those that read. */
export function addAuthentication(
  server: FastifyInstance,
  authentication: Authentication,
  options: AuthenticationOptions,
): void {
  if (authentication === "off") {
    server.decorateRequest("caller", { getter: () => ANYONE });
    return;
  }
  // Each request's own is set by the hook; it must not hold an object that requests would share.
  server.decorateRequest("caller", null as unknown as Caller);
  const door = new Door(authentication, options);
  server.addHook("onRequest", (request, reply, done) => door.admit({ request, reply, done }));
}

type Verdict =
  | { readonly kind: "admitted"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly code: AccessRefusal; readonly keyId: string | null }
  | { readonly kind: "scope-missing"; readonly caller: Caller; readonly scope: Scope | undefined };

interface Asking {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  done(): void;
}

class Door {
  readonly #ports: Exclude<Authentication, "off">;
  readonly #options: AuthenticationOptions;
  readonly #brake: FailureBrake;

  constructor(ports: Exclude<Authentication, "off">, options: AuthenticationOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#brake = new FailureBrake(ports.clock);
  }

  admit(asking: Asking): void {
    const verdict = this.#judge(asking.request);
    if (!(verdict instanceof Promise)) {
      this.#act(verdict, asking);
      return;
    }
    verdict
      .then((it) => this.#act(it, asking))
      .catch((cause: unknown) => {
        this.#ports.log.warn({ err: cause }, "an API key could not be looked up");
        this.#send(asking, notKnown(this.#options.outcome));
      });
  }

  #judge(request: FastifyRequest): Verdict | Promise<Verdict> {
    const { url = "", config } = request.routeOptions;
    if (config?.scope === undefined && isOpenRoute(url)) return { kind: "admitted", caller: NOBODY };
    const header = request.headers.authorization;
    if (header === undefined) return { kind: "refused", code: "missing", keyId: null };
    const credential = apiKeyIn(header, this.#options.basic);
    if (credential === null) return { kind: "refused", code: "malformed", keyId: null };
    const { keyId, secret } = credential;
    const verdict = this.#judgeKey(request, { keyId, secret, key: this.#ports.keys.find(keyId) });
    // Whoever has been refused too often does not make us ask Redis.
    if (!mayBeNew(verdict) || this.#brake.secondsLeft(request.ip) !== null) return verdict;
    return this.#ports.keys.lookUp(keyId).then((key) => this.#judgeKey(request, { keyId, secret, key }));
  }

  #judgeKey(
    { is404, routeOptions }: FastifyRequest,
    { keyId, secret, key }: ApiKey & { readonly key: HeldKey | null },
  ): Verdict {
    const decision = decideAccess(presentedTo(key, secret), key, this.#ports.clock.nowMs());
    if (decision.kind === "refused") return { kind: "refused", code: decision.code, keyId };
    const { caller } = decision;
    const scope = routeOptions.config?.scope;
    // Whoever may ask anything at all is told what is not there.
    const mayPass = is404 || (scope !== undefined && mayDo(caller, scope));
    return mayPass ? { kind: "admitted", caller } : { kind: "scope-missing", caller, scope };
  }

  #act(verdict: Verdict, asking: Asking): void {
    asking.request.caller = verdict.kind === "refused" ? NOBODY : verdict.caller;
    switch (verdict.kind) {
      case "admitted":
        asking.done();
        return;
      case "scope-missing":
        this.#send(asking, scopeMissing(verdict.scope, this.#options.outcome));
        return;
      case "refused":
        this.#refuse(asking, verdict);
    }
  }

  #refuse(asking: Asking, { code, keyId }: { readonly code: AccessRefusal; readonly keyId: string | null }) {
    const { basic, outcome } = this.#options;
    const remote = asking.request.ip;
    const secondsLeft = code === "missing" ? null : this.#brake.secondsLeft(remote);
    if (secondsLeft !== null) {
      this.#send(asking, tooManyFailures(secondsLeft, outcome));
      return;
    }
    // A browser always asks without a credential first.
    if (code !== "missing") {
      this.#brake.failed(remote);
      this.#ports.log.warn({ code, keyId, remote }, "a credential was refused");
    }
    asking.reply.header("www-authenticate", basic ? CHALLENGES : CHALLENGE);
    this.#send(asking, unauthenticated(outcome));
  }

  #send({ request, reply }: Asking, problem: Problem): void {
    this.#options.refused?.(request, problem);
    sendProblem(reply, problem);
  }
}

/** The key, or its secret, may have been made after our copy of the keys. */
function mayBeNew(verdict: Verdict): boolean {
  return verdict.kind === "refused" && (verdict.code === "unknown" || verdict.code === "wrong-secret");
}

const CHALLENGE = 'Bearer realm="sluice"';
const CHALLENGES = `${CHALLENGE}, Basic realm="sluice", charset="UTF-8"`;

function unauthenticated(outcome: Outcome | undefined): Problem {
  return problemOf({
    status: 401,
    code: "UNAUTHENTICATED",
    title: "No valid credential",
    detail: "Send a valid API key in the Authorization header: Bearer slk_<key id>_<secret>.",
    ...(outcome && { outcome }),
  });
}

function scopeMissing(scope: Scope | undefined, outcome: Outcome | undefined): Problem {
  return problemOf({
    status: 403,
    code: "SCOPE_MISSING",
    title: "The key may not do this",
    detail:
      scope === undefined
        ? "This route names no scope, so no key may use it."
        : `This needs a key with the scope ${scope}.`,
    ...(outcome && { outcome }),
  });
}

function tooManyFailures(retryAfterSeconds: number, outcome: Outcome | undefined): Problem {
  return problemOf({
    status: 429,
    code: "CREDENTIALS_REFUSED_TOO_OFTEN",
    title: "Too many refused credentials",
    detail: "Too many credentials from this address were refused; correct the key before trying again.",
    retryAfterSeconds,
    ...(outcome && { outcome }),
  });
}

/** Whether the key exists cannot be asked: that is neither a yes nor a no. */
function notKnown(outcome: Outcome | undefined): Problem {
  return problemOf({
    status: 503,
    code: "REDIS_UNAVAILABLE",
    title: "Redis is not reachable",
    detail: "The key is not known here yet, and Redis did not answer the question for it.",
    retryAfterSeconds: 1,
    ...(outcome && { outcome }),
  });
}
