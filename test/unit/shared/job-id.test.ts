import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JobIdParts, jobIdOf, queueOfJobId } from "#shared/job-id";

/** RFC 4648 by its text: the bits in a row, cut in fives, the last five filled up with zeros. */
function naiveBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => "abcdefghijklmnopqrstuvwxyz234567".charAt(Number.parseInt(five.padEnd(5, "0"), 2)))
    .join("");
}

function naiveJobId({ queue, tenant, source, id }: JobIdParts): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([tenant, source, id]))
    .digest();
  return `${queue}~${naiveBase32(digest)}`;
}

const parts: JobIdParts = { queue: "shop", tenant: "default", source: "/anonymous", id: "order-1" };

const anyParts = fc.record({
  queue: fc.stringMatching(/^[a-z][a-z0-9-]{0,63}$/),
  tenant: fc.string(),
  source: fc.string({ unit: "binary" }),
  id: fc.string({ unit: "grapheme" }),
});

describe("jobIdOf", () => {
  test("is the queue and the base32 of a sha256", () => {
    // printf '%s' '["default","/anonymous","order-1"]' | sha256sum | xxd -r -p | base32, in lower case, without "=".
    expect(jobIdOf(parts)).toBe("shop~blafndsrfxkwocy6kdgl572ofxr7mrywq2yy4xitc6w5ekbdzmyq");
  });

  test("keeps its value for text beyond ASCII", () => {
    // printf '%s' '["t","urn:ü","日本 🎌"]' through the same commands.
    expect(jobIdOf({ queue: "q-1", tenant: "t", source: "urn:ü", id: "日本 🎌" })).toBe(
      "q-1~a47xhgm2rxwnqg7sayleusrcjfltr5ejcvpb6vylb6dfb4modxla",
    );
  });

  test("equals sha256 and a base32 written another way", () => {
    fc.assert(fc.property(anyParts, (any) => jobIdOf(any) === naiveJobId(any)));
  });

  test("is the same for the same job", () => {
    expect(jobIdOf({ ...parts })).toBe(jobIdOf(parts));
  });

  test.each([
    ["a letter moves from the source to the id", { source: "a", id: "bc" }, { source: "ab", id: "c" }],
    ["a quote and a comma are part of a name", { source: 'a","b', id: "c" }, { source: "a", id: 'b","c' }],
    ["one is empty", { source: "", id: "x" }, { source: "x", id: "" }],
    ["a backslash stands before a quote", { source: "\\", id: '"' }, { source: '\\"', id: "" }],
    ["two different halves of a surrogate pair", { id: "\ud800" }, { id: "\ud801" }],
    ["a half surrogate and what stands in for it", { id: "\ud800" }, { id: "\ufffd" }],
    ["capital and small letters", { id: "A" }, { id: "a" }],
    ["composed and combined letters", { id: "\u00e9" }, { id: "e\u0301" }],
  ])("differs when %s", (_what, one, other) => {
    expect(jobIdOf({ ...parts, ...one })).not.toBe(jobIdOf({ ...parts, ...other }));
  });

  test("differs for any two different triples, wherever the boundaries are", () => {
    const few = fc.string({ unit: fc.constantFrom("a", "b", '"', ",", "[", "\\"), maxLength: 4 });
    const triple = fc.record({ tenant: few, source: few, id: few });
    fc.assert(
      fc.property(triple, triple, (one, other) => {
        const same = one.tenant === other.tenant && one.source === other.source && one.id === other.id;
        return same === (jobIdOf({ ...parts, ...one }) === jobIdOf({ ...parts, ...other }));
      }),
      { numRuns: 1_000 },
    );
  });

  test("never holds a colon and is never digits only, which BullMQ refuses", () => {
    fc.assert(fc.property(anyParts, (any) => !/:|^\d+$/.test(jobIdOf(any))));
  });
});

describe("queueOfJobId", () => {
  test("gives back the queue of every job id", () => {
    fc.assert(fc.property(anyParts, (any) => queueOfJobId(jobIdOf(any)) === any.queue));
  });

  const hash = "a".repeat(52);
  test.each([
    ["nothing", ""],
    ["no hash", "shop~"],
    ["no queue", `~${hash}`],
    ["a short hash", `shop~${"a".repeat(51)}`],
    ["a long hash", `shop~${"a".repeat(53)}`],
    ["a letter outside base32", `shop~${"1".repeat(52)}`],
    ["capitals", `shop~${hash.toUpperCase()}`],
    ["a queue's name that is none", `Shop~${hash}`],
    ["a queue's name of 65 letters", `${"q".repeat(65)}~${hash}`],
    ["a lane's name", `shop.r1~${hash}`],
    ["a line after it", `shop~${hash}\n`],
    ["a path before it", `../shop~${hash}`],
  ])("gives null for a text with %s", (_what, text) => {
    expect(queueOfJobId(text)).toBeNull();
  });
});
