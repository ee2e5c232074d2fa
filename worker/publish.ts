/** Publishes a release: loads its app, checks it, and enters it in the registry. */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import { connectPatient, disconnect, untilReady } from "#shared/redis/connection";
import { keysOf } from "#shared/redis/keys";
import { publishRelease } from "#shared/redis/registry-store";
import type { PublishConfig } from "./config.ts";
import { loadApp } from "./load-app.ts";

const START_TIMEOUT_MS = 15_000;

/**
 * @throws {AppInvalidError} when the app is malformed.
 * @throws {PublishRefusedError} when it clashes with what is published.
 */
export async function publish(config: PublishConfig, clock: Clock, log: Log): Promise<void> {
  const { descriptor } = await loadApp(config.app, config.release);
  const redis = connectPatient(config.redisUrl, "sluice-publish");
  try {
    await untilReady(redis, START_TIMEOUT_MS);
    const publication = { descriptor, nowMs: clock.nowMs() };
    const document = await publishRelease(redis, keysOf(config.prefix), publication);
    const lanes = document.releases[config.release]?.queues;
    log.info({ release: config.release, app: descriptor.app, lanes }, "release is published");
  } finally {
    disconnect(redis);
  }
}
