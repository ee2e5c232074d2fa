/** Publishes a release: loads its app, checks it, and enters it in the registry; or shows it as a draft. */
import { hostname, userInfo } from "node:os";
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import { connectPatient, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { type Keys, keysOf } from "#shared/redis/keys";
import { draftRelease, loadRegistry, publishRelease } from "#shared/redis/registry-store";
import { SampleStore } from "#shared/redis/sample-store";
import { toRfc3339 } from "#shared/system-clock";
import type { PublishConfig } from "./config.ts";
import { missingSamples, requireReadable } from "./golden-samples.ts";
import { type LoadedApp, loadApp } from "./load-app.ts";

const START_TIMEOUT_MS = 15_000;

/**
 * @throws {AppInvalidError} when the app is malformed.
 * @throws {PublishRefusedError} when it clashes with what is published, or cannot read a golden sample.
 */
export async function publish(config: PublishConfig, clock: Clock, log: Log): Promise<void> {
  const loaded = await loadApp(config.app, config.release);
  const redis = connectPatient(config.redisUrl, "sluice-publish");
  try {
    await untilReady(redis, START_TIMEOUT_MS);
    const change = { at: toRfc3339(clock.nowMs()), by: config.actor ?? userAndMachine() };
    await enter(redis, keysOf(config.prefix), { config, loaded, change, log });
  } finally {
    disconnect(redis);
  }
}

interface Entry {
  readonly config: PublishConfig;
  readonly loaded: LoadedApp;
  readonly change: { readonly at: string; readonly by: string };
  readonly log: Log;
}

async function enter(
  redis: RedisConnection,
  keys: Keys,
  { config, loaded, change, log }: Entry,
): Promise<void> {
  const { release, draft } = config;
  const { app, descriptor } = loaded;
  if (draft) {
    await draftRelease(redis, keys, { descriptor, ...change, why: `draft of release ${release}` });
    log.info({ release, app: app.name }, "new versions are shown as drafts");
    return;
  }
  const store = new SampleStore(redis, keys);
  const samples = await store.all();
  requireReadable({ release, app }, await loadRegistry(redis, keys), samples);
  const document = await publishRelease(redis, keys, { descriptor, ...change });
  await store.keep(await missingSamples(app, samples));
  log.info({ release, app: app.name, lanes: document.releases[release]?.queues }, "release is published");
}

function userAndMachine(): string {
  return `${userInfo().username}@${hostname()}`;
}
