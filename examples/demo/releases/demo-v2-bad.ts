/** The second with a bug: three orders in ten fail whenever it runs them. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 2, faults: { failShare: 0.3 } });
