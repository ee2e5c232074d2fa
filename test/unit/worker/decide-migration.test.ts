import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { clientAttributes } from "#shared/envelope";
import { FakeClock } from "#test/support/fake-clock";
import { decideMigration, type MigratingBuild, type MigrationDecision } from "#worker/decide-migration";
import { migratingBuildOf } from "#worker/migrating-build";
import { envelope } from "./job-builder.ts";

const amount = z.looseObject({ amount: z.int() });
const noted = z.looseObject({ amount: z.int(), note: z.string().optional() });
const total = z.looseObject({ total: z.looseObject({ value: z.int() }) });
const step = ({ amount: value, ...kept }: { amount: number }) => ({ ...kept, total: { value } });

/** A build that reads versions 1 to 4 in three groups: 1 and 2 (M 1), 3 (M 3), 4 (M 4). */
const receipt = {
  type: "receipt.render",
  versions: [
    { version: 1, minReaderVersion: 1, schema: amount },
    { version: 2, minReaderVersion: 1, schema: noted },
    { version: 3, minReaderVersion: 3, schema: total, upcast: step },
    { version: 4, minReaderVersion: 4, schema: total.extend({ currency: z.string() }), upcast: withCurrency },
  ],
};

function withCurrency(older: object): object {
  return { ...older, currency: "USD" };
}

/** The clock stands at 2026-01-31T12:00:00Z. */
function buildOf(contract: Parameters<typeof migratingBuildOf>[0][number] = receipt): MigratingBuild {
  return migratingBuildOf([contract], new FakeClock());
}

/** A build of versions 1 and 2 whose step between them is `upcast`. */
function buildStepping(
  upcast: (older: object) => unknown,
  target: z.ZodType = z.looseObject({}),
): MigratingBuild {
  return buildOf({
    type: "receipt.render",
    versions: [
      { version: 1, minReaderVersion: 1, schema: amount },
      { version: 2, minReaderVersion: 2, schema: target, upcast },
    ],
  });
}

function stored(changes: object): { dataText: string; isTied: boolean } {
  return { dataText: JSON.stringify({ ...envelope, data: { amount: 5 }, ...changes }), isTied: false };
}

/** The envelope that a decision writes. */
function written(decision: MigrationDecision): Record<string, unknown> {
  expect(decision.kind).toBe("move");
  const { dataText } = decision as { dataText: string | null };
  expect(dataText).not.toBeNull();
  return JSON.parse(dataText ?? "");
}

describe("a job of an older read group", () => {
  test.each([
    ["one group back", { schemaversion: 3, minreaderversion: 3, data: { total: { value: 5 } } }],
    ["two groups back", { schemaversion: 1, minreaderversion: 1, data: { amount: 5 } }],
    ["two groups back, in its newer version", { schemaversion: 2, minreaderversion: 1, data: { amount: 5 } }],
  ])("(%s) is written anew as the build's own version, with the stamps of that", (_what, changes) => {
    expect(written(decideMigration(stored(changes), buildOf()))).toEqual({
      ...envelope,
      schemaversion: 4,
      minreaderversion: 4,
      data: { total: { value: 5 }, currency: "USD" },
    });
  });

  test("keeps every other attribute and every field that no schema knows", () => {
    const taken = [
      ...Object.keys({ ...envelope, ...clientAttributes }),
      "amount",
      "note",
      "total",
      "currency",
    ];
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,19}$/).filter((it) => !taken.includes(it));
    const facts = fc.dictionary(name, fc.jsonValue());
    fc.assert(
      fc.property(facts, facts, fc.integer(), (attributes, fields, value) => {
        const job = stored({ ...attributes, data: { ...fields, amount: value } });
        const { data, ...kept } = JSON.parse(job.dataText);
        const { amount: _stepped, ...keptFields } = data;
        expect(written(decideMigration(job, buildOf()))).toEqual({
          ...kept,
          schemaversion: 4,
          minreaderversion: 4,
          data: { ...keptFields, total: { value }, currency: "USD" },
        });
      }),
    );
  });

  test("is upcast once however often it is migrated", () => {
    const once = decideMigration(stored({}), buildOf()) as { dataText: string };
    expect(decideMigration({ dataText: once.dataText, isTied: false }, buildOf())).toEqual(asItIs);
  });

  test.each([
    ["throws", throwing, "it threw"],
    ["misses its target", () => ({ total: "hunter2" }), "/total"],
  ])("stays when the upcaster %s, and no data is told", (_what, upcast, told) => {
    const decision = decideMigration(stored({}), buildStepping(upcast, total));
    const message = expect.stringContaining(told);
    expect(decision).toEqual({ kind: "leave", reason: "upcast-failed", message });
    expect(JSON.stringify(decision)).not.toContain("hunter2");
  });

  test.each([
    ["has what JSON cannot hold", () => ({ at: 5n })],
    ["would be another value as JSON", () => ({ at: Number.NaN })],
    ["would lack a field as JSON", () => ({ at: undefined })],
  ])("stays when the upcaster's result %s", (_what, upcast) => {
    const target = z.looseObject({ at: z.custom((it) => it !== null, "must be there") });
    expect(decideMigration(stored({}), buildStepping(upcast, target))).toMatchObject({
      kind: "leave",
      reason: "upcast-failed",
    });
  });
});

function throwing(): never {
  throw new Error("hunter2");
}

const asItIs = { kind: "move", dataText: null };

describe("a job moves as it is", () => {
  const own = { schemaversion: 4, minreaderversion: 4, data: { total: { value: 5 }, currency: "EUR" } };

  test("when it is of the build's own group", () => {
    expect(decideMigration(stored(own), buildOf())).toEqual(asItIs);
  });

  test("when it is of the build's own group in a version that the build does not have", () => {
    expect(decideMigration(stored({ ...own, schemaversion: 5 }), buildOf())).toEqual(asItIs);
  });

  test.each([
    ["that the build reads", {}],
    ["that it does not", { schemaversion: 9, minreaderversion: 9 }],
    ["that is poison", { data: { amount: "much" } }],
  ])("unread when its time to run has passed, of a version %s", (_what, changes) => {
    const expired = stored({ ...changes, expirytime: "2026-01-31T12:00:00Z" });
    expect(decideMigration(expired, buildOf())).toEqual(asItIs);
  });

  test("and is read a millisecond before its time has passed", () => {
    const job = stored({ expirytime: "2026-01-31T12:00:00.001Z" });
    expect(written(decideMigration(job, buildOf()))).toMatchObject({ schemaversion: 4 });
  });
});

describe("a job stays where it is", () => {
  const fourOnly = { ...receipt, versions: receipt.versions.slice(3) };

  test.each([
    ["written for newer readers", stored({ schemaversion: 5, minreaderversion: 5 }), "too-new"],
    ["needing what the build does not know", stored({ lockkey: "l", crit: "lockkey" }), "unknown-crit"],
    ["of a type that is not the build's", stored({ type: "csv.summarise" }), "foreign"],
    ["of another envelope major", stored({ specversion: "2.0" }), "foreign"],
    ["bound to its queue by BullMQ", { ...stored({}), isTied: true }, "tied"],
    ["that is no JSON", { dataText: "{", isTied: false }, "not-json"],
  ])("%s", (_what, job, reason) => {
    expect(decideMigration(job, buildOf())).toEqual({ kind: "leave", reason, message: expect.any(String) });
  });

  test("older than what the build reads", () => {
    expect(decideMigration(stored({}), buildOf(fourOnly))).toMatchObject({
      kind: "leave",
      reason: "too-old",
    });
  });
});

describe("a job is quarantined", () => {
  test.each([
    ["of an older group", {}],
    ["of the build's own group", { schemaversion: 4, minreaderversion: 4 }],
  ])("whose data is not what its own version promises, %s", (_what, changes) => {
    const decision = decideMigration(stored({ ...changes, data: { amount: "hunter2" } }), buildOf());
    expect(decision).toMatchObject({ kind: "quarantine", code: "DATA_INVALID" });
    expect(JSON.stringify(decision)).not.toContain("hunter2");
  });

  test.each(["null", '"hello"', "{}", '{"orderId":"o-1"}'])("when Redis holds %s for it", (dataText) => {
    expect(decideMigration({ dataText, isTied: false }, buildOf())).toMatchObject({
      kind: "quarantine",
      code: "ENVELOPE_INVALID",
    });
  });
});
