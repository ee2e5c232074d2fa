/** Which Redis server program of those on PATH to run. */

/** BullMQ relies on blocking waits as they are from 7.0.8 on; Valkey began at 7.2. */
const VERSION_MIN = [7, 0, 8] as const;

export interface FoundServer {
  readonly path: string;
  /** What it answers to `--version`. */
  readonly answer: string;
}

export type RedisServerDecision =
  | { readonly kind: "run"; readonly path: string; readonly version: string }
  | { readonly kind: "none"; readonly reason: string };

export function decideRedisServer(found: readonly FoundServer[]): RedisServerDecision {
  const versions = found.map(({ path, answer }) => ({
    path,
    version: /\bv=(\d+\.\d+\.\d+)/.exec(answer)?.[1] ?? "unknown",
  }));
  const usable = versions.find(({ version }) => isEnough(version));
  if (usable !== undefined) return { kind: "run", ...usable };
  const least = VERSION_MIN.join(".");
  if (versions.length === 0) return { kind: "none", reason: "no redis-server or valkey-server is on PATH" };
  const seen = versions.map(({ path, version }) => `${path} is ${version}`).join(", ");
  return { kind: "none", reason: `no Redis server on PATH is ${least} or newer (${seen})` };
}

function isEnough(version: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, least] of VERSION_MIN.entries()) {
    const part = parts[index] ?? Number.NaN;
    if (part !== least) return part > least;
  }
  return true;
}
