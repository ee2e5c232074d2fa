/** The lines of a stream, each of bounded length, whatever the stream's writer does. */
import type { Readable } from "node:stream";

/** A longer line is given in pieces. */
const LINE_CHARS_MAX = 16_384;

export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let held = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const pieces = (held + chunk).split("\n");
    held = pieces.pop() ?? "";
    for (const piece of pieces) if (piece !== "") onLine(piece);
    if (held.length > LINE_CHARS_MAX) {
      onLine(held);
      held = "";
    }
  });
  stream.once("end", () => {
    if (held !== "") onLine(held);
  });
  stream.on("error", () => undefined);
}
