/** What Redis holds for one BullMQ queue, key by key, to be held against another's. */
import type { Redis } from "ioredis";

/** Every key under `start` by its name's end, with all it holds; times of stream entries are left out. */
export async function everyKeyOf(redis: Redis, start: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const key of await redis.keys(`${start}*`)) found[key.slice(start.length)] = await valueAt(redis, key);
  return found;
}

async function valueAt(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "hash":
      return redis.hgetall(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "set":
      return (await redis.smembers(key)).toSorted();
    case "zset":
      return redis.zrange(key, "0", "-1", "WITHSCORES");
    case "stream":
      return (await redis.xrange(key, "-", "+")).map(([, fields]) => fields);
    default:
      return redis.get(key);
  }
}
