/** Takes the JSON text of a body and makes it something that is no JSON, or odd JSON. Pure. */
import type { Dice } from "../support/dice.ts";

/** The same object with a name twice, which JSON allows and programs read differently. */
export function withDuplicateKey(text: string, dice: Dice): string {
  const start = text.indexOf("{");
  if (start === -1) return text;
  const names = [...text.matchAll(/"([A-Za-z]+)":/g)].map((match) => String(match[1]));
  const name = names.length === 0 ? "type" : dice.pick(names);
  const value = dice.pick(['"other.type"', "1", "null", "{}", "[]", '"__proto__"']);
  const extra = `"${dice.chance(0.2) ? "__proto__" : name}":${value},`;
  return dice.chance(0.5)
    ? text.slice(0, start + 1) + extra + text.slice(start + 1)
    : text.replace(/\}(?=[^}]*$)/, `,${extra.slice(0, -1)}}`);
}

export function malformed(text: string, dice: Dice): Buffer {
  const cut = dice.below(text.length + 1);
  const ways: readonly (() => Buffer)[] = [
    () => Buffer.from(text.slice(0, cut)),
    () => Buffer.from(text.slice(cut)),
    () => Buffer.from(""),
    () => Buffer.from(" \r\n\t "),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.from(`${text}${text}`),
    () => Buffer.from(`${text},`),
    () => Buffer.from(text.replace(/:/, "=")),
    () => Buffer.from(text.replaceAll('"', "'")),
    () => Buffer.from(`/* comment */${text}`),
    () =>
      Buffer.from(text.replace(/\d+/, () => dice.pick(["NaN", "Infinity", "01", "1.", ".5", "0x10", "+1"]))),
    () =>
      Buffer.concat([
        Buffer.from(text.slice(0, cut)),
        Buffer.from([0xff, 0xfe]),
        Buffer.from(text.slice(cut)),
      ]),
    () => Buffer.concat([Buffer.from(text.slice(0, cut)), Buffer.from([0]), Buffer.from(text.slice(cut))]),
    () => Buffer.from(text, "utf16le"),
    () => Buffer.from(Array.from({ length: 1 + dice.below(200) }, () => dice.below(256))),
    () => Buffer.from("[".repeat(100_000)),
    () =>
      Buffer.from(dice.pick(["undefined", "null", "true", '"text"', "7", "-", "\\", '"\\u12"', "{}", "[]"])),
    () => Buffer.from(`${text}\n`.repeat(1 + dice.below(5))),
  ];
  return dice.pick(ways)();
}
