/** Arrays at the limits of their length, and short ones with one item replaced. */
import { itemPlace } from "./place.ts";
import { type Scene, type Variant, variantOf } from "./variant.ts";
import { ITEMS_MAX, smallestBeside, smallestOf, smallestWay } from "./whole-documents.ts";

/** A document has 256 KiB. */
const BYTES_MAX = 200_000;
/** Positions varied of one array. */
const POSITIONS_MAX = 12;

export function arrayVariants(scene: Scene): readonly Variant[] {
  const smallest = smallestWay(scene.place.writer, scene.alternative, "array");
  if (smallest === null) return [];
  const base = smallest.value as readonly unknown[];
  const lengths = lengthsOf(scene);
  return [
    ...lengths.map((length) => variantOf(ofLength(base, length, scene), scene.place)),
    ...positionsOf(scene).flatMap((position) => withAnotherItem(base, position, scene)),
  ];
}

function lengthsOf({ alternative, pieces }: Scene): number[] {
  const min = Math.max(
    alternative.most((part) => part.minItems),
    0,
  );
  const max = alternative.least((part) => part.maxItems);
  const prefixes = [alternative.prefixLength(), ...pieces.map((piece) => piece.prefixItems.length)];
  const limits = pieces.flatMap((piece) => [piece.minItems - 1, piece.maxItems + 1]);
  const lengths = new Set([min, 0, 1, 2, max, ...prefixes, ...prefixes.map((it) => it + 1), ...limits]);
  return [...lengths].filter((length) => length >= min && length <= Math.min(max, ITEMS_MAX));
}

/** `base` cut or filled up; shorter than wanted where no further item is possible. */
function ofLength(base: readonly unknown[], length: number, scene: Scene): unknown[] {
  const items = base.slice(0, length);
  const isUnique = scene.alternative.parts.some((part) => part.uniqueItems);
  let bytes = 0;
  while (items.length < length && bytes < BYTES_MAX) {
    const schema = scene.alternative.item(items.length);
    const found = isUnique ? smallestBeside(items, schema) : smallestOf(schema);
    if (found === null) break;
    bytes += JSON.stringify(found.value).length;
    items.push(found.value);
  }
  return items;
}

function positionsOf({ alternative, pieces }: Scene): number[] {
  const prefixes = [alternative.prefixLength(), ...pieces.map((piece) => piece.prefixItems.length)];
  const count = Math.min(Math.max(...prefixes) + 1, POSITIONS_MAX);
  return Array.from({ length: count }, (_, position) => position);
}

function withAnotherItem(base: readonly unknown[], position: number, scene: Scene): Variant[] {
  const schema = scene.alternative.item(position);
  if (schema.never || position >= scene.alternative.least((part) => part.maxItems)) return [];
  const before = ofLength(base, Math.max(position, base.length), scene);
  if (before.length < position) return [];
  return scene.within(itemPlace(schema, scene.pieces, position)).map(({ value, refused }) => {
    const items = [...before];
    items[position] = value;
    return { value: items, refused };
  });
}
