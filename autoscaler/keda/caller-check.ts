/** Whether a caller of the scaler may ask: by the API key in its metadata, with the scope `ops:read`. */
import { status } from "@grpc/grpc-js";
import { decideAccess, mayDo } from "#shared/auth/decide-access";
import { type HeldKey, presentedTo } from "#shared/auth/held-key";
import type { Authentication } from "#shared/http/authenticate";
import { FailureBrake } from "#shared/http/failure-brake";
import { apiKeyIn } from "#shared/http/presented-credential";
import { CallRefusedError } from "./call-refused.ts";

export interface AskingCaller {
  /** `authorization` of the call's metadata, `null` when there is none. */
  readonly authorization: string | null;
  /** Address and port. */
  readonly peer: string;
}

export class CallerCheck {
  readonly #authentication: Authentication;
  readonly #brake: FailureBrake | null;

  /** @param authentication `off` where nobody needs a key: on loopback, or where TLS asks for a certificate. */
  constructor(authentication: Authentication) {
    this.#authentication = authentication;
    this.#brake = authentication === "off" ? null : new FailureBrake(authentication.clock);
  }

  /** @throws {CallRefusedError} when it may not. Rejects when a key cannot be looked up. */
  async admit({ authorization, peer }: AskingCaller): Promise<void> {
    const ports = this.#authentication;
    if (ports === "off") return;
    const address = peer.replace(/:\d+$/, "");
    const shown = authorization === null ? null : apiKeyIn(authorization, false);
    if (shown === null) throw UNAUTHENTICATED;
    const decide = (key: HeldKey | null) =>
      decideAccess(presentedTo(key, shown.secret), key, ports.clock.nowMs());
    let decision = decide(ports.keys.find(shown.keyId));
    const isBraked = () => this.#brake?.secondsLeft(address) !== null;
    // The copy of the keys may be older than the key; whoever is refused all the time does not make us look.
    if (decision.kind === "refused" && !isBraked()) decision = decide(await ports.keys.lookUp(shown.keyId));
    if (decision.kind === "caller") {
      if (mayDo(decision.caller, "ops:read")) return;
      throw new CallRefusedError(status.PERMISSION_DENIED, "This needs a key with the scope ops:read.");
    }
    if (isBraked()) throw new CallRefusedError(status.RESOURCE_EXHAUSTED, "Too many refused credentials.");
    this.#brake?.failed(address);
    ports.log.warn({ code: decision.code, keyId: shown.keyId, remote: address }, "a credential was refused");
    throw UNAUTHENTICATED;
  }
}

const UNAUTHENTICATED = new CallRefusedError(
  status.UNAUTHENTICATED,
  "Send a valid API key in the metadata authorization: Bearer slk_<key id>_<secret>.",
);
