/** Where the measured Redis is, as ioredis takes it: a URL, or the path of a socket. */
export const redisAddress = process.env.BENCH_REDIS_URL.replace(/^unix:\/\//, "");
