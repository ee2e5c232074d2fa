/**
 * Blocks of a document that are rendered from the source: between `<!-- rendered: name -->` and
 * `<!-- end: name -->`. What is around them is written by hand.
 *
 * `UPDATE_DOCS=1 npx vitest run test/unit/docs` writes the blocks anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export const ROOT = join(import.meta.dirname, "../../..");

const UPDATE_COMMAND = "UPDATE_DOCS=1 npx vitest run test/unit/docs";

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Holds the blocks of a document to what the source says; each block it has must be named here. */
export function expectRendered(path: string, blocks: Readonly<Record<string, string>>): void {
  const text = readDocument(path);
  const found = [...text.matchAll(/^<!-- rendered: (\S+) -->$/gm)].map((match) => String(match[1]));
  expect(found.toSorted(), `the rendered blocks of ${path}`).toEqual(Object.keys(blocks).toSorted());

  let wanted = text;
  for (const [name, body] of Object.entries(blocks)) wanted = withBlock(wanted, name, body);
  if (process.env.UPDATE_DOCS === "1" && wanted !== text) writeFileSync(join(ROOT, path), wanted);
  else expect(text, `${path} is not what the source says; run: ${UPDATE_COMMAND}`).toBe(wanted);
}

function withBlock(text: string, name: string, body: string): string {
  const [start, end] = [`<!-- rendered: ${name} -->\n`, `<!-- end: ${name} -->`];
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf(end, from);
  expect(to, `the end of the rendered block ${name}`).toBeGreaterThan(from - 1);
  return `${text.slice(0, from)}\n${body.trim()}\n\n${text.slice(to)}`;
}

/** A Markdown table, padded as the formatter pads it. Bars in cells are escaped. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows].map((cells) =>
    cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")),
  );
  const widths = headings.map((_heading, at) => Math.max(3, ...all.map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = all;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** The first column of every table row of a document that is one piece of code. */
export function documentedNames(path: string): readonly string[] {
  return [...readDocument(path).matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => String(match[1]));
}
