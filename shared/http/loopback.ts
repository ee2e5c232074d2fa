/**
 * Deny by default beyond loopback.
 *
 * An API that asks nobody for credentials listens on this machine only. A web page in a browser on the
 * same machine can reach loopback too, by a name of its own that points there; so on loopback only
 * requests addressed to loopback by name are answered.
 */
import { ConfigInvalidError } from "../errors.ts";

const LOOPBACK_HOSTS = new Set(["localhost", "::1", "[::1]"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @throws {ConfigInvalidError} for an address that others can reach, where nobody is asked for a key. */
export function requireLoopback({
  host,
  auth,
}: {
  readonly host: string;
  readonly auth: "keys" | "off";
}): void {
  if (isLoopback(host) || auth === "keys") return;
  throw new ConfigInvalidError("The environment", [
    "SLUICE_AUTH: is off, and SLUICE_HOST is not a loopback address: anybody could do everything; " +
      "set SLUICE_AUTH=keys, or listen on 127.0.0.1",
  ]);
}

/** Whether a request's Host header names loopback; the port does not matter. */
export function namesLoopback(hostHeader: string | undefined): boolean {
  return hostHeader !== undefined && isLoopback(hostHeader.toLowerCase().replace(/:\d+$/, ""));
}
