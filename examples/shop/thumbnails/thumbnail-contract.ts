/**
 * `thumbnail.render`: a small copy of a PNG of the data directory.
 *
 * It keeps a processor busy, so it has a queue of its own: however many pictures wait, receipts are
 * rendered by other workers.
 */
import { defineContract } from "sluice/worker";
import { z } from "zod";

const version1 = {
  version: 1,
  schema: z.looseObject({
    /** Path below the data directory, with forward slashes. */
    source: z.string().min(1).max(255),
    /** Pixels; the height follows from the source's shape. */
    width: z.int().min(1).max(2_048),
  }),
};

export type ThumbnailData = z.output<typeof version1.schema>;

export const thumbnailContract = defineContract({
  type: "thumbnail.render",
  queue: "media",
  policy: { timeoutMs: 60_000, attempts: 3 },
  versions: [version1],
});
