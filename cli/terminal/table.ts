/** A table of text: columns as wide as their widest cell, numbers to the right, nothing wrapped. */
import { neutraliseLine } from "./neutralise.ts";

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** Its cells are never cut: what is in them is to be copied. */
  readonly isWhole?: true;
}

export const left = (title: string): Column => ({ title, align: "left" });
export const right = (title: string): Column => ({ title, align: "right" });

export const whole = (title: string): Column => ({ title, align: "left", isWhole: true });

/** Cells longer than this are cut with an ellipsis. */
const CELL_CHARS_MAX = 60;

/** Lines without a newline at the end; the first holds the titles. Cells are neutralised. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map((column) => column.title);
  const cells = [
    titles,
    ...rows.map((row) => columns.map((_, index) => cellOf(row[index] ?? "", columns[index]))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => charsOf(row[index] ?? ""))));
  return cells.map((row) =>
    columns
      .map(({ align }, index) => pad(row[index] ?? "", widths[index] ?? 0, align))
      .join("  ")
      .trimEnd(),
  );
}

function cellOf(text: string, column: Column | undefined): string {
  const safe = neutraliseLine(text);
  if (column?.isWhole === true) return safe;
  const characters = [...safe];
  return characters.length <= CELL_CHARS_MAX ? safe : `${characters.slice(0, CELL_CHARS_MAX - 1).join("")}…`;
}

function pad(text: string, width: number, align: Column["align"]): string {
  const space = " ".repeat(Math.max(0, width - charsOf(text)));
  return align === "right" ? space + text : text + space;
}

function charsOf(text: string): number {
  return [...text].length;
}
