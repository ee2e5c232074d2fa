/**
 * Where a list of jobs goes on, as a text that is the client's to carry and nobody's to read.
 *
 * It names no tenant and gives no rights: whoever changes one at most goes on elsewhere in their own list.
 * It belongs to the question it came with.
 */
import { z } from "zod";
import { PRIORITIES } from "#shared/envelope";
import type { JobState } from "#shared/job-state";
import { QUEUE_NAME_PATTERN } from "#shared/lane";
import type { ListPosition } from "#shared/redis/job-list";
import { GUARDS_MAX } from "#shared/redis/list-script";

/** More than the positions in a hundred queues need, and what fits into a request's line. */
export const CURSOR_CHARS_MAX = 8_192;

export interface ListFilter {
  readonly state: JobState | null;
  readonly type: string | null;
}

const score = z.string().regex(/^\d{1,16}$/);
const member = z.string().min(1).max(128);

const cursor = z.strictObject({
  v: z.literal(1),
  s: z.string().nullable(),
  t: z.string().nullable(),
  a: z.tuple([score, member]).nullable(),
  p: z.array(
    z.tuple([
      z.string().regex(QUEUE_NAME_PATTERN),
      z.int().min(0).max(PRIORITIES.length),
      score,
      z.array(member).min(1).max(GUARDS_MAX),
    ]),
  ),
});

export function cursorOf(position: ListPosition, { state, type }: ListFilter): string {
  const parts = position.parts.map(({ queue, part, at, members }) => [queue, part, at, members]);
  const fields = { v: 1, s: state, t: type, a: position.after, p: parts };
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

/** `null` when the text is no cursor of this question. */
export function positionOf(text: string, { state, type }: ListFilter): ListPosition | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return null;
  }
  const { data } = cursor.safeParse(value);
  if (data === undefined || data.s !== state || data.t !== type) return null;
  // One spelling a cursor: what a decoder skips over was not written here.
  if (Buffer.from(JSON.stringify(data)).toString("base64url") !== text) return null;
  return {
    after: data.a,
    parts: data.p.map(([queue, part, at, members]) => ({ queue, part, at, members })),
  };
}
