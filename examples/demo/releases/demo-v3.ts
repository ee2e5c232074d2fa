/** The third: an order has lines. Version 2 is read as version 3. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 3 });
