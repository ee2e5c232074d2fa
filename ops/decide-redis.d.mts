export type RedisServerChoice =
  | { readonly kind: "found"; readonly path: string; readonly version: string }
  | { readonly kind: "too-old"; readonly path: string; readonly version: string | null }
  | { readonly kind: "missing" };

export type RedisInstall =
  | { readonly kind: "apt" | "apt-sudo" | "brew" }
  | { readonly kind: "by-hand"; readonly reason: string };

interface Machine {
  readonly platform: string;
  readonly hasAptGet: boolean;
  readonly hasBrew: boolean;
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
}

export const REDIS_VERSION_MIN: string;
export function parseServerVersion(answer: string): string | null;
export function isRedisVersionEnough(version: string): boolean;
export function chooseRedisServer(
  servers: readonly { readonly path: string; readonly answer: string }[],
): RedisServerChoice;
export function decideRedisInstall(machine: Machine): RedisInstall;
export function redisAdvice(mode: "start" | "test" | "ci"): string;
