import { expect, test } from "vitest";
import { preferredWaitSeconds } from "#producer/prefer";

test.each([
  ["wait=10", 10],
  ["Wait = 10", 10],
  ['wait="10"', 10],
  ["respond-async, wait=10; foo=bar", 10],
  ["wait=0", 0],
  // RFC 7240, 2: of several the first counts.
  ["wait=5, wait=50", 5],
  // No longer than a request may wait here.
  ["wait=3600", 60],
])("%j asks for %i seconds", (header, seconds) => {
  expect(preferredWaitSeconds(header)).toBe(seconds);
});

test.each([
  undefined,
  "",
  "wait",
  "wait=",
  "wait=-1",
  "wait=1.5",
  "wait=ten",
  "waiting=5",
  "x;wait=5",
  "wait=9999999999",
])("%j asks for nothing", (header) => {
  expect(preferredWaitSeconds(header)).toBeNull();
});
