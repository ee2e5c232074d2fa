/**
 * What a server does about credentials from its start on: follows the keys, or says aloud that nobody is
 * asked for any.
 */
import { isUsable } from "../auth/decide-access.ts";
import type { Clock } from "../clock.ts";
import { ConfigInvalidError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AuthMode } from "../process-env.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { KeyFollower } from "../redis/key-store.ts";
import type { Keys } from "../redis/keys.ts";
import type { Authentication } from "./authenticate.ts";

export interface AuthenticationPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StartedAuthentication {
  readonly authentication: Authentication;
  /** Keeps it up to date until `stop` aborts. */
  run(stop: AbortSignal): Promise<void>;
}

/** @throws {ConfigInvalidError} when keys are asked for and there is none that anybody could show. */
export async function startAuthentication(
  mode: AuthMode,
  { redis, keys, clock, log }: AuthenticationPorts,
): Promise<StartedAuthentication> {
  if (mode === "off") {
    log.warn("authentication is off: everybody who reaches this process may do everything");
    return { authentication: "off", run: async () => undefined };
  }
  const follower = new KeyFollower(redis, keys, clock);
  await follower.refresh();
  if (![...follower.held].some((key) => isUsable(key, clock.nowMs()))) {
    throw new ConfigInvalidError("The environment", [
      "SLUICE_AUTH: is keys, and this Redis holds no key that can be used; make one with " +
        "`sluice keys create --name operator --tenant default --scope admin`",
    ]);
  }
  return { authentication: { keys: follower, clock, log }, run: (stop) => follower.run(stop) };
}
