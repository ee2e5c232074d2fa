/**
 * Asks the throttles for jobs before they are enqueued: one by itself, or several that come in together or not at all.
 *
 * What an answer makes of a job is an `Excess`: accepted later, or at low priority. Nothing is stored here.
 */
import type { JobRequest } from "../envelope.ts";
import { ThrottledError } from "../errors.ts";
import type { LimitsBase } from "../limits/limits-document.ts";
import { isThrottled } from "../limits/limits-for.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import type { Quota } from "../throttle/quota.ts";
import type { ThrottleAnswer, Throttler } from "../throttle/throttler.ts";
import type { EnqueueTerms, Excess } from "./job-requests.ts";

export interface ThrottlePorts {
  readonly throttler: Pick<Throttler, "take">;
  readonly registry: { readonly document: RegistryDocument };
  limits(): LimitsBase;
}

export interface LetIn {
  readonly excess: Excess;
  readonly quotas: readonly Quota[];
  /** To be called when the request has ended. */
  release(): void;
}

/** Jobs of the same type on behalf of the same caller: one take. */
interface Kind {
  readonly request: JobRequest;
  readonly by: EnqueueTerms;
  readonly indexes: number[];
}

export class JobThrottles {
  readonly #ports: ThrottlePorts;

  constructor(ports: ThrottlePorts) {
    this.#ports = ports;
  }

  /** Whether there is any throttle at all. */
  get exist(): boolean {
    return this.#ports.limits().throttles.length > 0;
  }

  /** Whether there is one that a job of the type has to pass. */
  applyTo(type: string, { tenant, keyId = null }: EnqueueTerms): boolean {
    return isThrottled(this.#ports.limits(), { tenant, keyId, type });
  }

  /** @throws {ThrottledError | NotEnqueuedError} */
  async take({ type }: JobRequest, by: EnqueueTerms): Promise<LetIn> {
    const excess = this.#ports.registry.document.types[type]?.policy.excess ?? "reject";
    const answer = await this.#take(type, by, { cost: 1, excess });
    return { excess: excessOf(answer), quotas: answer.fields, release: answer.release };
  }

  /**
   * For jobs of which all are let in or none. What is taken for one type is not given back when another is refused.
   *
   * @returns what to make of each, by its place; the refusals of those that are not let in; and what to call at the end.
   */
  async takeTogether(requests: readonly JobRequest[], byOf: (index: number) => EnqueueTerms) {
    const excesses: Excess[] = requests.map(() => ({}));
    const refused = new Map<number, unknown>();
    const releases: (() => void)[] = [];
    for (const { request, by, indexes } of kindsOf(requests, byOf)) {
      try {
        const answer = await this.#take(request.type, by, { cost: indexes.length, excess: "reject" });
        releases.push(answer.release);
        for (const [job, index] of indexes.entries()) excesses[index] = excessOf(answer, job);
      } catch (error) {
        for (const index of indexes) refused.set(index, error);
        break;
      }
    }
    const release = () => {
      for (const it of releases) it();
    };
    return { excesses, refused, release };
  }

  async #take(
    type: string,
    { tenant, keyId = null }: EnqueueTerms,
    { cost, excess }: { readonly cost: number; readonly excess: "reject" | "delay" | "degrade" },
  ) {
    const answer = await this.#ports.throttler.take({ tenant, keyId, type, cost, excess });
    if (answer.kind === "reject") throw new ThrottledError(answer);
    return answer;
  }
}

function kindsOf(requests: readonly JobRequest[], byOf: (index: number) => EnqueueTerms): Iterable<Kind> {
  const kinds = new Map<string, Kind>();
  for (const [index, request] of requests.entries()) {
    const by = byOf(index);
    const name = JSON.stringify([by.tenant, by.keyId ?? null, request.type]);
    const kind = kinds.get(name);
    if (kind === undefined) kinds.set(name, { request, by, indexes: [index] });
    else kind.indexes.push(index);
  }
  return kinds.values();
}

/** @param job which of the jobs of the take. */
function excessOf(answer: Exclude<ThrottleAnswer, { readonly kind: "reject" }>, job = 0): Excess {
  if (answer.kind === "degrade") return { isDegraded: true };
  if (answer.kind !== "delay") return {};
  return { delayMs: answer.delaysMs[job] ?? answer.delayMs, isDegraded: answer.degraded };
}
