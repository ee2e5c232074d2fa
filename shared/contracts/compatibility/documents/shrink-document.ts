/**
 * A smaller document that still shows the same: parts are taken out or made plainer as long as `shows`
 * says yes. Which way it takes is fixed, so the same start gives the same end.
 */

/** Questions asked at most; a document with many fields would need more, and stays larger. */
const QUESTIONS_MAX = 1_500;

export function shrinkDocument(document: unknown, shows: (smaller: unknown) => boolean): unknown {
  let questions = 0;
  let smallest = document;
  const firstThatShows = (): { readonly value: unknown } | null => {
    for (const value of plainer(smallest)) {
      questions += 1;
      if (questions > QUESTIONS_MAX) return null;
      if (shows(value)) return { value };
    }
    return null;
  };
  for (let next = firstThatShows(); next !== null; next = firstThatShows()) smallest = next.value;
  return smallest;
}

/** Every step takes something out or makes a part of it plainer, so that no walk comes round. */
function* plainer(value: unknown): Iterable<unknown> {
  if (typeof value === "string") yield* plainerText(value);
  else if (typeof value === "number") yield* plainerNumber(value);
  else if (value === true) yield false;
  else if (Array.isArray(value)) yield* plainerArray(value);
  else if (value !== null && typeof value === "object") yield* plainerObject(Object.entries(value));
}

function* plainerText(text: string): Iterable<string> {
  const characters = [...text];
  for (const [from, to] of cuts(characters.length)) {
    yield [...characters.slice(0, from), ...characters.slice(to)].join("");
  }
  if (!/^a*$/.test(text)) yield "a".repeat(characters.length);
}

function* plainerNumber(value: number): Iterable<number> {
  const whole = Math.trunc(value);
  const plainest = [0, 1, 2, 3, 4, 5, Math.trunc(whole / 2), whole, whole - Math.sign(whole), -value];
  for (const plain of new Set(plainest)) if (isPlainer(plain, value)) yield plain;
}

function isPlainer(plain: number, value: number): boolean {
  const [one, other] = [Math.abs(plain), Math.abs(value)];
  return one < other || (one === other && plain > value);
}

function* plainerArray(items: readonly unknown[]): Iterable<unknown[]> {
  for (const [from, to] of cuts(items.length)) yield [...items.slice(0, from), ...items.slice(to)];
  for (let index = 0; index < items.length; index += 1) {
    for (const item of plainer(items[index])) yield items.with(index, item);
  }
}

function* plainerObject(entries: readonly [string, unknown][]): Iterable<object> {
  for (const [from, to] of cuts(entries.length)) {
    yield Object.fromEntries([...entries.slice(0, from), ...entries.slice(to)]);
  }
  for (let index = 0; index < entries.length; index += 1) {
    const [name, value] = entries[index] ?? ["", null];
    for (const simpler of plainer(value)) yield Object.fromEntries(entries.with(index, [name, simpler]));
  }
}

/** Everything, halves, quarters and so on down to single parts. */
function* cuts(count: number): Iterable<readonly [number, number]> {
  for (let size = count; size > 0; size >>= 1) {
    for (let from = 0; from < count; from += size) yield [from, Math.min(from + size, count)];
  }
}
