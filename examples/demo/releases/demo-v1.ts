/** The first release. An order that asks for it never ends here. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 1, faults: { endless: true } });
