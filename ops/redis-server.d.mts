import type { RedisServerChoice } from "./decide-redis.mjs";

export function findRedisServer(): RedisServerChoice;
