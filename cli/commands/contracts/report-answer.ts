/** A build's report on its contracts: a tolerant view, so that a build a little newer may say more. */
import { z } from "zod";
import { findingAnswer } from "./finding-answer.ts";

const text = z.string();
const count = z.number();

const verdict = z.enum(["allowed", "breaking", "rejected"]);

const versionAnswer = z.object({
  version: count,
  /** `new`, `unchanged`, `changed`, `not-in-build`, or what a newer build knows. */
  state: text,
  minReaderVersion: count,
  /** `first`, `additive`, `breaking`, `breaking-with-upcaster`, `rejected`; `null` unless it is new. */
  kind: text.nullable(),
  /** The schemas alone would make it additive. */
  raisedByAuthor: z.boolean().default(false),
  findings: z.array(findingAnswer),
  /** What is wrong with its upcaster. */
  upcast: z
    .array(z.object({ code: text, fromVersion: count, message: text, counterexample: z.unknown() }))
    .nullable()
    .default(null),
  samplesRead: count.default(0),
});

const typeAnswer = z.object({
  type: text,
  queue: text,
  state: text,
  verdict,
  findings: z.array(
    z.object({
      code: text,
      severity: text,
      version: count.nullable(),
      path: text.nullable(),
      message: text,
    }),
  ),
  versions: z.array(versionAnswer),
});

export const reportAnswer = z.object({ verdict, types: z.array(typeAnswer) });

export const exportAnswer = z.object({
  documents: z.array(z.unknown()),
  refused: z.array(z.object({ type: text, problems: z.array(text) })),
});

export type ReportAnswer = z.output<typeof reportAnswer>;
export type TypeAnswer = z.output<typeof typeAnswer>;
export type VersionAnswer = z.output<typeof versionAnswer>;
