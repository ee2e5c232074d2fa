/** What speaks against a change, as a build reports it: a tolerant view, so that a newer build may say more. */
import { z } from "zod";

const text = z.string();

const side = z.object({
  /** JSON pointer into that side's schema. */
  pointer: text,
  fragment: z.unknown(),
});

export const findingAnswer = z.object({
  /** `backward`: the new reader and older data; `forward`: an older reader and new data. */
  direction: text,
  againstVersion: z.number(),
  /** Where in the data; "" is the document, "*" every item. */
  path: text,
  code: text,
  message: text,
  writer: side,
  reader: side,
  /** Both readers take the same data and do different things with it. */
  behavioural: z.boolean().default(false),
  /** No document was found that shows it. */
  conservative: z.boolean().default(false),
  /** Data that the writer may send and the reader refuses. */
  counterexample: z.object({ document: z.unknown(), rejectedBecause: text }).nullable().default(null),
});

export type FindingAnswer = z.output<typeof findingAnswer>;
