/** Contracts give the types: what a contract does not have does not compile. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { EnqueuedJob, Job, JobResult, JobSummary, SluiceClient, Written } from "#producer/client/index";
import type { batchResultSchema, jobItemSchema, jobResultSchema } from "#producer/operations/job-answers";
import type { JobView } from "#shared/redis/job-lookup";
import { data, receipt } from "./receipt.ts";

/** Never called: it is there to be compiled. */
const typed = (client: SluiceClient): readonly unknown[] => {
  return [
    client.enqueue(receipt, data),
    client.enqueue(receipt, { ...data, tags: ["a"], labels: { any: "name" } }),
    // @ts-expect-error a required field is missing
    client.enqueue(receipt, { orderId: "o-1" }),
    // @ts-expect-error a field has another type
    client.enqueue(receipt, { ...data, orderId: 1 }),
    // @ts-expect-error a field is misspelt
    client.enqueue(receipt, { ...data, tagz: ["a"] }),
    // @ts-expect-error a nested field is misspelt
    client.enqueue(receipt, { orderId: "o-1", total: { value: 1, currency: "USD", curency: "USD" } }),
    // @ts-expect-error data of the version before
    client.enqueue(receipt, { orderId: "o-1", amount: 5 }),
    // @ts-expect-error a map of texts holds texts
    client.enqueue(receipt, { ...data, labels: { any: 1 } }),
    // @ts-expect-error there is no such priority
    client.enqueue(receipt, data, { priority: "urgent" }),
    // @ts-expect-error there is no such option
    client.enqueue(receipt, data, { delay: 1 }),
    client.enqueueMany(receipt, [{ data, id: "o-1" }]),
    // @ts-expect-error data of an item is the contract's
    client.enqueueMany(receipt, [{ data: { orderId: 1 } }]),
    // @ts-expect-error a key speaks of one job
    client.enqueueMany(receipt, [{ data, idempotencyKey: "k" }]),
    client.stream(receipt, [{ data }]),
    // @ts-expect-error data of an item is the contract's
    client.stream(receipt, [{ data: {} }]),
  ];
};

test("data that is not the contract's does not compile", () => {
  expectTypeOf(typed).toBeFunction();
});

test("what is written has the declared fields alone, at every depth", () => {
  interface Reader {
    readonly [other: string]: unknown;
    readonly id: string;
    readonly lines?: { readonly [other: string]: unknown; readonly sku: string }[] | undefined;
    readonly map: Record<string, number>;
    readonly free: Record<string, unknown>;
    readonly pair: [string, number];
    readonly either: { readonly [other: string]: unknown; readonly a: 1 } | null;
  }
  interface Writer {
    readonly id: string;
    readonly lines?: readonly { readonly sku: string }[] | undefined;
    readonly map: { readonly [name: string]: number };
    readonly free: { readonly [name: string]: unknown };
    readonly pair: readonly [string, number];
    readonly either: { readonly a: 1 } | null;
  }
  expectTypeOf<Written<Reader>>().toExtend<Writer>();
  expectTypeOf<Writer>().toExtend<Written<Reader>>();
  expectTypeOf<keyof Written<Reader>>().toEqualTypeOf<keyof Writer>();
  expectTypeOf<keyof NonNullable<Written<Reader>["lines"]>[number]>().toEqualTypeOf<"sku">();
  expectTypeOf<keyof NonNullable<Written<Reader>["either"]>>().toEqualTypeOf<"a">();
});

test("what the client says of jobs is what the API says", () => {
  expectTypeOf<Job>().branded.toEqualTypeOf<JobView>();
  expectTypeOf<JobSummary>().toExtend<z.output<typeof jobItemSchema>>();
  expectTypeOf<z.output<typeof jobItemSchema>>().toExtend<JobSummary>();
  expectTypeOf<z.output<typeof jobResultSchema>>().toExtend<JobResult>();
  type BatchOutcome = z.output<typeof batchResultSchema>["outcome"];
  expectTypeOf<EnqueuedJob["outcome"]>().toEqualTypeOf<Exclude<BatchOutcome, "refused" | "unknown">>();
});

test("the client is made of itself, the clock, and types: no server and no package comes with it", () => {
  const { files, packages } = partsOf(join(ROOT, "producer/client/index.ts"));
  const outside = files.map((it) => relative(ROOT, it)).filter((it) => !it.startsWith("producer/client/"));
  expect(outside.toSorted()).toEqual(["shared/pure/full-jitter.ts", "shared/system-clock.ts"]);
  expect(packages.toSorted()).toEqual(["node:crypto", "node:perf_hooks"]);
});

const ROOT = join(import.meta.dirname, "../../..");

/** Everything that is loaded with a file. */
function partsOf(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  // A set hands out what is added while it is walked.
  for (const path of files) {
    for (const from of importsOf(readFileSync(path, "utf8"))) {
      if (from.startsWith(".")) files.add(join(dirname(path), from));
      else if (from.startsWith("#")) files.add(join(ROOT, `${from.slice(1)}.ts`));
      else packages.add(from);
    }
  }
  return { files: [...files], packages: [...packages] };
}

/** What is imported for more than its types. */
function importsOf(text: string): readonly string[] {
  const statements = text.matchAll(/^(?:import|export)(?! type)\b(?:[^"';]*?from )?\s*"([^"]+)";/gm);
  return [...statements].map((match) => String(match[1]));
}
