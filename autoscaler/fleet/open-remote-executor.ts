/** The remote executor that the environment names, held against what the pools of the configuration need. */
import { ConfigInvalidError } from "#shared/errors";
import type { Log } from "#shared/log";
import type { SluiceConfig } from "#shared/sluice-config";
import { readToken } from "../executor-service/executor-config.ts";
import { RemoteExecutor } from "./remote-executor.ts";

/**
 * `null` when no pool has containers for workers.
 *
 * @throws {ConfigInvalidError} when one has, and the environment does not say who starts them.
 */
export function remoteExecutorOf(
  named: { readonly url: string; readonly tokenFile: string } | null,
  { sluice, log }: { readonly sluice: SluiceConfig; readonly log: Log },
): RemoteExecutor | null {
  const pools = Object.keys(sluice.pools).filter((it) => sluice.pools[it]?.executor === "docker");
  if (pools.length === 0) return null;
  if (named === null) {
    const needs = `the pool ${pools[0]} has "executor": "docker"; name the address of the executor's process`;
    throw new ConfigInvalidError("The environment", [`SLUICE_EXECUTOR_URL: is missing, and ${needs}`]);
  }
  return new RemoteExecutor({ url: named.url, token: readToken(named.tokenFile), log });
}
