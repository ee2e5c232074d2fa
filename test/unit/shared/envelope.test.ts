import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  criticalNames,
  parseCloudEventRequest,
  parseEnvelope,
  parsePlainRequest,
  runBoundsOf,
  TYPE_PATTERN,
} from "#shared/envelope";
import { EnvelopeInvalidError, type Issue } from "#shared/errors";

const plain = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-1" } };
const event = { ...plain, specversion: "1.0", id: "1", source: "/shop" };

/** What is refused; a test that refuses nothing fails. */
function issuesOf(parse: (value: unknown) => unknown, value: unknown): readonly Issue[] {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof EnvelopeInvalidError) return error.issues;
    throw error;
  }
  throw new Error("nothing was refused");
}

const forms = [
  ["plain", parsePlainRequest, plain],
  ["CloudEvents", parseCloudEventRequest, event],
] as const;

describe.each(forms)("a %s request", (_form, parse, valid) => {
  test("with no more than it needs is taken as it is", () => {
    expect(parse(valid)).toEqual(valid);
  });

  test("with every optional attribute is taken as it is", () => {
    const whole = {
      ...valid,
      id: "order-1",
      source: "/shop",
      crit: "subject partitionkey",
      subject: "order",
      partitionkey: "p",
      dedupkey: "d",
      scheduledtime: "2026-01-31T11:00:00+01:00",
      expirytime: "2026-01-31T12:00:00Z",
      priority: "low",
      attempts: 3,
      timeoutms: 1_500,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "a=1",
      correlationid: "c",
      causationid: "e",
      dataschema: "https://example.com/schema",
    };
    expect(parse(whole)).toEqual(whole);
  });

  test.each([[null], [[]], ["text"], [7], [undefined], [true]])("that is %j must be an object", (value) => {
    expect(issuesOf(parse, value)).toEqual([
      { pointer: "", rule: expect.any(String), message: "must be a JSON object" },
    ]);
  });

  test.each([
    ["type", undefined, "type", 'must be a string such as "receipt.render"'],
    ["type", 7, "type", 'must be a string such as "receipt.render"'],
    ["type", "", "invalid-format", "must be two to eight dotted lower-case words"],
    ["type", "Receipt.render", "invalid-format", "must be two to eight dotted lower-case words"],
    ["type", `a.${"b".repeat(127)}`, "too-big", "must have at most 128 characters"],
    ["schemaversion", undefined, "type", "must be a whole number from 1"],
    ["schemaversion", "1", "type", "must be a whole number from 1"],
    ["schemaversion", 1.5, "type", "must be a whole number from 1"],
    ["schemaversion", 0, "too-small", "must be a whole number from 1"],
    ["schemaversion", 2 ** 31, "too-big", "must be a whole number from 1"],
    ["data", undefined, "type", "must be a JSON object"],
    ["data", null, "type", "must be a JSON object"],
    ["data", [], "type", "must be a JSON object"],
    ["data", "{}", "type", "must be a JSON object"],
    ["id", "", "too-small", "must be a string of 1 to 256 characters"],
    ["id", 7, "type", "must be a string of 1 to 256 characters"],
    ["id", null, "type", "must be a string of 1 to 256 characters"],
    ["id", "i".repeat(257), "too-big", "must be a string of 1 to 256 characters"],
    ["source", "", "too-small", "must be a string of 1 to 512 characters"],
    ["source", "s".repeat(513), "too-big", "must be a string of 1 to 512 characters"],
    ["crit", 1, "type", "must be a string of 1 to 256 characters"],
    ["crit", "c".repeat(257), "too-big", "must be a string of 1 to 256 characters"],
    ["subject", "", "too-small", "must be a string of 1 to 256 characters"],
    ["partitionkey", {}, "type", "must be a string of 1 to 256 characters"],
    ["dedupkey", 1, "type", "must be a string of 1 to 256 characters"],
    ["traceparent", 1, "type", "must be a string"],
    ["traceparent", "t".repeat(257), "too-big", "must have at most 256 characters"],
    ["tracestate", "t".repeat(513), "too-big", "must have at most 512 characters"],
    ["correlationid", "c".repeat(129), "too-big", "must be a string of 1 to 128 characters"],
    ["causationid", "", "too-small", "must be a string of 1 to 128 characters"],
    ["dataschema", "s".repeat(2_049), "too-big", "must be a string of 1 to 2048 characters"],
    ["expirytime", 1, "type", "must be an RFC 3339 timestamp"],
    ["expirytime", "tomorrow", "custom", "must be an RFC 3339 timestamp"],
    ["scheduledtime", 1, "type", "must be an RFC 3339 timestamp"],
    ["scheduledtime", "2026-01-31", "custom", "must be an RFC 3339 timestamp"],
    ["priority", "urgent", "invalid-value", "must be one of critical, high, normal, low"],
    ["priority", 1, "invalid-value", "must be one of critical, high, normal, low"],
    ["attempts", 0, "too-small", "must be a whole number from 1"],
    ["attempts", 101, "too-big", "must be a whole number from 1"],
    ["attempts", "3", "type", "must be a whole number from 1"],
    ["timeoutms", 0, "too-small", "must be milliseconds, a whole number from 1"],
    ["timeoutms", 0.5, "type", "must be milliseconds, a whole number from 1"],
    ["timeoutms", 86_400_001, "too-big", "must be milliseconds, a whole number from 1"],
  ])("is refused for its %s %j by the rule %s", (field, value, rule, message) => {
    const issues = issuesOf(parse, { ...valid, [field]: value });
    expect(issues).toContainEqual({
      pointer: `/${field}`,
      rule,
      message: expect.stringContaining(message),
    });
    expect(new Set(issues.map((it) => it.pointer))).toEqual(new Set([`/${field}`]));
  });

  test("is refused with every wrong field at once", () => {
    const issues = issuesOf(parse, { ...valid, type: 1, schemaversion: "x", data: [], id: "" });
    expect(issues.map((it) => it.pointer)).toEqual(["/type", "/schemaversion", "/data", "/id"]);
  });

  test("is refused without its values being shown", () => {
    const secret = { ...valid, type: "HUNTER2", id: ["hunter2"], expirytime: "hunter2" };
    expect(JSON.stringify(issuesOf(parse, secret))).not.toMatch(/hunter2/i);
  });

  test.each([
    "2026-01-31T12:00:00Z",
    "2026-01-31t12:00:00.123456z",
    "2026-01-31T12:00:00+05:30",
    "2026-01-31T12:00:00-00:00",
  ])("may expire at %s", (expirytime) => {
    expect(parse({ ...valid, expirytime }).expirytime).toBe(expirytime);
  });

  test.each([
    ["has no time", "2026-01-31"],
    ["has no offset, and so depends on the machine", "2026-01-31T12:00:00"],
    ["has no seconds", "2026-01-31T12:00Z"],
    ["has a month that is none", "2026-13-01T00:00:00Z"],
    ["has an offset that is none", "2026-01-31T12:00:00+25:00"],
    ["has words after it", "2026-01-31T12:00:00Z or so"],
    ["is a date in words", "Sat, 31 Jan 2026 12:00:00 GMT"],
  ])("may not expire at a moment that %s", (_what, expirytime) => {
    expect(issuesOf(parse, { ...valid, expirytime }).map((it) => it.pointer)).toEqual(["/expirytime"]);
  });

  test.each([
    ["names nothing", " ", "must name at least one attribute"],
    ["names what every reader knows", "data", "is known to every reader"],
    ["names what the server stamps", "minreaderversion", "is known to every reader"],
    ["names itself", "crit", "is known to every reader"],
    ["names what the job does not carry", "partitionkey", "which the job does not carry"],
    ["names what only JavaScript's own objects carry", "constructor", "which the job does not carry"],
  ])("is refused when crit %s", (_what, crit, message) => {
    expect(issuesOf(parse, { ...valid, crit })).toEqual([
      { pointer: "/crit", rule: "crit", message: expect.stringContaining(message) },
    ]);
  });

  test("is refused for every wrong name in crit", () => {
    const issues = issuesOf(parse, { ...valid, subject: "s", crit: "type subject dedupkey" });
    expect(issues.map((it) => /"(\w+)"/.exec(it.message)?.[1])).toEqual(["type", "dedupkey"]);
  });

  test("leaves data to its contract, whatever is in it", () => {
    const data = { "a/b": [null, { deep: { deeper: 1 } }], specversion: 3, "": false };
    expect(parse({ ...valid, data }).data).toEqual(data);
  });
});

describe("an unknown attribute", () => {
  test("is refused in the plain form, each by its name", () => {
    const issues = issuesOf(parsePlainRequest, { ...plain, orderId: "o-1", "a/b~c": 1, minreaderversion: 1 });
    expect(issues).toEqual(
      ["orderId", "a/b~c", "minreaderversion"].map((name) => ({
        pointer: `/${name.replace("~", "~0").replace("/", "~1")}`,
        rule: "unknown-field",
        message: `"${name}" is not an attribute of a job; the job's own fields belong in "data"`,
      })),
    );
  });

  test("is kept as it is in the CloudEvents form, and may be critical", () => {
    const extended = { ...event, comexampleext: "x", sampledrate: 3, crit: "comexampleext" };
    expect(parseCloudEventRequest(extended)).toEqual(extended);
  });

  test.each(["orderId", "order_id", "data_base64", "order-id", "a/b", "x".repeat(21), ""])(
    "named %j is no CloudEvents attribute",
    (name) => {
      expect(issuesOf(parseCloudEventRequest, { ...event, [name]: 1 })).toEqual([
        {
          pointer: `/${name.replace("/", "~1")}`,
          rule: "attribute-name",
          message: "CloudEvents attribute names are 1 to 20 lower-case letters and digits",
        },
      ]);
    },
  );

  test("is kept in a stored envelope", () => {
    const stored = { ...event, minreaderversion: 1, time: "2026-01-31T12:00:00Z", later: { a: 1 } };
    expect(parseEnvelope(stored)).toEqual(stored);
  });
});

describe("a CloudEvents request", () => {
  test.each([undefined, "0.3", "2.0", 1])("of specversion %j is refused", (specversion) => {
    expect(issuesOf(parseCloudEventRequest, { ...event, specversion })).toEqual([
      { pointer: "/specversion", rule: "invalid-value", message: 'must be "1.0"' },
    ]);
  });

  test("may say that its data is JSON, and nothing else", () => {
    expect(parseCloudEventRequest({ ...event, datacontenttype: "application/json" })).toMatchObject(event);
    expect(issuesOf(parseCloudEventRequest, { ...event, datacontenttype: "text/xml" })[0]).toMatchObject({
      pointer: "/datacontenttype",
      message: 'must be "application/json" when present',
    });
  });
});

describe("a stored envelope", () => {
  const stored = { ...event, minreaderversion: 1, time: "2026-01-31T12:00:00Z", tenant: "default" };

  test.each(["specversion", "type", "schemaversion", "data", "id", "source", "minreaderversion", "time"])(
    "without %s is none of ours",
    (name) => {
      expect(issuesOf(parseEnvelope, { ...stored, [name]: undefined })[0]?.pointer).toBe(`/${name}`);
    },
  );
});

describe("TYPE_PATTERN", () => {
  test.each(["a.b", "receipt.render", "a1.b-2", "a.b.c.d.e.f.g.h"])("allows %s", (type) => {
    expect(TYPE_PATTERN.test(type)).toBe(true);
  });

  test.each([
    "receipt",
    "a.b.c.d.e.f.g.h.i",
    "a..b",
    ".a.b",
    "a.b.",
    "a.-b",
    "a-b.c",
    "1a.b",
    "a.b\n",
    "a.b|r1",
  ])("refuses %j", (type) => {
    expect(TYPE_PATTERN.test(type)).toBe(false);
  });

  test("answers a long hostile text as fast as a short one", () => {
    // A pattern that backtracked would not come back from 100,000 characters within the test's time.
    expect(TYPE_PATTERN.test(`${"a".repeat(100_000)}.`)).toBe(false);
    expect(TYPE_PATTERN.test(`a.${"b-".repeat(50_000)}!`)).toBe(false);
  });
});

describe("criticalNames", () => {
  test("gives the names whatever the spaces between them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z0-9]{1,20}$/)),
        fc.integer({ min: 1, max: 3 }),
        (names, gap) => {
          expect(criticalNames({ crit: names.join(" ".repeat(gap)) })).toEqual(names);
        },
      ),
    );
    expect(criticalNames({})).toEqual([]);
  });
});

describe("what bounds a job's runs", () => {
  const stored = { ...event, minreaderversion: 1, time: "2026-01-31T12:00:00Z" };

  test("is what it asks for, and nothing where it does not", () => {
    expect(runBoundsOf(parseEnvelope({ ...stored, attempts: 2, timeoutms: 500 }))).toEqual({
      attempts: 2,
      timeoutMs: 500,
    });
    expect(runBoundsOf(parseEnvelope(stored))).toEqual({
      attempts: Number.POSITIVE_INFINITY,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
  });

  test.each(["3", null, 0, -1, Number.NaN, [3], {}])(
    "is nothing that this reader does not know the form of: %j of a newer door",
    (value) => {
      const envelope = parseEnvelope({ ...stored, attempts: value, timeoutms: value, priority: value });
      expect(runBoundsOf(envelope)).toEqual({
        attempts: Number.POSITIVE_INFINITY,
        timeoutMs: Number.POSITIVE_INFINITY,
      });
    },
  );
});
