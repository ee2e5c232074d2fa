/** Query parameters of the control API. Names that are not known are ignored. */
import { QUEUE_NAME_PATTERN } from "#shared/lane";
import { QueryInvalidError } from "./problems.ts";

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export const DECISIONS_MAX = 500;
const DECISIONS_DEFAULT = 50;

/** @throws {QueryInvalidError} */
export function limitOf({ limit }: Query): number {
  if (limit === undefined) return DECISIONS_DEFAULT;
  const isWhole = typeof limit === "string" && /^[1-9]\d{0,2}$/.test(limit);
  if (isWhole && Number(limit) <= DECISIONS_MAX) return Number(limit);
  throw new QueryInvalidError({
    pointer: "/limit",
    rule: "whole-number-1-500",
    message: `limit must be one whole number from 1 to ${DECISIONS_MAX}.`,
  });
}

/** The queue to show, `null` for all of them. @throws {QueryInvalidError} */
export function queueOf({ queue }: Query): string | null {
  if (queue === undefined) return null;
  if (typeof queue === "string" && QUEUE_NAME_PATTERN.test(queue)) return queue;
  throw new QueryInvalidError({
    pointer: "/queue",
    rule: "queue-name",
    message: "queue must be one queue's name: lower-case letters, digits and dashes, at most 64.",
  });
}

/** The release to show, `null` for all of them. @throws {QueryInvalidError} */
export function releaseOf({ release }: Query): string | null {
  if (release === undefined) return null;
  if (typeof release === "string" && /^[a-z0-9][a-z0-9._-]{0,63}$/.test(release)) return release;
  throw new QueryInvalidError({
    pointer: "/release",
    rule: "release-id",
    message:
      "release must be one release's id: lower-case letters, digits, dots, dashes, underscores, at most 64.",
  });
}
