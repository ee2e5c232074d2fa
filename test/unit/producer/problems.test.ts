import { describe, expect, test } from "vitest";
import { problemFor } from "#producer/problems";
import {
  ConfigInvalidError,
  DataInvalidError,
  EnqueueUnknownError,
  EnvelopeInvalidError,
  NotEnqueuedError,
  RedisUnavailableError,
  TypeUnknownError,
  VersionNotActiveError,
  VersionUnknownError,
} from "#shared/errors";

const issue = { pointer: "/data/a", rule: "type", message: "must be string" };

function fastifyError(code: string, statusCode: number): Error {
  return Object.assign(new Error(`words of ${code}`), { code, statusCode });
}

describe("problemFor", () => {
  test.each([
    [new EnvelopeInvalidError([issue]), 422, "ENVELOPE_INVALID", "not_enqueued"],
    [new DataInvalidError("a.b", 1, [issue]), 422, "DATA_INVALID", "not_enqueued"],
    [new TypeUnknownError("a.b", []), 422, "TYPE_UNKNOWN", "not_enqueued"],
    [new VersionUnknownError("a.b", 2, [1]), 422, "VERSION_UNKNOWN", "not_enqueued"],
    [new VersionNotActiveError("a.b", 2, 1), 409, "VERSION_NOT_ACTIVE", "not_enqueued"],
    [new NotEnqueuedError("Redis is out of memory"), 503, "NOT_ENQUEUED", "not_enqueued"],
    [new EnqueueUnknownError("the connection was lost"), 503, "ENQUEUE_UNKNOWN", "unknown"],
    [new RedisUnavailableError(), 503, "REDIS_UNAVAILABLE", undefined],
    [fastifyError("FST_ERR_CTP_BODY_TOO_LARGE", 413), 413, "BODY_TOO_LARGE", "not_enqueued"],
    [fastifyError("FST_ERR_CTP_INVALID_MEDIA_TYPE", 415), 415, "CONTENT_TYPE_UNSUPPORTED", "not_enqueued"],
    [fastifyError("FST_ERR_CTP_INVALID_CONTENT_LENGTH", 400), 400, "BODY_TRUNCATED", "not_enqueued"],
    [fastifyError("FST_ERR_BAD_URL", 400), 400, "BAD_REQUEST", "not_enqueued"],
  ])("answers %s with %i %s, and the job is %s", (error, status, code, outcome) => {
    const problem = problemFor(error);
    expect(problem).toMatchObject({
      type: `urn:sluice:problem:${code.toLowerCase().replaceAll("_", "-")}`,
      status,
      code,
      title: expect.stringMatching(/\S/),
      detail: expect.stringMatching(/\S/),
    });
    expect(problem.outcome).toBe(outcome);
  });

  test.each([
    [new EnvelopeInvalidError([issue]), issue],
    [new DataInvalidError("a.b", 1, [issue]), issue],
    [new TypeUnknownError("a.b", ["c.d"]), { pointer: "/type", rule: "unknown-type" }],
    [new VersionUnknownError("a.b", 2, [1]), { pointer: "/schemaversion", rule: "unknown-version" }],
    [new VersionNotActiveError("a.b", 2, 1), { pointer: "/schemaversion", rule: "version-not-active" }],
  ])("names the field and the rule of %s", (error, expected) => {
    expect(problemFor(error).errors).toEqual([expect.objectContaining(expected)]);
  });

  test.each([
    [new VersionNotActiveError("a.b", 2, 1), 30],
    [new NotEnqueuedError("x"), 1],
    [new EnqueueUnknownError("x"), 1],
    [new RedisUnavailableError(), 1],
    [new DataInvalidError("a.b", 1, []), undefined],
    [new Error("x"), undefined],
  ])("says when to ask again only where that can help: %s", (error, seconds) => {
    expect(problemFor(error).retryAfterSeconds).toBe(seconds);
  });

  test.each([
    ["an error", new Error("hunter2 at redis://u:hunter2@h")],
    ["a type error", new TypeError("hunter2 is not a function")],
    ["a text", "hunter2"],
    ["nothing", undefined],
    ["an error with a status of ours", Object.assign(new Error("hunter2"), { statusCode: 500 })],
    ["an error with a status that is no number", Object.assign(new Error("hunter2"), { statusCode: "400" })],
  ])("shows nothing of %s that it did not expect", (_what, error) => {
    const problem = problemFor(error);
    expect(problem).toMatchObject({ status: 500, code: "INTERNAL", outcome: "unknown" });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  test("answers an error of ours that no request should meet with 500 and its code", () => {
    expect(problemFor(new ConfigInvalidError("The environment", []))).toMatchObject({
      status: 500,
      code: "CONFIG_INVALID",
      outcome: "unknown",
    });
  });
});
