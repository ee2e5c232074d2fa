/** The BullMQ this process runs; two majors on one queue lose jobs. */
import { createRequire } from "node:module";

const { version } = createRequire(import.meta.url)("bullmq/package.json") as { version: string };

export const bullmqMajor: string = version.split(".")[0] ?? version;
