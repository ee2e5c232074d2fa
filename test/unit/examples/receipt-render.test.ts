import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aContext, aJob, openTemporaryShop, run } from "./temporary-shop.ts";

const dataV1 = { orderId: "A-1001", email: "ada@example.com", amount: 123_450 };
const dataV2 = { orderId: "A-1001", email: "ada@example.com", total: { value: 123_450, currency: "USD" } };

describe("receipt.render", () => {
  it("writes a receipt and says where and how long it is", async () => {
    const shop = await openTemporaryShop();
    const result = await run(shop.receiptRender, dataV2);

    const file = "receipts/receipt+A-1001+shop~abc.txt";
    const text = await readFile(join(shop.outputDir, file), "utf8");
    expect(result).toEqual({ file, bytes: Buffer.byteLength(text) });
    expect(text).toBe(
      [
        "================================================================",
        "                            RECEIPT",
        "================================================================",
        "",
        "Order                                                     A-1001",
        "Sent to                                          ada@example.com",
        "",
        "----------------------------------------------------------------",
        "TOTAL                                               USD 1,234.50",
        "----------------------------------------------------------------",
        "",
        "Thank you for your order.",
        "Reference: shop~abc",
        "",
      ].join("\n"),
    );
  });

  it("writes the same file however often it runs, and leaves no other", async () => {
    const shop = await openTemporaryShop();
    const runs = [1, 2, 3].map(() => run(shop.receiptRender, dataV2));
    const [first, ...others] = await Promise.all(runs);
    for (const other of others) expect(other).toEqual(first);
    expect(await shop.outputFiles()).toEqual(["receipts/receipt+A-1001+shop~abc.txt"]);
  });

  it("writes the same bytes in the first release and, after reading the data up, in the second", async () => {
    const [first, second] = [await openTemporaryShop(), await openTemporaryShop()];
    const results = [await run(first.receiptRenderV1, dataV1), await run(second.receiptRender, dataV2)];
    expect(results[1]).toEqual(results[0]);
    const texts = await Promise.all(
      [first, second].map(async (shop) => {
        const [file = ""] = await shop.outputFiles();
        return readFile(join(shop.outputDir, file), "utf8");
      }),
    );
    expect(texts[1]).toBe(texts[0]);
  });

  it("keeps two jobs of one order apart", async () => {
    const shop = await openTemporaryShop();
    await shop.receiptRender.handler(aJob(dataV2, { jobId: "shop~one" }), aContext());
    await shop.receiptRender.handler(aJob(dataV2, { jobId: "shop~two" }), aContext());
    expect(await shop.outputFiles()).toHaveLength(2);
  });

  it("stays in its directory even when an order id got past the contract", async () => {
    const shop = await openTemporaryShop();
    await run(shop.receiptRender, { ...dataV2, orderId: "../../../escaped" });
    expect(await shop.outputFiles()).toEqual(["receipts/receipt+..%2F..%2F..%2Fescaped+shop~abc.txt"]);
  });

  it("writes nothing once its run must end", async () => {
    const shop = await openTemporaryShop();
    const reason = new Error("the lease was lost");
    await expect(run(shop.receiptRender, dataV2, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await shop.outputFiles()).toEqual([]);
  });
});
