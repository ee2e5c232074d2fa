import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { PNG } from "pngjs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createShop, SHOP_DIRECTORIES } from "#examples/shop/shop";
import { TerminalJobError } from "#shared/errors";
import { openTemporaryShop, run } from "./temporary-shop.ts";

type Pixel = readonly [red: number, green: number, blue: number, opacity: number];

const BLACK: Pixel = [0, 0, 0, 255];
const WHITE: Pixel = [255, 255, 255, 255];
const BLUE: Pixel = [0, 0, 255, 255];
const UNSEEN_RED: Pixel = [255, 0, 0, 0];

function aPng(rows: readonly (readonly Pixel[])[]): Buffer {
  const png = new PNG({ width: rows[0]?.length ?? 0, height: rows.length });
  png.data.set(rows.flat(2));
  return PNG.sync.write(png);
}

/** The pixels of the thumbnail of `source`, row by row. */
async function shrink(source: Uint8Array, width: number): Promise<number[][][]> {
  const shop = await openTemporaryShop();
  await shop.addFile("source.png", source);
  const { file } = (await run(shop.thumbnailRender, { source: "source.png", width })) as { file: string };
  const png = PNG.sync.read(await readFile(join(shop.outputDir, file)));
  return Array.from({ length: png.height }, (_row, y) =>
    Array.from({ length: png.width }, (_pixel, x) => {
      const at = 4 * (y * png.width + x);
      return [...png.data.subarray(at, at + 4)];
    }),
  );
}

describe("thumbnail.render", () => {
  it("writes a small copy of the picture that comes with the shop", async () => {
    const { outputDir, outputFiles } = await openTemporaryShop();
    const shop = createShop({ dataDir: SHOP_DIRECTORIES.dataDir, outputDir });
    const result = await run(shop.thumbnailRender, { source: "harbour.png", width: 320 });

    const file = "thumbnails/thumbnail+shop~abc.png";
    const bytes = await readFile(join(outputDir, file));
    // 1600 by 1200, so a width of 320 makes a height of 240.
    expect(result).toEqual({ file, bytes: bytes.length, width: 320, height: 240 });
    expect(PNG.sync.read(bytes)).toMatchObject({ width: 320, height: 240 });
    expect(await outputFiles()).toEqual([file]);
  });

  it("averages light and not bytes", async () => {
    const checkers = aPng([
      [BLACK, WHITE],
      [WHITE, BLACK],
    ]);
    // Half the light is the byte 255 * (1.055 * 0.5^(1/2.4) - 0.055) = 187.5.
    expect(await shrink(checkers, 1)).toEqual([[[188, 188, 188, 255]]]);
  });

  it("weighs a pixel by the part of it that is covered", async () => {
    const stripe = aPng([[BLACK, WHITE, BLACK]]);
    // Each half covers one and a half pixels, a third of it white: 255 * (1.055 / 3^(1/2.4) - 0.055) = 156.2.
    expect(await shrink(stripe, 2)).toEqual([
      [
        [156, 156, 156, 255],
        [156, 156, 156, 255],
      ],
    ]);
  });

  it("gives the colour of what is seen, at the mean opacity", async () => {
    expect(await shrink(aPng([[UNSEEN_RED, BLUE]]), 1)).toEqual([[[0, 0, 255, 128]]]);
    expect(await shrink(aPng([[UNSEEN_RED, UNSEEN_RED]]), 1)).toEqual([[[0, 0, 0, 0]]]);
  });

  it("is never wider than its source", async () => {
    expect(await shrink(aPng([[BLACK, BLUE]]), 100)).toEqual([[[...BLACK], [...BLUE]]]);
  });

  it("keeps a picture of one colour that colour, whatever the sizes", async () => {
    const sides = fc.integer({ min: 1, max: 40 });
    const colours = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(sides, sides, sides, colours, async (width, height, wanted, colour) => {
        const rows = Array.from({ length: height }, () => Array.from({ length: width }, () => colour));
        for (const pixel of (await shrink(aPng(rows), wanted)).flat()) expect(pixel).toEqual(colour);
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ["what is not a PNG", () => Buffer.from("GIF89a"), "is not a PNG"],
    ["a PNG that is cut off", () => aPng([[BLACK, WHITE]]).subarray(0, 45), "is a damaged PNG"],
    ["a PNG with a wrong checksum", () => changed(aPng([[BLACK]]), 30), "is a damaged PNG"],
    ["a second header", () => withTwoHeaders(aPng([[BLACK]])), "is a damaged PNG"],
    ["a width of nothing", () => withSize(0, 100), "is a damaged PNG"],
    ["a header that claims 10 gigapixels", () => withSize(100_000, 100_000), "is 100000 by 100000 pixels"],
    ["a picture that is all side", () => withSize(1, 20_000), "is 1 by 20000 pixels"],
    // The last byte of the header's contents: signature 8, length and name 8, contents 13.
    ["an interlaced PNG", () => changed(aPng([[BLACK]]), 28), "is an interlaced PNG"],
  ])("refuses %s for good", async (_what, content, message) => {
    const refused = await shrink(content(), 1).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TerminalJobError);
    expect((refused as Error).message).toContain(`data.source ${message}`);
  });

  it("refuses a source outside the data directory for good", async () => {
    const shop = await openTemporaryShop();
    await shop.addFile("../outside.png", aPng([[BLACK]]));
    const refused = await run(shop.thumbnailRender, { source: "../outside.png", width: 1 }).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(TerminalJobError);
    expect((refused as Error).message).toBe("data.source does not name a file in the data directory");
  });

  it("ends its thread and writes nothing when its run must end", async () => {
    const { outputDir, outputFiles } = await openTemporaryShop();
    const shop = createShop({ dataDir: SHOP_DIRECTORIES.dataDir, outputDir });
    const terminate = vi.spyOn(Worker.prototype, "terminate");
    const listen = vi.spyOn(Worker.prototype, "once");
    onTestFinished(() => void vi.restoreAllMocks());
    const abort = new AbortController();
    const reason = new Error("its time is up");

    const job = { source: "harbour.png", width: 320 };
    const thumbnail = run(shop.thumbnailRender, job, { signal: abort.signal });
    while (listen.mock.calls.length === 0) await nextTurn();
    abort.abort(reason);

    await expect(thumbnail).rejects.toBe(reason);
    expect(terminate).toHaveBeenCalledOnce();
    expect(await outputFiles()).toEqual([]);
  });
});

/** `png` with the lowest bit of one byte changed. */
function changed(png: Buffer, at: number): Buffer {
  png[at] = (png[at] ?? 0) ^ 1;
  return png;
}

/** A PNG whose header claims a size that nothing of it has. */
function withSize(width: number, height: number): Buffer {
  const png = aPng([[BLACK]]);
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  return png;
}

/** The header's chunk is the 25 bytes behind the signature. */
function withTwoHeaders(png: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, 33), png.subarray(8, 33), png.subarray(33)]);
}
