/** A value for a place, and what is needed to think of some. */
import { accepts } from "./accepts.ts";
import type { Alternative } from "./alternatives.ts";
import type { Linked } from "./linked-schema.ts";
import type { Place } from "./place.ts";

export interface Variant {
  readonly value: unknown;
  /** How many of the reader's schemas for this very place refuse it: 0 to 1. */
  readonly refused: number;
}

/** One way to obey the writer in a place, with what is needed to vary it. */
export interface Scene {
  readonly place: Place;
  readonly pieces: readonly Linked[];
  readonly alternative: Alternative;
  /** Variants of a place inside this one. */
  readonly within: (place: Place) => readonly Variant[];
}

/** `value` with what the readers of the place say to it. */
export function variantOf(value: unknown, { readers }: Place): Variant {
  const refusing = readers.filter((reader) => !accepts(reader, value));
  return { value, refused: refusing.length / Math.max(readers.length, 1) };
}

export function mostRefusedFirst(variants: readonly Variant[]): readonly Variant[] {
  return variants.toSorted((one, other) => other.refused - one.refused);
}
