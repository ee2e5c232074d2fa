/** The second, three times as slow. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 2, faults: { workFactor: 3 } });
