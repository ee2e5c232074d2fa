/** A receipt as plain text. Pure: the same job gives the same text, run after run. */
import { formatMoney, type Money } from "./minor-units.ts";

export interface Receipt {
  readonly orderId: string;
  readonly email: string;
  readonly total: Money;
  /** The job that made it: what support asks for. */
  readonly reference: string;
}

/** Columns of a line; only an address or a reference that does not fit is longer. */
const WIDTH = 64;

export function receiptText({ orderId, email, total, reference }: Receipt): string {
  const lines = [
    "=".repeat(WIDTH),
    centred("RECEIPT"),
    "=".repeat(WIDTH),
    "",
    entry("Order", orderId),
    entry("Sent to", email),
    "",
    "-".repeat(WIDTH),
    entry("TOTAL", formatMoney(total)),
    "-".repeat(WIDTH),
    "",
    "Thank you for your order.",
    `Reference: ${reference}`,
  ];
  return `${lines.join("\n")}\n`;
}

function centred(text: string): string {
  return " ".repeat(Math.floor((WIDTH - text.length) / 2)) + text;
}

/** The label on the left, the value on the right. */
function entry(label: string, value: string): string {
  return `${label} ${value.padStart(WIDTH - label.length - 1)}`;
}
