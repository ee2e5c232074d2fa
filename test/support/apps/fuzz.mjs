/** An app for the fuzzer: contracts with something of everything that a schema can say, handlers that end at once. */
import { defineApp, defineContract, defineJob, openEnum, TerminalJobError } from "sluice/worker";
import { z } from "zod";

const policy = { attempts: 2, timeoutMs: 5_000, backoff: { baseMs: 1, maxMs: 10 } };

function run(job) {
  const { end = "ok" } = job.data;
  if (end === "fail") throw new Error("asked to fail");
  if (end === "never") throw new TerminalJobError("asked to fail for good");
  return end === "nothing" ? undefined : { got: Object.keys(job.data) };
}

const end = z.enum(["ok", "fail", "never", "nothing"]).optional();

function jobOf(type, ...schemas) {
  const versions = schemas.map((schema, index) => ({ version: index + 1, schema }));
  return defineJob(defineContract({ type, queue: "fuzz", policy, versions }), run);
}

const texts = {
  end,
  plain: z.string(),
  short: z.string().min(2).max(5),
  coded: z.string().regex(/^[A-Z]{2}-\d{3,5}$/),
  email: z.email().optional(),
  at: z.iso.datetime({ offset: true }).optional(),
  kind: openEnum(["a", "b"], { fallback: "other" }),
};

export const app = defineApp({
  name: "fuzz",
  jobs: [
    jobOf(
      "fuzz.texts",
      z.looseObject(texts),
      z.looseObject({ ...texts, more: z.string().max(64).optional() }),
    ),
    jobOf(
      "fuzz.numbers",
      z.looseObject({
        end,
        whole: z.int().min(-10).max(10),
        part: z.number().min(0).max(1),
        step: z.number().multipleOf(0.01).optional(),
        flag: z.boolean(),
        none: z.null().optional(),
      }),
    ),
    jobOf(
      "fuzz.tree",
      z.looseObject({
        end,
        list: z.array(z.int()).min(1).max(8),
        pair: z.tuple([z.string(), z.int()]).optional(),
        map: z.record(z.string(), z.number()).optional(),
        inner: z.looseObject({ deeper: z.looseObject({ name: z.string() }).optional() }),
        either: z.union([z.string(), z.int()]).optional(),
        free: z.unknown().optional(),
      }),
    ),
  ],
});
