/** The second on a fleet of which one machine is broken: the second worker fails six orders in ten. */
import { createDemo } from "../take-orders.ts";

export const app = createDemo({ version: 2, faults: { badWorkerFailShare: 0.6 } });
