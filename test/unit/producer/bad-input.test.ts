import { describe, expect, test } from "vitest";
import { EnqueueUnknownError, NotEnqueuedError } from "#shared/errors";
import { posting, request, serve } from "./server-builder.ts";

const json = { "content-type": "application/json" };
const cloudEvent = { ...request, specversion: "1.0", id: "1", source: "/shop" };

/** JSON text with names that an object literal would not keep. */
function textWith(data: string): string {
  return `{"type":"receipt.render","schemaversion":1,"data":${data}}`;
}

const nested40 = `${'{"a":'.repeat(39)}{}${"}".repeat(39)}`;

describe("bad input", () => {
  test.each([
    ["an unknown type", { ...request, type: "receipt.send" }, "TYPE_UNKNOWN", "/type", "unknown-type"],
    ["a type that is none", { ...request, type: "Receipt" }, "ENVELOPE_INVALID", "/type", "invalid-format"],
    [
      "an unknown version",
      { ...request, schemaversion: 9 },
      "VERSION_UNKNOWN",
      "/schemaversion",
      "unknown-version",
    ],
    ["a version of 0", { ...request, schemaversion: 0 }, "ENVELOPE_INVALID", "/schemaversion", "too-small"],
    ["no version", { ...request, schemaversion: undefined }, "ENVELOPE_INVALID", "/schemaversion", "type"],
    [
      "an unknown field in data",
      { ...request, data: { orderId: "o", extra: 1 } },
      "DATA_INVALID",
      "/data/extra",
      "unknown-field",
    ],
    [
      "a field of the wrong type",
      { ...request, data: { orderId: 7 } },
      "DATA_INVALID",
      "/data/orderId",
      "type",
    ],
    ["a missing field", { ...request, data: {} }, "DATA_INVALID", "/data/orderId", "required"],
    ["missing data", { ...request, data: undefined }, "ENVELOPE_INVALID", "/data", "type"],
    ["data that is a list", { ...request, data: [] }, "ENVELOPE_INVALID", "/data", "type"],
    ["data that is null", { ...request, data: null }, "ENVELOPE_INVALID", "/data", "type"],
    ["an unknown attribute", { ...request, orderId: "o" }, "ENVELOPE_INVALID", "/orderId", "unknown-field"],
    [
      "a stamped attribute",
      { ...request, minreaderversion: 1 },
      "ENVELOPE_INVALID",
      "/minreaderversion",
      "unknown-field",
    ],
    ["an empty id", { ...request, id: "" }, "ENVELOPE_INVALID", "/id", "too-small"],
    ["an id that is no text", { ...request, id: 7 }, "ENVELOPE_INVALID", "/id", "type"],
    [
      "a crit that names nothing present",
      { ...request, crit: "lockkey" },
      "ENVELOPE_INVALID",
      "/crit",
      "crit",
    ],
    ["a list", [request], "ENVELOPE_INVALID", "", "invalid-type"],
    ["null", null, "ENVELOPE_INVALID", "", "invalid-type"],
    ["a text", '"text"', "ENVELOPE_INVALID", "", "invalid-type"],
    ["an empty body", "", "ENVELOPE_INVALID", "", "body"],
    ["a body of spaces", "  ", "ENVELOPE_INVALID", "", "body"],
    ["truncated JSON", textWith('{"orderId":"o'), "ENVELOPE_INVALID", "", "json"],
    ["no JSON", "hello", "ENVELOPE_INVALID", "", "json"],
    ["40 levels", textWith(nested40), "ENVELOPE_INVALID", `/data${"/a".repeat(31)}`, "depth"],
    [
      "__proto__",
      textWith('{"__proto__":{"orderId":"o"}}'),
      "ENVELOPE_INVALID",
      "/data/__proto__",
      "forbidden-name",
    ],
    ["__proto__ on top", '{"__proto__":{}}', "ENVELOPE_INVALID", "/__proto__", "forbidden-name"],
    [
      "constructor",
      textWith('{"orderId":"o","constructor":1}'),
      "ENVELOPE_INVALID",
      "/data/constructor",
      "forbidden-name",
    ],
    [
      "a number beyond 2^53",
      textWith('{"orderId":9007199254740993}'),
      "ENVELOPE_INVALID",
      "/data/orderId",
      "integer-range",
    ],
    [
      "half a surrogate pair",
      textWith('{"orderId":"\\ud800"}'),
      "ENVELOPE_INVALID",
      "/data/orderId",
      "unicode",
    ],
  ])("with %s is refused, and nothing is enqueued", async (_what, body, code, pointer, rule) => {
    const { server, added, announced } = serve();
    const answer = await server.inject(posting(body));
    expect(answer.statusCode).toBe(422);
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(answer.json()).toMatchObject({
      type: `urn:sluice:problem:${code.toLowerCase().replaceAll("_", "-")}`,
      status: 422,
      code,
      outcome: "not_enqueued",
    });
    expect(answer.json().errors).toContainEqual({ pointer, rule, message: expect.stringMatching(/\S/) });
    expect([added, announced]).toEqual([[], []]);
  });

  test.each([
    ["300 KB", { ...request, data: { orderId: "x".repeat(300_000) } }, json, 413, "BODY_TOO_LARGE"],
    [
      "a content type that is another",
      request,
      { "content-type": "text/plain" },
      415,
      "CONTENT_TYPE_UNSUPPORTED",
    ],
    [
      "a form",
      "type=receipt.render",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "CONTENT_TYPE_UNSUPPORTED",
    ],
    [
      "a batch of events",
      [cloudEvent],
      { "content-type": "application/cloudevents-batch+json" },
      415,
      "CONTENT_TYPE_UNSUPPORTED",
    ],
    ["a content type that is none", request, { "content-type": "json" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["no content type", request, {}, 415, "CONTENT_TYPE_UNSUPPORTED"],
  ])("of %s is refused, and nothing is enqueued", async (_what, body, headers, status, code) => {
    const { server, added } = serve();
    const answer = await server.inject(posting(body, headers));
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(answer.json().outcome).toBe("not_enqueued");
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(added).toEqual([]);
  });

  test("is refused with every wrong field at once", async () => {
    const { server } = serve();
    const answer = await server.inject(posting({ type: 1, schemaversion: "1", data: 2, id: "", extra: 1 }));
    expect(
      answer
        .json()
        .errors.map((it: { pointer: string }) => it.pointer)
        .sort(),
    ).toEqual(["/data", "/extra", "/id", "/schemaversion", "/type"]);
  });

  test("is refused although its envelope grows too large only by being stamped", async () => {
    const { server, added } = serve();
    const empty = JSON.stringify({ ...request, data: { orderId: "" } });
    // 262,144 bytes as sent; specversion, id, time and the rest make it more.
    const answer = await server.inject(
      posting({ ...request, data: { orderId: "x".repeat(262_144 - empty.length) } }),
    );
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ pointer: "", rule: "size" }] });
    expect(added).toEqual([]);
  });

  test("is neither repeated in the answer nor in the log", async () => {
    const { server, lines } = serve();
    const bodies = ['{"password":"hunter2"', textWith('{"orderId":["hunter2"]}'), textWith('"hunter2"')];
    for (const body of bodies) {
      expect((await server.inject(posting(body))).body).not.toContain("hunter2");
    }
    expect(lines.join("")).not.toContain("hunter2");
  });

  test("names the types and versions that are accepted", async () => {
    const { server } = serve();
    const unknownType = await server.inject(posting({ ...request, type: "receipt.send" }));
    expect(unknownType.json().detail).toContain("Known types: receipt.render.");
    const unknownVersion = await server.inject(posting({ ...request, schemaversion: 2 }));
    expect(unknownVersion.json().detail).toContain("accepted: 1.");
  });

  test("in the CloudEvents form is refused by its own rules", async () => {
    const { server, added } = serve();
    const headers = { "content-type": "application/cloudevents+json" };
    const answer = await server.inject(posting({ ...cloudEvent, specversion: "0.3" }, headers));
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ pointer: "/specversion" }] });
    const named = await server.inject(posting({ ...cloudEvent, order_id: "1" }, headers));
    expect(named.json()).toMatchObject({ errors: [{ pointer: "/order_id", rule: "attribute-name" }] });
    expect(added).toEqual([]);
  });

  test("is counted by its problem's code", async () => {
    const { server, counts } = serve();
    await server.inject(posting({ ...request, type: "receipt.send" }));
    await server.inject(posting(request, {}));
    const text = await counts.registry.metrics();
    expect(text).toMatch(/sluice_enqueue_requests_total\{outcome="invalid",reason="TYPE_UNKNOWN"\} 1/);
    expect(text).toMatch(/outcome="invalid",reason="CONTENT_TYPE_UNSUPPORTED"\} 1/);
  });
});

describe("a request for another host", () => {
  test.each(["evil.example", "evil.example:7700", "localhost.evil.example"])(
    "named %j is refused on loopback before its body is looked at",
    async (host) => {
      const { server, added } = serve();
      for (const body of [request, "{"]) {
        const answer = await server.inject(posting(body, { ...json, host }));
        expect(answer.statusCode).toBe(421);
        expect(answer.json()).toMatchObject({ code: "HOST_REFUSED", outcome: "not_enqueued" });
      }
      expect(added).toEqual([]);
    },
  );

  test.each(["GET", "DELETE"] as const)("is refused for %s of anything, too", async (method) => {
    const { server } = serve();
    for (const url of ["/v1/types", "/v1/jobs/x", "/livez", "/metrics", "/nowhere"]) {
      const answer = await server.inject({ method, url, headers: { host: "evil.example" } });
      expect(answer.statusCode).toBe(421);
    }
  });

  test("is answered where the operator let others in", async () => {
    const { server } = serve({ loopbackOnly: false });
    expect((await server.inject(posting(request, { ...json, host: "sluice.example" }))).statusCode).toBe(202);
  });
});

describe("a request that is fine when Redis is not", () => {
  test("is not enqueued when Redis says so, and may come again in a second", async () => {
    const { server } = serve({ add: new NotEnqueuedError("Redis is out of memory") });
    const answer = await server.inject(posting(request));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.json()).toMatchObject({
      code: "NOT_ENQUEUED",
      outcome: "not_enqueued",
      retryAfterSeconds: 1,
    });
  });

  test("is unknown when the answer was lost, and is not counted as accepted", async () => {
    const { server, announced, counts } = serve({ add: new EnqueueUnknownError("the connection was lost") });
    const answer = await server.inject(posting(request));
    expect([answer.statusCode, answer.json().outcome]).toEqual([503, "unknown"]);
    expect(announced).toEqual([]);
    expect(await counts.registry.metrics()).toMatch(/outcome="unknown",reason="ENQUEUE_UNKNOWN"\} 1/);
  });

  test("shows nothing of an error that nobody expected, which the log has", async () => {
    const { server, lines } = serve({ add: new Error("hunter2") });
    const answer = await server.inject(posting(request));
    expect(answer.json()).toMatchObject({ status: 500, code: "INTERNAL", outcome: "unknown" });
    expect(answer.body).not.toContain("hunter2");
    expect(lines.join("")).toContain("request failed");
  });
});
