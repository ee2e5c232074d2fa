/**
 * Which batches with an idempotency key are under way, over all producers.
 *
 * A claim ends by itself soon after the process that holds it is gone. It only keeps two senders of the same
 * batch apart: that no job of it comes in twice is the admission script's.
 */
import { hash, randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { NotEnqueuedError } from "../errors.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

const CLAIM_MS = 30_000;
const RENEW_MS = 10_000;

/** KEYS: claim. ARGV: holder, ms or 0 to let go. Only the holder may. */
const RENEW = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == "0" then return redis.call("DEL", KEYS[1]) end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])
`;

export class BatchClaims {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #clock: Clock;

  constructor(redis: RedisConnection, keys: Keys, clock: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * Holds the key until the returned function is called; `null` when another batch holds it. That function never
   * rejects.
   *
   * @throws {NotEnqueuedError} when Redis is not reached.
   */
  async hold(tenant: string, key: string): Promise<(() => Promise<void>) | null> {
    const name = this.#keys.idempotency(
      `batch:${hash("sha256", JSON.stringify([tenant, key]), "base64url")}`,
    );
    const holder = randomUUID();
    const set = await this.#redis.set(name, holder, "PX", CLAIM_MS, "NX").catch((error: unknown) => {
      throw new NotEnqueuedError("Redis is not reachable", { cause: error });
    });
    if (set === null) return null;
    const done = new AbortController();
    const renewing = this.#renew(name, holder, done.signal);
    return async () => {
      done.abort();
      await renewing;
      await this.#redis.eval(RENEW, 1, name, holder, "0").catch(() => undefined);
    };
  }

  async #renew(name: string, holder: string, signal: AbortSignal): Promise<void> {
    while ((await this.#clock.sleep(RENEW_MS, signal)) === "elapsed") {
      await this.#redis.eval(RENEW, 1, name, holder, CLAIM_MS).catch(() => undefined);
    }
  }
}
