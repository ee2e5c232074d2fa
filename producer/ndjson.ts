/**
 * Newline-delimited JSON, read with back-pressure: a line at a time, each of bounded length, in the pieces that the
 * network brings.
 */

/** One line of the body without its end; `null` when it was longer than allowed, and was skipped. */
export type Line = string | null;

/**
 * The lines of each piece as it arrives. The next piece is asked for only when the last was taken, so a body
 * that comes faster than it is worked off waits in the client. Blank lines are left out.
 *
 * @param lineBytesMax bytes of one line.
 */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<readonly Line[]> {
  const splitter = new LineSplitter(lineBytesMax);
  for await (const piece of body) {
    const lines = splitter.take(piece);
    if (lines.length > 0) yield lines;
  }
  const last = splitter.end();
  if (last.length > 0) yield last;
}

const NEWLINE = 0x0a;

class LineSplitter {
  readonly #lineBytesMax: number;
  /** The start of a line whose end has not come. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isTooLong = false;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  take(piece: Uint8Array): Line[] {
    const last = piece.lastIndexOf(NEWLINE);
    const lines: Line[] = [];
    let from = 0;
    if (last !== -1 && (this.#heldBytes > 0 || this.#isTooLong)) {
      const first = piece.indexOf(NEWLINE);
      this.#hold(piece.subarray(0, first));
      lines.push(...this.end());
      from = first + 1;
    }
    if (from < last) this.#takeWhole(piece.subarray(from, last), lines);
    this.#hold(piece.subarray(last + 1));
    return lines;
  }

  /** Lines that came whole are decoded together: no other character has the byte of a newline in it. */
  #takeWhole(whole: Uint8Array, lines: Line[]): void {
    for (const line of asText(whole).split("\n")) {
      const text = this.#isWithin(line) ? line.trim() : null;
      if (text !== "") lines.push(text);
    }
  }

  #isWithin(line: string): boolean {
    // UTF-8 needs at most three bytes for each unit of a string's length.
    return line.length * 3 <= this.#lineBytesMax || Buffer.byteLength(line) <= this.#lineBytesMax;
  }

  /** The line that is held, none when it is blank. */
  end(): Line[] {
    const text = this.#isTooLong ? null : Buffer.concat(this.#held).toString("utf8").trim();
    this.#held = [];
    this.#heldBytes = 0;
    this.#isTooLong = false;
    return text === "" ? [] : [text];
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0 || this.#isTooLong) return;
    this.#heldBytes += part.length;
    this.#isTooLong = this.#heldBytes > this.#lineBytesMax;
    if (this.#isTooLong) this.#held = [];
    else this.#held.push(part);
  }
}

function asText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
}
