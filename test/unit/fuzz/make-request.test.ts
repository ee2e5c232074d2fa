import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JOB_API } from "#producer/operations/api";
import { openApiDocument } from "#shared/http/openapi-document";
import { DocumentChecks } from "#test/fuzz/document-checks";
import { FUZZ_CLASSES, type FuzzRequest } from "#test/fuzz/fuzz-request";
import { type Making, makeRequest } from "#test/fuzz/make-request";
import { planOf } from "#test/fuzz/operation-plan";
import { WordPool } from "#test/fuzz/word-pool";

const document = openApiDocument(
  JOB_API,
  Object.entries(JOB_API.operations).map(([name, operation]) => {
    const [method = "", path = ""] = name.split(" ");
    return { method, path, operation };
  }),
  "0.0.0",
);
const plan = planOf(document);

function making(seed: number): Making {
  const words = new WordPool();
  words.add("id", `shop~${"a".repeat(52)}`);
  words.learnTypes({
    types: [
      {
        type: "receipt.render",
        versions: [{ schemaversion: 1, accepted: true, schema: { type: "object", properties: {} } }],
      },
    ],
  });
  return { plan, words, seed, headers: [["host", "127.0.0.1:7700"]] };
}

function made(seed: number, count: number): readonly FuzzRequest[] {
  const it = making(seed);
  return Array.from({ length: count }, (_it, index) => makeRequest(it, index));
}

/** Some bodies have a megabyte. */
function digestOf({ method, target, headers, body, bytes }: FuzzRequest): string {
  const head = JSON.stringify([method, target, headers]);
  return createHash("sha256")
    .update(head)
    .update(body ?? "")
    .update(bytes ?? "")
    .digest("hex");
}

describe("the requests of a run", () => {
  test("are the same for the same seed, and others for another", () => {
    const digests = (seed: number) => made(seed, 300).map(digestOf);
    expect(digests(7)).toEqual(digests(7));
    expect(digests(7)).not.toEqual(digests(8));
  });

  test("reach every operation in every way that fits it", () => {
    const requests = made(1, 6_000);
    const reached = new Map<string, Set<string>>();
    for (const { operation, kind } of requests) {
      reached.set(operation, (reached.get(operation) ?? new Set()).add(kind));
    }
    expect([...reached.keys()].toSorted()).toEqual(plan.map((it) => it.name).toSorted());
    expect([...(reached.get("POST /v1/jobs") ?? [])].toSorted()).toEqual([...FUZZ_CLASSES].toSorted());
    expect([...(reached.get("GET /livez") ?? [])].toSorted()).toEqual(
      [
        "boundary",
        "odd-headers",
        "odd-id",
        "odd-method",
        "odd-path",
        "odd-query",
        "raw-bytes",
        "valid",
      ].toSorted(),
    );
  });

  test("hold to the document where they are said to be valid", () => {
    const checks = new DocumentChecks(document);
    const valid = made(3, 3_000).filter((it) => it.kind === "valid" && it.operation === "POST /v1/jobs");
    expect(valid.length).toBeGreaterThan(30);
    for (const { headers, value } of valid) {
      const type = headers.findLast(([name]) => name === "content-type")?.[1] ?? "";
      const steps = ["paths", "/v1/jobs", "post", "requestBody", "content", type, "schema"];
      expect(checks.problem(steps, value), JSON.stringify(value)).toBeNull();
    }
  });

  test("can be made of any seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.nat(1_000_000), (seed, index) => {
        const request = makeRequest(making(seed), index);
        expect(request.target).toMatch(/^[\x21-\x7e]+$/);
        expect(request.index).toBe(index);
      }),
      { numRuns: 300 },
    );
  });
});
