/**
 * The same place in the documents of two schemas: what the writer's schema says about it, and everything
 * that the reader's could say, whichever of its branches holds.
 */
import { schemasOfProperty } from "./accepts.ts";
import type { Linked } from "./linked-schema.ts";

export interface Place {
  readonly writer: Linked;
  /** Empty where nothing is to be compared. */
  readonly readers: readonly Linked[];
}

/** Nodes of a reader looked at in one place. */
const PIECES_MAX = 60;

/** The nodes of `readers` and of all that they are put together from, also of what they exclude. */
export function piecesOf(readers: readonly Linked[]): readonly Linked[] {
  const pieces = new Set<Linked>();
  const open = [...readers];
  for (let node = open.shift(); node !== undefined && pieces.size < PIECES_MAX; node = open.shift()) {
    if (pieces.has(node)) continue;
    pieces.add(node);
    open.push(...node.allOf, ...node.unions.flatMap((union) => union.branches), ...node.asides);
    if (node.not !== null) open.push(node.not);
  }
  return [...pieces];
}

export function propertyPlace(writer: Linked, pieces: readonly Linked[], name: string): Place {
  return { writer, readers: distinct(pieces.flatMap((piece) => schemasOfProperty(piece, name))) };
}

export function itemPlace(writer: Linked, pieces: readonly Linked[], index: number): Place {
  const readers = pieces.flatMap((piece) => piece.prefixItems[index] ?? piece.items ?? []);
  return { writer, readers: distinct(readers) };
}

function distinct(nodes: readonly Linked[]): readonly Linked[] {
  return nodes.length < 2 ? nodes : [...new Set(nodes)];
}

/** Whether no value here can tell the two sides apart: both say the same in the same words, or readers nothing. */
export function isSettled({ writer, readers }: Place): boolean {
  return readers.every(
    (reader) =>
      reader === writer ||
      (reader.text !== null &&
        (reader.text === writer.text || reader.text === "{}" || reader.text === "true")),
  );
}

/** Whether both places are made of the same nodes. */
export function isSamePlace(one: Place, other: Place): boolean {
  return (
    one.writer === other.writer &&
    one.readers.length === other.readers.length &&
    one.readers.every((reader, index) => reader === other.readers[index])
  );
}
