import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Line, linesOf } from "#producer/ndjson";

async function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let at = 0; from < bytes.length; at += 1) {
    const size = sizes[at % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

async function linesIn(body: AsyncIterable<Uint8Array>, lineBytesMax = 1_000_000): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of linesOf(body, lineBytesMax)) lines.push(...some);
  return lines;
}

function linesOfText(text: string, sizes: readonly number[], lineBytesMax?: number): Promise<Line[]> {
  return linesIn(piecesOf(new TextEncoder().encode(text), sizes), lineBytesMax);
}

const anyLine = fc.string({ unit: fc.constantFrom("a", "ü", "日", "😀", "{", " ", "\t"), maxLength: 12 });
const anyText = fc.array(anyLine, { maxLength: 12 }).map((lines) => lines.join("\n"));
const anySizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

describe("the lines of a body", () => {
  test("are those of the whole text, in whatever pieces it comes", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anySizes, async (text, sizes) => {
        const whole = text
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => line !== "");
        expect(await linesOfText(text, sizes)).toEqual(whole);
      }),
    );
  });

  test("hold a character that came in four pieces", async () => {
    expect(await linesOfText('{"a":"😀"}\n', [1])).toEqual(['{"a":"😀"}']);
  });

  test("end with a newline, a carriage return before it, or the body", async () => {
    expect(await linesOfText("1\r\n2\n\n  \n3", [2])).toEqual(["1", "2", "3"]);
  });

  test("are skipped when they are too long, each by itself", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anySizes, fc.integer({ min: 1, max: 20 }), async (text, sizes, bytesMax) => {
        const expected = text.split("\n").flatMap((line) => {
          if (Buffer.byteLength(line) > bytesMax) return [null];
          return line.trim() === "" ? [] : [line.trim()];
        });
        expect(await linesOfText(text, sizes, bytesMax)).toEqual(expected);
      }),
    );
  });

  test("are measured in bytes: as many as allowed, and one more", async () => {
    // Two bytes each.
    expect(await linesOfText("üü\nüüa\nb", [3], 4)).toEqual(["üü", null, "b"]);
  });

  test("cost no memory when they never end", async () => {
    const piece = Buffer.alloc(64 * 1024, "x");
    const heldMib = () => process.memoryUsage().arrayBuffers / 2 ** 20;
    const beforeMib = heldMib();
    let mostMib = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      // 256 MiB, of which at most 256 KiB may be held.
      for (let n = 0; n < 4_096; n += 1) {
        mostMib = Math.max(mostMib, heldMib() - beforeMib);
        yield n === 0 ? piece : Buffer.from(piece);
      }
    }
    expect(await linesIn(endless(), 256 * 1024)).toEqual([null]);
    // What is not collected yet is the engine's: a quarter of what came is far from it.
    expect(mostMib).toBeLessThan(128);
  });

  test("are asked for one piece at a time", async () => {
    let pulled = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (; pulled < 100; pulled += 1) yield Buffer.from(`${pulled}\n`);
    }
    const lines = linesOf(counted(), 100);
    await lines.next();
    await lines.next();
    expect(pulled).toBeLessThanOrEqual(2);
    await lines.return(undefined);
  });
});
