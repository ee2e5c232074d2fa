/** The second: what an order costs has a currency. Version 1 is read as version 2. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 2 });
