/** Requests that no HTTP library would send, as bytes. Pure. */
import type { Dice } from "../support/dice.ts";
import type { FuzzRequest } from "./fuzz-request.ts";

export function oddBytes(request: FuzzRequest, dice: Dice): Buffer {
  const { method, target, body } = request;
  const fields = request.headers.map(([name, value]) => `${name}: ${value}`);
  const text = body?.toString("latin1") ?? "";
  const head = (line: string, ...more: readonly string[]) =>
    `${[line, ...fields, ...more, "connection: close"].join("\r\n")}\r\n\r\n`;
  const line = `${method} ${target} HTTP/1.1`;
  const length = body?.length ?? 0;
  const ways: readonly (() => string)[] = [
    () => head(line, `content-length: ${length + 10}`) + text,
    () => head(line, `content-length: ${Math.max(0, length - 1)}`) + text,
    () => head(line, "content-length: -1") + text,
    () => head(line, "content-length: 99999999999999999999") + text,
    () => head(line, `content-length: ${length}`, `content-length: ${length + 1}`) + text,
    () => head(line, `content-length: ${length}`, "transfer-encoding: chunked") + text,
    () => head(line, "transfer-encoding: chunked") + text,
    () => `${head(line, "transfer-encoding: chunked")}zz\r\n${text}\r\n0\r\n\r\n`,
    () => `${head(line, "transfer-encoding: chunked")}${length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
    () => head(line, "transfer-encoding: gzip, chunked") + text,
    () => head(`${method} ${target} HTTP/9.9`),
    () => head(`${method} ${target} HTTP/1.0`),
    () => head(`${method} ${target}`),
    () => head(`FOO ${target} HTTP/1.1`),
    () => head(`${method.toLowerCase()} ${target} HTTP/1.1`),
    () => head(`${method} ${target} with spaces HTTP/1.1`),
    () => head(`${method} \u0000${target} HTTP/1.1`),
    () => head(`${method} é${target} HTTP/1.1`),
    () => head(line, "no colon here"),
    () => head(line, "bad name: x"),
    () => head(line, "x-null: a\u0000b"),
    () => head(line, " x-folded: a"),
    () => head(line, ...Array.from({ length: 2_500 }, (_it, index) => `x-${index}: y`)),
    () => head(line, `x-long: ${"y".repeat(20_000)}`),
    () => `${line}\r\nconnection: close\r\n\r\n`,
    () => `${line}\nhost: 127.0.0.1\nconnection: close\n\n`,
    () => "\r\n\r\n\r\n",
    () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    () => "\u0016\u0003\u0001\u0002\u0000\u0001\u0000",
    () => Array.from({ length: 1 + dice.below(300) }, () => String.fromCharCode(dice.below(256))).join(""),
    () => head("CONNECT 127.0.0.1:22 HTTP/1.1"),
    () => head("OPTIONS * HTTP/1.1"),
  ];
  return Buffer.from(dice.pick(ways)(), "latin1");
}
