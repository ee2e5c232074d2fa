/**
 * A block of lines at the end of a terminal that is drawn over itself. The scrollback stays, and nothing wraps: a
 * line is cut at the terminal's width and the block at its height.
 */

/** A terminal that lines can be drawn over. */
export interface LiveTerminal {
  write(text: string): void;
  /** As they are now; a terminal that does not say has 80 by 24. */
  columns(): number;
  rows(): number;
}

const ESC = "\u001b";

/** One that never fits anything would hide all. */
const COLUMNS_MIN = 20;
const ROWS_MIN = 4;

export class LiveScreen {
  readonly #terminal: LiveTerminal;
  #drawn = 0;

  constructor(terminal: LiveTerminal) {
    this.#terminal = terminal;
  }

  /** In place of what was drawn before. The lines hold colours at most: strangers' text is neutralised. */
  draw(lines: readonly string[]): void {
    const columns = Math.max(this.#terminal.columns(), COLUMNS_MIN);
    const room = Math.max(this.#terminal.rows(), ROWS_MIN) - 1;
    const isCut = lines.length > room;
    const shown = isCut ? [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`] : lines;
    const text = shown.map((line) => `${cutLine(line, columns)}${ESC}[K\n`).join("");
    this.#terminal.write(`${this.#back()}${text}${ESC}[J`);
    this.#drawn = shown.length;
  }

  /** Takes what was drawn away, so that the answer stands there instead. */
  clear(): void {
    if (this.#drawn > 0) this.#terminal.write(`${this.#back()}${ESC}[J`);
    this.#drawn = 0;
  }

  #back(): string {
    return this.#drawn === 0 ? "" : `${ESC}[${this.#drawn}A\r`;
  }
}

/** At most so many characters that are seen; colours before the cut are ended. */
export function cutLine(line: string, columns: number): string {
  let seen = 0;
  let kept = "";
  for (const [part] of line.matchAll(PARTS)) {
    if (part.startsWith(ESC)) {
      kept += part;
      continue;
    }
    const characters = [...part];
    if (seen + characters.length > columns) {
      const cut = `${kept}${characters.slice(0, Math.max(columns - seen - 1, 0)).join("")}…`;
      return line.includes(ESC) ? `${cut}${ESC}[0m` : cut;
    }
    seen += characters.length;
    kept += part;
  }
  return kept;
}

/** Colours, and what is between them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one.
const PARTS = /\u001b\[[0-9;]*m|[^\u001b]+/g;
