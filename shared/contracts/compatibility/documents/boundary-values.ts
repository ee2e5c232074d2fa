/**
 * Values for one place, each at a limit of the writer's schema or just past one of the reader's: the writer
 * accepts them, as far as this can be said of a part, and a reader that differs is likely to refuse one.
 *
 * Objects and arrays change in one place at a time: a small value with one part replaced. What only two
 * changes together bring to light is left to random documents (`random-documents.ts`).
 */
import { accepts } from "./accepts.ts";
import { type Alternative, alternativesOf, typesOf } from "./alternatives.ts";
import { arrayVariants } from "./array-variants.ts";
import type { JsonType, Linked } from "./linked-schema.ts";
import { numbersAround } from "./number-values.ts";
import { objectVariants } from "./object-variants.ts";
import { isSettled, type Place, piecesOf } from "./place.ts";
import { stringsAround } from "./string-values.ts";
import { mostRefusedFirst, type Scene, type Variant, variantOf } from "./variant.ts";

/** Values without parts that are kept of one place. */
const PLAIN_MAX = 40;
/** Values of one place and all inside it. */
const VARIANTS_MAX = 30_000;
/** Steps into values; documents nest 32 deep at most, and differences seldom hide that deep. */
const DEPTH_MAX = 10;
/** A recursive schema is entered this often on one path. */
const ENTERED_MAX = 2;

interface Walk {
  /** Writer's schemas that the place is inside of, outermost first. */
  readonly path: readonly Linked[];
  /** Values that may still be made, all places together. */
  readonly budget: { left: number };
}

/** The likeliest to be refused first. Empty where no value can tell the two sides apart. */
export function boundaryValues(place: Place, most: number = VARIANTS_MAX): readonly Variant[] {
  return variantsAt(place, { path: [], budget: { left: Math.min(most, VARIANTS_MAX) } });
}

/** Those that are no object and no array. */
export function plainBoundaryValues(place: Place): readonly Variant[] {
  if (isSettled(place)) return [];
  const pieces = piecesOf(place.readers);
  return mostRefusedFirst(alternativesOf(place.writer).flatMap((it) => plainVariants(it, place, pieces)));
}

function variantsAt(place: Place, { path, budget }: Walk): readonly Variant[] {
  const { writer } = place;
  if (isSettled(place) || path.length >= DEPTH_MAX || budget.left <= 0) return [];
  if (path.filter((entered) => entered === writer).length >= ENTERED_MAX) return [];
  const pieces = piecesOf(place.readers);
  const within = (inner: Place) => variantsAt(inner, { path: [...path, writer], budget });
  const variants = alternativesOf(writer).flatMap((alternative) => {
    const scene: Scene = { place, pieces, alternative, within };
    return [...plainVariants(alternative, place, pieces), ...partedVariants(scene)];
  });
  budget.left -= variants.length;
  return mostRefusedFirst(variants);
}

function partedVariants(scene: Scene): readonly Variant[] {
  if (scene.alternative.values !== null) return [];
  const types = typesOf(scene.alternative);
  return [
    ...(types.includes("object") ? objectVariants(scene) : []),
    ...(types.includes("array") ? arrayVariants(scene) : []),
  ];
}

function plainVariants(
  alternative: Alternative,
  place: Place,
  pieces: readonly Linked[],
): readonly Variant[] {
  const values =
    alternative.values ?? typesOf(alternative).flatMap((type) => plainValues(type, alternative, pieces));
  const accepted = values.filter((value) => accepts(place.writer, value));
  const variants = mostRefusedFirst(accepted.map((value) => variantOf(value, place)));
  return alternative.values === null ? variants.slice(0, PLAIN_MAX) : variants;
}

function plainValues(type: JsonType, alternative: Alternative, pieces: readonly Linked[]): unknown[] {
  switch (type) {
    case "null":
      return [null];
    case "boolean":
      return [false, true];
    case "number":
      return [...numbersAround(alternative, pieces)];
    case "integer":
      return typesOf(alternative).includes("number") ? [] : [...numbersAround(alternative, pieces)];
    case "string":
      return [...stringsAround(alternative, pieces)];
    case "array":
    case "object":
      return [];
  }
}
