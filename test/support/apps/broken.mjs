/** An app with more than one thing wrong: all of them must be told at once. */
import { defineContract } from "sluice/worker";
import { z } from "zod";

const contract = defineContract({
  type: "broken.task",
  queue: "broken",
  versions: [
    { version: 1, minReaderVersion: 1, schema: z.looseObject({ n: z.coerce.number() }) },
    { version: 3, minReaderVersion: 2, schema: z.object({ n: z.number().refine((n) => n > 1) }) },
  ],
});

export const app = {
  name: "broken",
  jobs: [
    { contract, handler: "not a function" },
    { contract, handler: () => 1 },
  ],
};
