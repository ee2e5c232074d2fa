/** The first release: receipts in US dollars, and summaries. */
import { defineApp } from "sluice/worker";
import { createShop, SHOP_DIRECTORIES } from "../shop.ts";

const shop = createShop(SHOP_DIRECTORIES);

export const app = defineApp({
  name: "shop",
  jobs: [shop.receiptRenderV1, shop.csvSummarise],
});
