/**
 * Makes a stranger's text safe to print on a terminal.
 *
 * A job's data, a handler's message or a worker's log line may hold escape sequences that move the
 * cursor, retitle or reprogram a terminal, and bidirectional or invisible characters that make a line
 * read as something else. Each is shown as its code point instead, so nothing is hidden either.
 */

/**
 * C0 and C1 controls and DEL; bidirectional marks, embeddings, overrides and isolates; line and paragraph
 * separators; zero-width and other invisible characters; tags. Newline and tab are in it too: the
 * functions below say what becomes of them.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** For text of several lines: newlines and tabs stay. */
export function neutralise(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" || character === "\t" ? character : shown(character),
  );
}

/** For one line or a table cell: newlines and tabs are shown as code points too. */
export function neutraliseLine(text: string): string {
  return text.replace(UNSAFE, shown);
}

/** JSON text of the same value that is safe to print: what JSON leaves as it is gets escaped as well. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index).toString(16).padStart(4, "0");
      return `\\u${unit}`;
    }).join(""),
  );
}

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
