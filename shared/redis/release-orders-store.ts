/**
 * What the leader wants of all workers of each release of a queue: one hash a queue, replaced as a whole.
 *
 * Workers do not read it here: it comes with the answers to their registration and their heartbeats. What a leader
 * writes whose term is over is refused, so what is stored is always the newest leader's.
 */
import { StaleEpochError } from "../errors.ts";
import { type ReleaseOrders, releaseOrders } from "../rollout/release-orders.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";

/** KEYS: epoch, orders. ARGV: epoch, then pairs of a release and its document. Returns the newest epoch. */
const GIVE = `
local newest = tonumber(redis.call("GET", KEYS[1]) or "0")
if tonumber(ARGV[1]) < newest then return newest end
redis.call("DEL", KEYS[2])
for i = 2, #ARGV, 2 do redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1]) end
return newest
`;

/** For a text that is no order: a worker that has heard of one before goes on with that, a new one takes nothing. */
const NOT_UNDERSTOOD: ReleaseOrders = releaseOrders.parse({ epoch: 0, takes: "nothing" });

export class ReleaseOrdersStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Replaces what is wanted of the queue's releases; one that is not named takes all it reads.
   *
   * @param epoch of the leader's term; it goes into each document.
   * @throws {StaleEpochError} when a newer leader's term has begun.
   */
  async give(
    queue: string,
    byRelease: Readonly<Record<string, Omit<ReleaseOrders, "epoch">>>,
    epoch: number,
  ): Promise<void> {
    const { epoch: terms, releaseOrders: keyOf } = this.#keys;
    const pairs = Object.entries(byRelease).flatMap(([release, wanted]) => [
      release,
      JSON.stringify({ ...wanted, epoch }),
    ]);
    const newest = await this.#redis.eval(GIVE, 2, terms, keyOf(queue), epoch, ...pairs);
    if (Number(newest) > epoch) throw new StaleEpochError(epoch, Number(newest));
  }

  /** By release. */
  async read(queue: string, batch?: ReadBatch): Promise<Readonly<Record<string, ReleaseOrders>>> {
    const own = batch ?? new ReadBatch(this.#redis);
    const asking = own.ask((pipeline) => pipeline.hgetall(this.#keys.releaseOrders(queue)));
    if (batch === undefined) await own.send();
    const [stored = {}] = (await asking) as readonly Readonly<Record<string, string>>[];
    const read = Object.entries(stored).map(([release, text]) => [release, ordersIn(text)] as const);
    return Object.fromEntries(read.flatMap(([release, it]) => (it === null ? [] : [[release, it]])));
  }
}

/** `null` for the empty text: there are none. */
export function ordersIn(text: string): ReleaseOrders | null {
  if (text === "") return null;
  try {
    const result = releaseOrders.safeParse(JSON.parse(text));
    return result.success ? result.data : NOT_UNDERSTOOD;
  } catch {
    return NOT_UNDERSTOOD;
  }
}
