/**
 * Text that a regular expression matches, and text beside it.
 *
 * fast-check makes the text. It knows no look-around and no word boundaries: those are cut out and what
 * comes of the rest is only a proposal, as everything here.
 */
import fc from "fast-check";

interface Texts {
  readonly random: fc.Arbitrary<string>;
  readonly samples: readonly string[];
}

/** Some patterns cost 100 ms to understand (`\p{L}`), and searches ask for the same ones. */
const known = new Map<string, Texts | null>();
const KNOWN_MAX = 500;
const SAMPLES = 16;

/** `null` when nothing of it can be turned into text. */
export function stringsOfPattern(pattern: RegExp): fc.Arbitrary<string> | null {
  return textsOf(pattern)?.random ?? null;
}

/** The same ones at every call. */
export function samplesOfPattern(pattern: RegExp): readonly string[] {
  return textsOf(pattern)?.samples ?? [];
}

function textsOf(pattern: RegExp): Texts | null {
  const before = known.get(pattern.source);
  if (before !== undefined) return before;
  if (known.size >= KNOWN_MAX) known.clear();
  const random = matching(pattern.source) ?? matching(withoutAssertions(pattern.source));
  const texts = random && { random, samples: fc.sample(random, { numRuns: SAMPLES, seed: 1 }) };
  known.set(pattern.source, texts);
  return texts;
}

function matching(source: string): fc.Arbitrary<string> | null {
  try {
    return fc.stringMatching(new RegExp(source, "u"), { size: "xsmall" });
  } catch {
    return null;
  }
}

/** Without look-around, whose parts may hold one more level of brackets, and without word boundaries. */
function withoutAssertions(source: string): string {
  return source.replaceAll(/\(\?<?[=!](?:[^()\\[]|\\.|\[(?:[^\]\\]|\\.)*\]|\([^()]*\))*\)|\\[bB]/gu, "");
}

/** Characters that tell similar patterns apart: those they name, and the ones on either side. */
export function charactersBeside(pattern: RegExp): string[] {
  const named = [...pattern.source.replaceAll(/\\[pP]\{[^}]*\}|\\./gu, "")].filter(
    (character) => !"()[]{}|?*+^$,:<>=!".includes(character),
  );
  const beside = named.flatMap((character) => {
    const point = character.codePointAt(0) ?? 0;
    return [point - 1, point, point + 1];
  });
  return [...new Set(beside)].filter(isCharacter).map((point) => String.fromCodePoint(point));
}

function isCharacter(point: number): boolean {
  return point >= 0x20 && point <= 0x10_ffff && !(point >= 0xd800 && point <= 0xdfff);
}
