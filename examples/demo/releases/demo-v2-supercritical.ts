/** The second, with every order enqueuing two more: work grows faster than it is done. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 2, faults: { children: 2 } });
