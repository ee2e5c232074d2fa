/**
 * How a Sluice process ends, for whoever started it. Where a meaning exists in sysexits.h its number
 * is used. (docs/reference/exit-codes.md)
 */
import { ConfigInvalidError, DurabilityTooLowError, SluiceError } from "./errors.ts";

export const EXIT = {
  /** Stopped as asked; nothing in flight was left behind. */
  ok: 0,
  /** A bug: the log has the error. */
  unexpected: 1,
  /** The stop was cut short, by a second signal or a drain out of time: jobs in flight are left to their leases. */
  drainIncomplete: 10,
  /** A migration left jobs in the older lane: its log says why, and the next one goes on from there. */
  jobsLeft: 11,
  /** Redis was not reached at the start (EX_UNAVAILABLE). */
  redisUnreachable: 69,
  /** Redis keeps less than the configured durability, or could lose jobs as it is set up (EX_OSFILE). */
  redisUnsafe: 72,
  /** The worker found itself stuck; start it again (EX_TEMPFAIL). */
  stuck: 75,
  /** The fleet refuses this worker or the registry this release (EX_NOPERM). */
  refused: 77,
  /** The environment, the configuration file or the app is invalid (EX_CONFIG). */
  configInvalid: 78,
} as const;

/** The exit code for an error that ended a start. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof DurabilityTooLowError) return EXIT.redisUnsafe;
  if (error instanceof ConfigInvalidError) return EXIT.configInvalid;
  if (!(error instanceof SluiceError))
    return isConnectionError(error) ? EXIT.redisUnreachable : EXIT.unexpected;
  switch (error.code) {
    case "APP_INVALID":
    case "TRACE_INVALID":
      return EXIT.configInvalid;
    case "PUBLISH_REFUSED":
    case "WORKER_REFUSED":
      return EXIT.refused;
    default:
      return EXIT.unexpected;
  }
}

function isConnectionError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const refused = /^(ECONNREFUSED|ENOENT|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ECONNRESET|EAI_AGAIN)$/;
  return refused.test(code) || (error instanceof Error && /^Redis did not answer/.test(error.message));
}
