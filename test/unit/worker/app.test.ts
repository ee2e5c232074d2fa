import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Contract, defineContract } from "#shared/contracts/contract";
import { AppInvalidError } from "#shared/errors";
import { defineApp, defineJob, describeApp } from "#worker/app";

const receipt = defineContract({
  type: "receipt.render",
  queue: "shop",
  policy: { attempts: 2, timeoutMs: 10_000 },
  versions: [
    {
      version: 1,
      minReaderVersion: 1,
      schema: z.looseObject({ orderId: z.string().min(1).max(64), amount: z.int().min(0) }),
    },
    {
      version: 2,
      minReaderVersion: 2,
      schema: z.looseObject({
        orderId: z.string().min(1).max(64),
        total: z.looseObject({ value: z.int().min(0), currency: z.enum(["EUR", "USD"]).default("USD") }),
        lines: z.array(z.looseObject({ text: z.string() })).optional(),
      }),
      upcast: ({ amount, ...kept }: { amount: number }) => ({ ...kept, total: { value: amount } }),
    },
  ],
});

const schema = z.looseObject({});
const csv = defineContract({
  type: "csv.summarise",
  queue: "shop",
  versions: [{ version: 1, minReaderVersion: 1, schema }],
});

const handler = () => undefined;

function problemsOf(app: unknown): readonly string[] {
  try {
    describeApp(app, "shop-v1");
  } catch (error) {
    if (error instanceof AppInvalidError) return error.problems;
    throw error;
  }
  throw new Error("the app was not refused");
}

describe("describeApp", () => {
  test("tells the registry exactly this of an app", () => {
    const app = defineApp({ name: "shop", jobs: [defineJob(receipt, handler), defineJob(csv, handler)] });
    const safe = { maximum: 9_007_199_254_740_991 };
    const orderId = { type: "string", minLength: 1, maxLength: 64 };
    expect(describeApp(app, "shop-v1")).toEqual({
      release: "shop-v1",
      app: "shop",
      types: [
        {
          type: "receipt.render",
          queue: "shop",
          policy: {
            attempts: 2,
            timeoutMs: 10_000,
            backoff: { baseMs: 1_000, maxMs: 60_000 },
            excess: "reject",
          },
          versions: [
            {
              version: 1,
              minReaderVersion: 1,
              schema: {
                type: "object",
                properties: { orderId, amount: { type: "integer", minimum: 0, ...safe } },
                required: ["orderId", "amount"],
                additionalProperties: {},
              },
              hasUpcast: false,
            },
            {
              version: 2,
              minReaderVersion: 2,
              schema: {
                type: "object",
                properties: {
                  orderId,
                  total: {
                    type: "object",
                    properties: {
                      value: { type: "integer", minimum: 0, ...safe },
                      currency: { type: "string", enum: ["EUR", "USD"], default: "USD" },
                    },
                    // A writer may leave out what a reader fills in.
                    required: ["value"],
                    additionalProperties: {},
                  },
                  lines: {
                    type: "array",
                    items: {
                      type: "object",
                      properties: { text: { type: "string" } },
                      required: ["text"],
                      additionalProperties: {},
                    },
                  },
                },
                required: ["orderId", "total"],
                additionalProperties: {},
              },
              hasUpcast: true,
            },
          ],
        },
        {
          type: "csv.summarise",
          queue: "shop",
          policy: csv.policy,
          versions: [
            {
              version: 1,
              minReaderVersion: 1,
              schema: { type: "object", properties: {}, additionalProperties: {} },
              hasUpcast: false,
            },
          ],
        },
      ],
    });
  });

  test("works out M where it is left out, and keeps samples to itself", () => {
    const note = z.looseObject({ note: z.string().optional() });
    const contract = defineContract({
      type: "mail.send",
      queue: "shop",
      versions: [
        { version: 1, schema, samples: [{}] },
        { version: 2, schema: note },
        { version: 3, minReaderVersion: 3, schema: note },
      ],
    });
    const { types } = describeApp({ name: "shop", jobs: [defineJob(contract, handler)] }, "shop-v1");
    const versions = types[0]?.versions ?? [];
    expect(versions.map((it) => it.minReaderVersion)).toEqual([1, 1, 3]);
    expect(Object.keys(versions[0] ?? {}).toSorted()).toEqual([
      "hasUpcast",
      "minReaderVersion",
      "schema",
      "version",
    ]);
  });

  test("tells what speaks against the versions of a contract", () => {
    const contract = defineContract({
      type: "mail.send",
      queue: "shop",
      versions: [
        { version: 1, schema },
        { version: 2, schema: z.looseObject({ to: z.string() }) },
      ],
    });
    expect(problemsOf({ name: "shop", jobs: [{ contract, handler }] })).toEqual([
      expect.stringMatching(/^mail\.send version 2: cannot stand in for version 1: \/to \(REQUIRED_ADDED\)/),
    ]);
  });

  test("is plain data, the same after a trip through JSON", () => {
    const described = describeApp({ name: "shop", jobs: [defineJob(receipt, handler)] }, "shop-v1");
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
  });

  test.each([[undefined], [null], ["app"], [42], [[]]])("refuses %j, which is no app", (app) => {
    expect(problemsOf(app)).not.toEqual([]);
  });

  test.each([
    ["name", { name: "Shop App", jobs: [{ contract: csv, handler }] }],
    ["name", { jobs: [{ contract: csv, handler }] }],
    ["jobs", { name: "shop" }],
    ["jobs", { name: "shop", jobs: [] }],
    ["jobs.0.contract", { name: "shop", jobs: [{ handler }] }],
    ["jobs.0.handler", { name: "shop", jobs: [{ contract: csv }] }],
    [
      "jobs.1.handler",
      {
        name: "shop",
        jobs: [
          { contract: csv, handler },
          { contract: receipt, handler: "x" },
        ],
      },
    ],
  ])("names %s when it is wrong", (field, app) => {
    expect(problemsOf(app)).toEqual([expect.stringMatching(`^${field}: `)]);
  });

  test("names a type that is declared twice, once", () => {
    const job = defineJob(csv, handler);
    expect(problemsOf({ name: "shop", jobs: [job, job, job] })).toEqual([
      "csv.summarise is declared more than once",
    ]);
  });

  test("lists the problems of all contracts, and the app's, at once", () => {
    const stripping = defineContract({
      type: "mail.send",
      queue: "Mail",
      versions: [{ version: 1, minReaderVersion: 1, schema: z.object({ to: z.string().trim() }) }],
    });
    const skipping = defineContract({
      type: "csv.summarise",
      queue: "shop",
      versions: [
        { version: 1, minReaderVersion: 1, schema },
        { version: 3, minReaderVersion: 3, schema },
      ],
    });
    const app = {
      name: "",
      jobs: [
        { contract: stripping, handler },
        { contract: skipping, handler },
        { contract: csv, handler: 1 },
      ],
    };
    expect(problemsOf(app)).toEqual([
      expect.stringMatching(/^name: /),
      expect.stringMatching(/^jobs\.2\.handler: /),
      expect.stringMatching(/^mail\.send: queue: /),
      expect.stringMatching(/^mail\.send version 1: data must be z\.looseObject/),
      expect.stringMatching(/^mail\.send version 1: data\.to uses a transform/),
      "csv.summarise version 3: follows version 1; versions rise by one",
      "csv.summarise is declared more than once",
    ]);
  });

  test("refuses a contract that is an empty object by what it lacks", () => {
    const problems = problemsOf({ name: "shop", jobs: [{ contract: {} as Contract, handler }] });
    expect(problems.map((it) => /: (\w+): /.exec(it)?.[1])).toEqual(["type", "queue", "policy", "versions"]);
  });
});
