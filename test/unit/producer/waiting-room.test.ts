/** Whose turn it is among those that wait. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WaitingRoom } from "#producer/waiting-room";
import { PRIORITIES, type Priority } from "#shared/envelope";

const always = () => true;

function roomOf(...entries: readonly (readonly [tenant: string, priority: Priority])[]) {
  const room = new WaitingRoom<string>();
  for (const [index, [tenant, priority]] of entries.entries())
    room.add(`${tenant}${index}`, tenant, priority);
  return room;
}

function allOf(room: WaitingRoom<string>): string[] {
  const taken: string[] = [];
  for (let next = room.next(always); next !== undefined; next = room.next(always)) taken.push(next);
  return taken;
}

describe("those that wait", () => {
  test("have turns by tenant: a quiet one does not wait for all of a noisy one", () => {
    const room = roomOf(["n", "normal"], ["n", "normal"], ["n", "normal"], ["q", "normal"]);
    expect(allOf(room)).toEqual(["n0", "q3", "n1", "n2"]);
  });

  test("of one tenant go by what matters most, and then by who came first", () => {
    const room = roomOf(["a", "low"], ["a", "normal"], ["a", "high"], ["a", "normal"], ["a", "critical"]);
    expect(allOf(room)).toEqual(["a4", "a2", "a1", "a3", "a0"]);
  });

  test("stay when there is no place for their priority, and others of other tenants go", () => {
    const room = roomOf(["a", "low"], ["b", "high"]);
    const isHigh = (_tenant: string, priority: Priority) => priority === "high";
    expect(room.next(isHigh)).toBe("b1");
    expect(room.next(isHigh)).toBeUndefined();
    expect(room.size).toBe(1);
  });

  test("are taken out for having waited too long, at most so many and from the front", () => {
    const room = roomOf(["a", "normal"], ["a", "normal"], ["b", "low"], ["a", "normal"]);
    const isOver = (entry: string) => entry !== "a1";
    expect(room.takeWhere(isOver, 1)).toEqual(["a0"]);
    // `a3` is behind one that may stay.
    expect(room.takeWhere(isOver, 5)).toEqual(["b2"]);
    expect([room.size, room.tenants, room.waitingOf("b"), room.arrivedOf("b")]).toEqual([2, 1, 0, 0]);
  });

  test("are counted from when none of their tenant waited", () => {
    const room = roomOf(["a", "normal"], ["a", "normal"]);
    room.next(always);
    expect([room.arrivedOf("a"), room.waitingOf("a")]).toEqual([2, 1]);
    expect(room.firstOf("a", "normal")).toBe("a1");
    room.next(always);
    room.add("a2", "a", "low");
    expect([room.arrivedOf("a"), room.waitingOf("a")]).toEqual([1, 1]);
  });

  test("are each taken once, in order within their tenant and priority, and tenants differ by one turn at most", () => {
    const entry = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom(...PRIORITIES));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const room = roomOf(...entries);
        const taken = allOf(room);
        expect([...taken].sort()).toEqual(entries.map(([tenant], index) => `${tenant}${index}`).sort());
        const most = Math.max(0, ...["a", "b", "c"].map((it) => entries.filter(([of]) => of === it).length));
        // While every tenant has some left, each `k` rounds give each of them `k` turns.
        for (const tenant of ["a", "b", "c"]) {
          const own = taken.flatMap((it, at) => (it.startsWith(tenant) ? [at] : []));
          for (const [round, at] of own.entries()) expect(at).toBeLessThanOrEqual(3 * round + 2);
        }
        expect(room.size + most).toBe(most);
      }),
    );
  });

  test("are forgotten when they have gone, however many there were", () => {
    const room = new WaitingRoom<number>();
    // Past where the front of a line is cut off.
    for (let n = 0; n < 3_000; n += 1) room.add(n, "a", "normal");
    const taken = Array.from({ length: 3_000 }, () => room.next(always));
    expect(taken).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    expect([room.size, room.tenants]).toEqual([0, 0]);
  });
});
