import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binaryCloudEvent, isBinaryCloudEvent } from "#producer/read-cloud-event";
import { parseCloudEventRequest } from "#shared/envelope";
import { EnvelopeInvalidError } from "#shared/errors";

const headers = {
  "content-type": "application/json",
  "ce-specversion": "1.0",
  "ce-type": "receipt.render",
  "ce-schemaversion": "2",
  "ce-id": "1",
  "ce-source": "/shop",
};

function issuesOf(changed: Record<string, string>) {
  try {
    binaryCloudEvent({ ...headers, ...changed }, {});
  } catch (error) {
    if (error instanceof EnvelopeInvalidError) return error.issues.map((it) => `${it.pointer} ${it.rule}`);
    throw error;
  }
  return [];
}

function attribute(value: string): unknown {
  return (binaryCloudEvent({ ...headers, "ce-subject": value }, {}) as { subject: unknown }).subject;
}

describe("a CloudEvent in headers", () => {
  test("is what the structured form says, with the body as its data", () => {
    const event = binaryCloudEvent({ ...headers, accept: "*/*", "ce-sampledrate": "3" }, { orderId: "o" });
    expect(event).toEqual({
      specversion: "1.0",
      type: "receipt.render",
      schemaversion: 2,
      id: "1",
      source: "/shop",
      // Its type is not known here: an extension is text.
      sampledrate: "3",
      data: { orderId: "o" },
    });
    expect(parseCloudEventRequest(event)).toMatchObject({ schemaversion: 2 });
  });

  test("is one when its version or its type is there, and else a plain job", () => {
    expect(isBinaryCloudEvent({ "ce-specversion": "1.0" })).toBe(true);
    expect(isBinaryCloudEvent({ "ce-type": "receipt.render" })).toBe(true);
    expect(isBinaryCloudEvent({ "ce-id": "1" })).toBe(false);
  });

  test.each([
    ["Euro %E2%82%AC %F0%9F%98%80", "Euro € 😀"],
    ["once%2520only", "once%20only"],
    ["%22quoted%22", '"quoted"'],
    // Before 1.0.1 of the binding a value could be in quotes.
    ['"a \\"b\\" \\\\ c"', 'a "b" \\ c'],
    ['"100%25"', "100%"],
    ['say "hi"', 'say "hi"'],
    ["", ""],
  ])("has %j decoded to %j", (value, text) => {
    expect(attribute(value)).toBe(text);
  });

  test("gives back any text that was percent-encoded as the binding says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(attribute(encodeURIComponent(text))).toBe(text);
      }),
    );
  });

  test.each(["%", "%E2%82", "%zz", "%ff", "%C0%80", "%ED%A0%80"])("that holds %s is refused", (value) => {
    expect(issuesOf({ "ce-subject": value })).toEqual(["/subject percent-encoding"]);
  });

  test.each([
    ["ce-data", "/data header"],
    ["ce-datacontenttype", "/datacontenttype header"],
    ["ce-order_id", "/order_id attribute-name"],
    ["ce-__proto__", "/__proto__ attribute-name"],
    ["ce-", "/ attribute-name"],
  ])("with the header %s is refused", (header, issue) => {
    expect(issuesOf(Object.fromEntries([[header, "1"]]))).toEqual([issue]);
  });

  test("names everything that is wrong with its headers at once", () => {
    expect(issuesOf({ "ce-data": "1", "ce-subject": "%" })).toEqual([
      "/data header",
      "/subject percent-encoding",
    ]);
  });

  test.each(["schemaversion", "attempts", "timeoutms"])(
    "has %s as a whole number, and nothing else as one",
    (name) => {
      const read = (value: string) =>
        (binaryCloudEvent({ ...headers, [`ce-${name}`]: value }, {}) as Record<string, unknown>)[name];
      expect(["7", "0", "-1", "1.5", "1e3", " 1", "99999999999"].map(read)).toEqual([
        7,
        0,
        "-1",
        "1.5",
        "1e3",
        " 1",
        "99999999999",
      ]);
    },
  );
});
