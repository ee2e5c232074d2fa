/**
 * Deny by default beyond loopback.
 *
 * Until there are credentials an API listens on this machine only. A web page in a browser on the
 * same machine can reach loopback too, by a name of its own that points there; so on loopback only
 * requests addressed to loopback by name are answered.
 */
import { ConfigInvalidError } from "../errors.ts";

const LOOPBACK_HOSTS = new Set(["localhost", "::1", "[::1]"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @throws {ConfigInvalidError} for an address that others can reach, unless the operator insists. */
export function requireLoopback(host: string, allowUnauthenticated: boolean): void {
  if (isLoopback(host) || allowUnauthenticated) return;
  throw new ConfigInvalidError("The environment", [
    "SLUICE_HOST: is not a loopback address, and the API asks nobody for credentials; use 127.0.0.1 behind " +
      "a proxy that authenticates, or set SLUICE_ALLOW_UNAUTHENTICATED=true to accept that anyone may use it",
  ]);
}

/** Whether a request's Host header names loopback; the port does not matter. */
export function namesLoopback(hostHeader: string | undefined): boolean {
  return hostHeader !== undefined && isLoopback(hostHeader.toLowerCase().replace(/:\d+$/, ""));
}
