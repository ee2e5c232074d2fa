/** Standard input as text, bounded: nothing that a job can hold is larger. */
import type { Readable } from "node:stream";
import { ENVELOPE_BYTES_MAX } from "#shared/envelope";

/** Reading stops beyond the limit, so that whoever checks the size sees that it is too large. */
export async function readStdin(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    chunks.push(piece);
    bytes += piece.byteLength;
    if (bytes > ENVELOPE_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
