/**
 * The reader's rules for arrays against what a case may hold.
 */
import { type ArrayLayer, type ArrayShape, itemAt, layerOf, tupleLength } from "./array-shape.ts";
import type { Case } from "./case.ts";
import { countOf, keywordOf } from "./keywords.ts";
import { partOf } from "./narrow.ts";
import { complain, type Proof, type Scope } from "./proof.ts";
import { impliesByWords } from "./same-schema.ts";
import type { Atom } from "./schema-atom.ts";

type Shaped = readonly [Case & { readonly shape: ArrayShape }, Atom];

export function checkArray(pair: Shaped, scope: Scope): void {
  checkItemCounts(pair, scope);
  const layer = layerOf(pair[1]) ?? { prefix: [], rest: null };
  checkItems(pair, withUnevaluated(layer, pair[1]), scope);
  checkUnique(pair, scope);
  checkContains(pair, scope);
}

/** `unevaluatedItems` spares what other schemas evaluate; not sparing it only refuses more. */
function withUnevaluated(layer: ArrayLayer, reader: Atom): ArrayLayer {
  return layer.rest === null ? { ...layer, rest: partOf(reader, "unevaluatedItems") } : layer;
}

function checkItemCounts([piece, reader]: Shaped, scope: Scope): void {
  const min = countOf(reader.schema, "minItems") ?? 0;
  const max = countOf(reader.schema, "maxItems") ?? Number.POSITIVE_INFINITY;
  const { shape } = piece;
  if (shape.minItems < min) {
    complain(scope, [piece, reader], {
      code: "ITEMS_NARROWED",
      keyword: "minItems",
      message: `The writer may send ${items(shape.minItems)}; the reader refuses fewer than ${min}.`,
    });
  }
  if (shape.maxItems > max && itemsMax(shape, scope.proof) > max) {
    const most = Number.isFinite(shape.maxItems) ? items(shape.maxItems) : "any number of items";
    complain(scope, [piece, reader], {
      code: "ITEMS_NARROWED",
      keyword: "maxItems",
      message: `The writer may send ${most}; the reader refuses more than ${max}.`,
    });
  }
}

function items(count: number): string {
  return `${count} ${count === 1 ? "item" : "items"}`;
}

/** The longest an array can be: it ends before the first item that nothing can be. */
function itemsMax(shape: ArrayShape, proof: Proof): number {
  const distinct = tupleLength(shape) + 1;
  for (let index = 0; index < Math.min(distinct, shape.maxItems); index += 1) {
    if (proof.isNever(itemAt(shape, index))) return index;
  }
  return shape.maxItems;
}

function checkItems([piece]: Shaped, { prefix, rest }: ArrayLayer, scope: Scope): void {
  const { shape } = piece;
  const tuple = Math.max(prefix.length, tupleLength(shape));
  const last = Math.min(tuple, shape.maxItems - 1);
  for (let index = 0; index <= last && !scope.findings.isFull; index += 1) {
    const target = prefix[index] ?? rest;
    // Items behind both tuples are alike, so the first of them speaks for all.
    if (target !== null) checkItem([piece, target], index === tuple ? null : index, scope);
  }
}

/** @param index `null` for every item behind the tuples */
function checkItem([piece, target]: Shaped, index: number | null, scope: Scope): void {
  const { shape, from } = piece;
  const at = index ?? Math.max(tupleLength(shape), 0);
  const item = itemAt(shape, at);
  const writer = item.length > 0 ? item : [anythingAt(from, target)];
  const refused = scope.proof.refusedPart(writer, target, scope.findings.room);
  if (refused.length === 0) return;
  const path = `/${index ?? "*"}`;
  if (target.schema !== false) {
    scope.findings.add(refused, path);
    return;
  }
  complain(scope, [piece, target], {
    code: "ITEMS_NARROWED",
    message: `The writer may send an item at ${index ?? "any place"}, where the reader's array has ended.`,
    path,
  });
}

/** What a writer that says nothing of a part may send, placed where it says nothing. */
export function anythingAt(from: readonly Atom[], fallback: Atom): Atom {
  const origin = from.findLast(({ schema, shown }) => schema === shown) ?? from.at(-1) ?? fallback;
  return origin.document.derive(true, origin);
}

function checkUnique([piece, reader]: Shaped, scope: Scope): void {
  if (keywordOf(reader.schema, "uniqueItems") !== true) return;
  if (piece.shape.isUnique || itemsMax(piece.shape, scope.proof) <= 1) return;
  complain(scope, [piece, reader], {
    code: "ITEMS_NARROWED",
    keyword: "uniqueItems",
    message: "The writer may send equal items; the reader requires them to be unique.",
  });
}

function checkContains([piece, reader]: Shaped, scope: Scope): void {
  const contained = partOf(reader, "contains");
  if (contained === null) return;
  const least = countOf(reader.schema, "minContains") ?? 1;
  // A validator that does not know `minContains` still wants one.
  const min = reader.document.dialect === "new" ? least : Math.max(least, 1);
  const max = countOf(reader.schema, "maxContains") ?? Number.POSITIVE_INFINITY;
  if (min > 0 && !hasAtLeast(piece, contained, { min, proof: scope.proof })) {
    complain(scope, [piece, reader], {
      code: "ITEMS_NARROWED",
      keyword: "contains",
      message: `The writer may send arrays without ${min} of the items that the reader requires.`,
    });
  }
  const isAtMost =
    itemsMax(piece.shape, scope.proof) <= max ||
    piece.shape.contains.some((rule) => rule.max <= max && impliesByWords(contained, rule.schema));
  if (isAtMost) return;
  complain(scope, [piece, reader], {
    code: "ITEMS_NARROWED",
    keyword: "maxContains",
    message: `The writer may send more than the ${max} items of a kind that the reader allows.`,
  });
}

function hasAtLeast(
  { shape }: Shaped[0],
  contained: Atom,
  { min, proof }: { readonly min: number; readonly proof: Proof },
): boolean {
  const isIn = (writer: readonly Atom[]) => proof.refusedPart(writer, contained, 1).length === 0;
  if (shape.contains.some((rule) => rule.min >= min && isIn([rule.schema]))) return true;
  if (shape.minItems < min) return false;
  const tuple = tupleLength(shape);
  let found = Math.max(0, shape.minItems - tuple);
  if (found > 0 && !isIn(itemAt(shape, tuple))) found = 0;
  for (let index = 0; index < Math.min(tuple, shape.minItems) && found < min; index += 1) {
    if (isIn(itemAt(shape, index))) found += 1;
  }
  return found >= min;
}
