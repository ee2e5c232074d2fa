/**
 * Text at and beside the limits of some schemas: lengths, formats, patterns and listed values. Proposals
 * only; the caller asks which are valid.
 */
import type { Alternative } from "./alternatives.ts";
import { distinct } from "./distinct.ts";
import { examplesOf, ONE_OF_EACH } from "./format-examples.ts";
import type { Linked } from "./linked-schema.ts";
import { charactersBeside, samplesOfPattern } from "./strings-of-pattern.ts";

const PLAIN = ["", "a", "A", "0", "ab", "a b", " ", "é", "😀", "x-1", "true", "null", "1.5", "../a", "\n"];
/** A document has 256 KiB; a longer text could not be sent. */
const LENGTH_MAX = 200_000;
/** A character of two half pairs shows who counts what; not needed in long text. */
const PAIRS_MAX = 1_000;
/** Samples of a pattern that get other characters, and how many. */
const CHANGED_MAX = 4;
const CHARACTERS_MAX = 40;
const PROPOSALS_MAX = 800;

/** `others` are nodes of another schema for the same place, whose limits count as well. */
export function* stringsAround(alternative: Alternative, others: readonly Linked[]): Iterable<string> {
  let left = PROPOSALS_MAX;
  for (const text of distinct(proposals(alternative, others))) {
    if (left === 0) return;
    left -= 1;
    if (text.isWellFormed()) yield text;
  }
}

function* proposals(alternative: Alternative, others: readonly Linked[]): Iterable<string> {
  yield* alternative.parts.flatMap(formatExamples);
  yield* PLAIN;
  const all = [...alternative.parts, ...others];
  const lengths = interestingLengths(all);
  yield* lengths.flatMap(stringsOfLength);
  yield* all.flatMap((part) => part.values.flat()).filter((value) => typeof value === "string");
  yield* others.flatMap(formatExamples);
  const patterns = distinctPatterns(all);
  const samples = patterns.flatMap(samplesOfPattern);
  yield* samples;
  for (const sample of samples) yield* lengths.flatMap((length) => fitted(sample, length));
  yield* samples.flatMap(shorterAndLonger);
  yield* repeatedCharacters(samples, patterns);
  yield* changedCharacters(samples, patterns);
  yield* ONE_OF_EACH;
}

function formatExamples({ format }: Linked): readonly string[] {
  return format === null ? [] : examplesOf(format);
}

function interestingLengths(parts: readonly Linked[]): number[] {
  const limits = parts.flatMap(({ minLength, maxLength }) => [minLength, maxLength]);
  const lengths = limits.flatMap((limit) => [limit - 1, limit, limit + 1]);
  return [...new Set(lengths)].filter((length) => length > 0 && length <= LENGTH_MAX);
}

function stringsOfLength(length: number): string[] {
  return length > PAIRS_MAX ? ["a".repeat(length)] : ["a".repeat(length), "😀".repeat(length)];
}

function distinctPatterns(parts: readonly Linked[]): RegExp[] {
  const patterns = parts.flatMap(({ pattern }) => pattern ?? []);
  return [...new Map(patterns.map((pattern) => [pattern.source, pattern])).values()];
}

/** A sample cut to a length, or filled up by repeating one of its characters. */
function fitted(sample: string, length: number): string[] {
  const characters = [...sample];
  const missing = length - characters.length;
  if (missing <= 0) return [characters.slice(0, length).join("")];
  const middle = characters.length >> 1;
  return [0, middle, characters.length - 1].map((at) => {
    const repeated = (characters[at] ?? "a").repeat(missing);
    return [...characters.slice(0, at), repeated, ...characters.slice(at)].join("");
  });
}

/** A sample with a character taken out or doubled. */
function shorterAndLonger(sample: string): string[] {
  return placesIn(sample).flatMap((at) => [
    sample.slice(0, at) + sample.slice(at + 1),
    sample.slice(0, at + 1) + sample.slice(at),
  ]);
}

/** Samples with a character as often as a counted repetition in a pattern allows, once more and once less. */
function repeatedCharacters(samples: readonly string[], patterns: readonly RegExp[]): string[] {
  const counts = patterns.flatMap(countsOf).flatMap((count) => [count - 2, count - 1, count, count + 1]);
  const sensible = [...new Set(counts)].filter((count) => count > 1 && count <= PAIRS_MAX);
  return samples
    .slice(0, CHANGED_MAX)
    .flatMap((sample) =>
      placesIn(sample).flatMap((at) =>
        sensible.map((count) => sample.slice(0, at) + sample.charAt(at).repeat(count) + sample.slice(at + 1)),
      ),
    );
}

/** The numbers in `{2,5}`. */
function countsOf({ source }: RegExp): number[] {
  return [...source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].flatMap(([, least, most]) => [
    Number(least),
    Number(most || least),
  ]);
}

/** Samples with a character replaced by one that the patterns treat differently. */
function changedCharacters(samples: readonly string[], patterns: readonly RegExp[]): string[] {
  const characters = patterns.flatMap(charactersBeside).slice(0, CHARACTERS_MAX);
  return samples
    .slice(0, CHANGED_MAX)
    .flatMap((sample) =>
      placesIn(sample).flatMap((at) =>
        characters.map((character) => sample.slice(0, at) + character + sample.slice(at + 1)),
      ),
    );
}

/** First, middle and last. */
function placesIn({ length }: string): number[] {
  return [...new Set([0, length >> 1, length - 1])].filter((at) => at >= 0);
}
