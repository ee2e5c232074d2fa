/**
 * The job id: `<queue>~` and the base32 of sha256(tenant, source, id).
 *
 * Hashed, because a client's id is unique for its source only: as a BullMQ job id it would make a
 * second client's job vanish (an add with a known id succeeds and stores nothing). The prefix tells
 * a look-up which queue's lanes to ask. Equal input gives an equal id, which makes a retry safe.
 */
import { hash } from "node:crypto";
import { QUEUE_NAME_PATTERN } from "./lane.ts";
import { quoted } from "./quoted.ts";

/** RFC 4648 in lower case. */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

const JOB_ID_PATTERN = /^([a-z][a-z0-9-]{0,63})~[a-z2-7]{52}$/;

export interface JobIdParts {
  readonly queue: string;
  readonly tenant: string;
  readonly source: string;
  readonly id: string;
}

export function jobIdOf({ queue, tenant, source, id }: JobIdParts): string {
  // As JSON, which keeps the three apart: no two different triples give the same text.
  const text = `[${quoted(tenant)},${quoted(source)},${JSON.stringify(id)}]`;
  return `${queue}~${base32(hash("sha256", text, "binary"))}`;
}

/** The queue a job id belongs to, or `null` when the text is no job id. */
export function queueOfJobId(jobId: string): string | null {
  const queue = JOB_ID_PATTERN.exec(jobId)?.[1];
  return queue !== undefined && QUEUE_NAME_PATTERN.test(queue) ? queue : null;
}

/** 256 bits are 51 full groups of five and one bit, which makes a last, padded group. */
const DIGEST_BYTES = 32;
const ID_CHARS = Math.ceil((DIGEST_BYTES * 8) / 5);

const CODES = Uint8Array.from(BASE32, (sign) => sign.charCodeAt(0));

/** Filled and read in one go, so one serves all: text put together sign by sign costs several times more. */
const scratch = Buffer.alloc(ID_CHARS);

/** @param digest a byte a character: a digest asked for as a buffer costs twice as much. */
function base32(digest: string): string {
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < DIGEST_BYTES; index += 1) {
    held = (held << 8) | digest.charCodeAt(index);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      scratch[at] = CODES[(held >> bits) & 31] ?? 0;
      at += 1;
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) scratch[at] = CODES[(held << (5 - bits)) & 31] ?? 0;
  return scratch.toString("latin1");
}
