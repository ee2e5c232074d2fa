/** Odd content types, headers, queries, path words, methods and paths. Pure. */
import type { Dice } from "../support/dice.ts";
import type { PlannedParameter } from "./operation-plan.ts";

type Headers = readonly (readonly [string, string])[];

const CONTENT_TYPES = [
  "text/plain",
  "application/xml",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "APPLICATION/JSON",
  "application/json;",
  "application/json; charset",
  "application/json, text/plain",
  "application/cloudevents+json; charset=utf-8",
  "application/cloudevents-batch+json",
  "application/cloudevents+avro",
  "application/x-ndjson",
  "application/merge-patch+json",
  "json",
  "/",
  "",
  "*/*",
  "application/json\t; a=b",
  "application/jsonp",
];

export function oddContentType(headers: Headers, dice: Dice): Headers {
  const others = headers.filter(([name]) => name !== "content-type");
  if (dice.chance(0.15)) return others;
  return [...others, ["content-type", dice.pick(CONTENT_TYPES)]];
}

const HEADERS: Headers = [
  ["idempotency-key", ""],
  ["idempotency-key", '""'],
  ["idempotency-key", '"half'],
  ["idempotency-key", "a b"],
  ["idempotency-key", "k".repeat(255)],
  ["idempotency-key", "k".repeat(256)],
  ["idempotency-key", '"with \\"quote\\""'],
  ["idempotency-key", "é"],
  ["idempotency-key", ":YQ==:"],
  ["idempotency-key", "?1"],
  ["prefer", "wait"],
  ["prefer", "wait=-1"],
  ["prefer", "wait=1e9, wait=x"],
  ["prefer", 'wait="0"; foo=bar'],
  ["prefer", ",,,=;"],
  ["if-match", ""],
  ["if-match", "*, *"],
  ["last-event-id", ""],
  ["accept", "image/png"],
  ["accept", ""],
  ["accept-encoding", "br;q=1.0, gzip;q=0.8, *;q=0.1"],
  ["content-encoding", "gzip"],
  ["content-language", "tlh"],
  ["expect", "100-continue"],
  ["connection", "upgrade"],
  ["upgrade", "websocket"],
  ["x-http-method-override", "DELETE"],
  ["x-forwarded-for", "127.0.0.1, ::1"],
  ["x-forwarded-host", "evil.example"],
  ["origin", "null"],
  ["origin", "https://evil.example"],
  ["cookie", "a=b; c"],
  ["range", "bytes=0-0"],
  ["te", "trailers"],
  ["traceparent", "00-zz-zz-00"],
  ["ce-specversion", "1.0"],
  ["ce-specversion", "9.9"],
  ["ce-type", "probe.task"],
  ["ce-type", "%zz"],
  ["ce-id", "a%20b"],
  ["ce-source", "/fuzz"],
  ["ce-schemaversion", "1"],
  ["ce-schemaversion", "01e1"],
  ["ce-data", "x"],
  ["ce-datacontenttype", "text/plain"],
  ["ce-time", "yesterday"],
  ["ce-Ünicode", "x"],
  ["ce-toolongattributename0123", "x"],
  ["x-long", "x".repeat(8_000)],
  ["authorization", "Basic OjpA"],
  ["authorization", "Bearer"],
  ["host", "evil.example"],
  ["host", ""],
  ["host", "127.0.0.1:0:0"],
];

export function oddHeaders(headers: Headers, dice: Dice): Headers {
  const more = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(HEADERS)).filter(([name]) =>
    /^[a-z0-9-]+$/i.test(name),
  );
  const named = new Set(more.map(([name]) => name));
  return [...headers.filter(([name]) => !named.has(name.toLowerCase())), ...more];
}

const QUERY_VALUES = [
  "",
  "0",
  "-1",
  "1.0",
  "1e3",
  "201",
  "99999999999999999999",
  "true",
  "TRUE",
  "null",
  "%00",
  "%zz",
  "%",
  "%ff%fe",
  "[]",
  "a%26b",
  "__proto__",
  "x".repeat(3_000),
  "%F0%9F%92%A9",
  "..%2f..",
];

export function oddQuery(target: string, parameters: readonly PlannedParameter[], dice: Dice): string {
  const [path = ""] = target.split("?");
  const known = parameters.filter((it) => it.place === "query").map((it) => it.name);
  const names = [...known, ...known, "unknown", "__proto__", "constructor", "a[b]", "", "limit", "wait"];
  const pairs = Array.from(
    { length: 1 + dice.below(4) },
    () => `${dice.pick(names)}=${dice.pick(QUERY_VALUES)}`,
  );
  const ways = [pairs.join("&"), `${pairs[0]}&${pairs[0]}`, "?&&==", "=", pairs.join(";"), "#fragment"];
  return `${path}?${dice.chance(0.6) ? pairs.join("&") : dice.pick(ways)}`;
}

const PATH_WORDS = [
  "x",
  "shop~",
  `shop~${"a".repeat(52)}`,
  `probe~${"a".repeat(52)}`,
  `probe~${"a".repeat(51)}1`,
  `probe.r1~${"a".repeat(52)}`,
  `constructor~${"a".repeat(52)}`,
  `__proto__~${"a".repeat(52)}`,
  `${"q".repeat(65)}~${"a".repeat(52)}`,
  "..",
  "%2e%2e%2fv1%2ftypes",
  "%00",
  "%zz",
  "%",
  "%ff",
  "%F0%9F%92%A9",
  "a%2fb",
  "a".repeat(255),
  "a".repeat(257),
  "a".repeat(5_000),
  "0",
  "-1",
  "null",
  "undefined",
  "__proto__",
  "*",
  ";",
  "a b",
  "UPPER-case",
  "a--",
  "1a",
];

export function oddPathWord(path: string, target: string, dice: Dice): string {
  const [, query] = target.split("?");
  const odd = path.includes("{")
    ? path.replace(/\{\w+\}/, dice.pick(PATH_WORDS))
    : `${path}/${dice.pick(PATH_WORDS)}`;
  return encodeSpaces(query === undefined ? odd : `${odd}?${query}`);
}

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "PURGE",
  "M-SEARCH",
];

export function oddMethod(method: string, dice: Dice): string {
  return dice.pick(METHODS.filter((it) => it !== method));
}

export function oddPath(target: string, dice: Dice): string {
  const ways = [
    `${target}/`,
    `/${target}`,
    target.toUpperCase(),
    target.replace("/v1/", "/v2/"),
    target.replace("/v1/", "/v1//"),
    target.replace("/v1/", "/v1/./"),
    target.replace("/v1/", "/v1/../v1/"),
    target.replace("/v1", "/%76%31"),
    `${target}.json`,
    `${target};a=b`,
    `${target}%20`,
    `${target}%`,
    `${target}%00`,
    "/",
    "//",
    "/*",
    "/v1",
    "/.env",
    "/favicon.ico",
    "/%",
    "/%c0%ae%c0%ae/",
    "/docs/../v1/types",
    "/docs/static/..%2f..%2fpackage.json",
    "/docs/json/x",
    `/${"a/".repeat(200)}`,
    `/${"a".repeat(6_000)}`,
    "http://evil.example/v1/types",
    "*",
  ];
  return encodeSpaces(dice.pick(ways));
}

function encodeSpaces(target: string): string {
  return target.replaceAll(" ", "%20");
}
