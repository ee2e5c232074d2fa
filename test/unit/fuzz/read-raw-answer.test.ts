import { describe, expect, test } from "vitest";
import { answerIn } from "#test/fuzz/read-raw-answer";

const read = (text: string) => answerIn(Buffer.from(text));

describe("what a socket received", () => {
  test("is an answer with as much body as its length says", () => {
    expect(
      read("HTTP/1.1 400 Bad Request\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nhi there"),
    ).toEqual({
      status: 400,
      headers: { "content-type": "a/b", "content-length": "2" },
      body: "hi",
    });
  });

  test("is put together from chunks, and an interim answer before it is left out", () => {
    const text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
    expect(read(text)).toMatchObject({ status: 200, body: "abcd" });
  });

  test("is none when it is nothing or no HTTP", () => {
    expect(read("")).toBeNull();
    expect(read("HTTP/1.1 2")).toBeNull();
    expect(read("hello\r\n\r\n")).toBeNull();
  });
});
