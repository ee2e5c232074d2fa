/** The second release: receipts in any currency, which version 1 is read as, and thumbnails. */
import { defineApp } from "sluice/worker";
import { createShop, SHOP_DIRECTORIES } from "../shop.ts";

const shop = createShop(SHOP_DIRECTORIES);

export const app = defineApp({
  name: "shop",
  jobs: [shop.receiptRender, shop.csvSummarise, shop.thumbnailRender],
});
