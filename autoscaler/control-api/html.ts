/**
 * HTML that escapes by default: `html` is the only way to make markup, and whatever is put into it
 * is text unless it was made by `html` too.
 *
 * Names, reasons and sentences come from workers and files, so every one of them is hostile. Values
 * are safe in an element and in a quoted attribute; nowhere else (no URLs' schemes, no script, no style).
 */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Control characters, and those that turn the direction of the text around them. */
const DECEPTIVE = /(?![\t\n])[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Markup that is safe to send. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** The tagged template; `html` below is its name in use. */
  static of(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
    return new Html(parts.reduce((markup, part, index) => markup + markupOf(values[index - 1]) + part));
  }

  toString(): string {
    return this.#markup;
  }
}

/** `null` and `undefined` give nothing, a list gives its items one after the other. */
export type HtmlValue = Html | string | number | null | undefined | readonly HtmlValue[];

export const html = Html.of;

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(markupOf).join("");
  return escaped(String(value));
}

function escaped(text: string): string {
  return text.replace(DECEPTIVE, "\uFFFD").replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? "");
}
