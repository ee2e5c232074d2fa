/** Reading traces: what is understood, and how what is not is complained about. */
import { describe, expect, test } from "vitest";
import { parseTrace } from "#autoscaler/simulator/trace";
import { TraceInvalidError } from "#autoscaler/simulator/trace-error";
import type { Trace } from "#autoscaler/simulator/trace-model";
import { dateTimeMs, plainName } from "#autoscaler/simulator/trace-time";

function read(text: string): Trace {
  return parseTrace("t.csv", text);
}

function counts(text: string) {
  const trace = read(text);
  if (trace.kind !== "counts") throw new Error("it was read as requests");
  return { binMs: trace.binMs, counts: [...trace.counts] };
}

function requests(text: string) {
  const trace = read(text);
  if (trace.kind !== "requests") throw new Error("it was read as counts");
  return { arrivalsMs: [...trace.arrivalsMs], serviceMs: trace.serviceMs && [...trace.serviceMs] };
}

describe("a trace of counts", () => {
  const minute = { binMs: 60_000, counts: [1, 2, 3] };

  test.each([
    ["dates", "period,count\n1998-04-30 21:30:00,1\n1998-04-30 21:31:00,2\n1998-04-30 21:32:00,3\n", minute],
    [
      "ISO dates with a zone",
      "timestamp,value\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,2\n2024-01-01T00:02:00Z,3",
      minute,
    ],
    ["epoch seconds", "time,requests\n1700000000,1\n1700000060,2\n1700000120,3", minute],
    ["epoch milliseconds", "ts,n\n1700000000000,1\n1700000060000,2\n1700000120000,3", minute],
    ["offsets in seconds by their size", "offset,count\n0,1\n60,2\n120,3", minute],
    ["minutes by their name", "minute,invocations\n0,1\n1,2\n2,3", minute],
    ["the count first", "count;period\n1;2024-01-01 00:00\n2;2024-01-01 00:01\n3;2024-01-01 00:02", minute],
    [
      "tabs, a byte order mark and Windows line ends",
      "\ufefftimestamp\tcount\r\n0\t1\r\n60\t2\r\n120\t3\r\n",
      minute,
    ],
    ["rows out of order", "timestamp,count\n120,3\n0,1\n60,2", minute],
    [
      "a number column of any name, when the rows are bins",
      "timestamp,passengers_here\n0,1\n60,2\n120,3",
      minute,
    ],
    ["a time twice: its counts add up", "timestamp,count\n0,1\n60,1\n60,1\n120,3", minute],
    ["arrivals by their name", "timestamp,arrivals\n0,1\n60,2\n120,3", minute],
    ["a rate by its name", "timestamp,requests_per_minute\n0,1\n60,2\n120,3", minute],
    ["a mean duration beside the count", "timestamp,duration_ms,count\n0,5,1\n60,6,2\n120,7,3", minute],
    ["names and scores beside it", "timestamp,host_id,count,label\n0,7,1,a\n60,7,2,b\n120,7,3,c", minute],
  ])("is read with %s", (_what, text, expected) => {
    expect(counts(text)).toEqual(expected);
  });

  test("has empty bins where rows are missing, or their count is", () => {
    const text = "timestamp,count\n0,1\n60,\n120,2.5\n300,NaN\n360,4";
    expect(counts(text)).toEqual({ binMs: 60_000, counts: [1, 0, 2.5, 0, 0, 0, 4] });
  });

  test("is cut to its busiest 24 hours", () => {
    const rows = Array.from({ length: 48 }, (_, hour) => `${hour * 3_600},${hour === 40 ? 50 : 1}`);
    const { counts: window } = counts(`timestamp,count\n${rows.join("\n")}`);
    expect(window).toHaveLength(24);
    // Windows from hour 17 to 24 have it; the earliest begins at 17, so it is the last bin.
    expect(window[23]).toBe(50);
  });

  test.each([
    ["counts that are all 0", "timestamp,count\n0,0\n60,0", /all of its counts are 0/],
    [
      "a negative count",
      "timestamp,count\n0,1\n60,-2",
      /line 3: the column "count" must be a number of at least 0/,
    ],
    [
      "a word for a count",
      "timestamp,count\n0,1\n60,2\n120,many",
      /line 4: the column "count" must be a number/,
    ],
    [
      "a time that is none",
      "timestamp,count\n2024-01-01 00:00,1\n2024-13-01 00:00,2",
      /line 3|none of the columns/,
    ],
    ["no header", "0,1\n60,2", /none of the columns/],
    ["no rows", "timestamp,count\n", /has no rows/],
    ["nothing", "", /has no rows/],
  ])("with %s is refused with the place and the rule", (_what, text, message) => {
    expect(() => read(text)).toThrow(TraceInvalidError);
    expect(() => read(text)).toThrow(message);
  });
});

describe("a trace of requests", () => {
  test.each([
    [
      "tokens in any order",
      "GeneratedTokens,TIMESTAMP,ContextTokens\n10,2023-11-16 18:17:03.9799600,5\n0,2023-11-16 18:17:04.9799600,10\n",
      [0, 1_000],
      [301, 2],
    ],
    ["lengths", "timestamp_ms,input_length,output_length\n0,5,10\n1000,10,0", [0, 1_000], [301, 2]],
    [
      "prompt and completion tokens",
      "arrived_at,prompt tokens,completion tokens\n0.5,5,10\n1.5,10,0",
      [0, 1_000],
      [301, 2],
    ],
    ["durations in milliseconds", "arrival_time,duration_ms\n0,301\n1000,2", [0, 1_000], [301, 2]],
    [
      "durations in seconds",
      "timestamp,duration_s\n1700000000,0.301\n1700000001,0.002",
      [0, 1_000],
      [301, 2],
    ],
    [
      "durations without a unit, as seconds",
      "timestamp,duration\n1700000000,0.301\n1700000001,0.002",
      [0, 1_000],
      [301, 2],
    ],
    [
      "a start and an end",
      "start_time,end_time\n1700000000,1700000003\n1700000001,1700000002",
      [0, 1_000],
      [3_000, 1_000],
    ],
    ["an end and a duration", "app,end_timestamp,duration\na,4.5,2.5\nb,4,1", [0, 1_000], [2_500, 1_000]],
    ["rows out of order", "timestamp_ms,duration_ms\n1000,2\n0,301", [0, 1_000], [301, 2]],
    [
      "a duration missing: the mean of the others",
      "timestamp_ms,duration_ms\n0,10\n5,\n6,20",
      [0, 5, 6],
      [10, 15, 20],
    ],
    ["a duration of 0: a millisecond", "timestamp_ms,duration_ms\n0,0", [0], [1]],
    [
      "dates of any name, and a start that is not the arrival",
      "gmt_create,gmt_start,gmt_end\n2024-01-01 00:00:00,2024-01-01 00:00:01,2024-01-01 00:00:03\n2024-01-01 00:00:01,2024-01-01 00:00:05,2024-01-01 00:00:06",
      [0, 1_000],
      [2_000, 1_000],
    ],
    ["a latency", "timestamp_ms,latency_ms\n0,301\n1000,2", [0, 1_000], [301, 2]],
    [
      "moments only",
      "timestamp\n2024-01-01 00:00:00.000\n2024-01-01 00:00:00.250\n2024-01-01 00:00:07",
      [0, 250, 7_000],
      null,
    ],
    ["moments and a name", "timestamp,function_name\n10,a\n3,b\n4,c", [0, 1, 7], null],
  ])("is read with %s", (_what, text, arrivalsMs, serviceMs) => {
    const told = requests(text);
    expect(told.arrivalsMs).toHaveLength(arrivalsMs.length);
    for (const [at, ms] of arrivalsMs.entries()) expect(told.arrivalsMs[at]).toBeCloseTo(ms, 3);
    expect(told.serviceMs === null).toBe(serviceMs === null);
    for (const [at, ms] of (serviceMs ?? []).entries()) expect(told.serviceMs?.[at]).toBeCloseTo(ms, 6);
  });

  test("of weeks is cut to its busiest 24 hours", () => {
    // One request a day for 20 days, and ten more within an hour of the tenth.
    const daily = Array.from({ length: 20 }, (_, day) => day * 86_400);
    const busy = Array.from({ length: 10 }, (_, at) => 10 * 86_400 + at * 300 + 1);
    const { arrivalsMs } = requests(
      `epoch\n${[...daily, ...busy].map((sec) => 1_700_000_000 + sec).join("\n")}\n`,
    );
    expect(arrivalsMs).toHaveLength(11);
  });

  test("with a negative duration is refused with line and column", () => {
    expect(() => read("timestamp_ms,duration_ms\n0,1\n1,-1")).toThrow(/line 3: the column "duration_ms"/);
  });
});

describe("a time", () => {
  test.each([
    ["2014-04-01 00:05:00", 1_396_310_700_000],
    ["2014-04-01T00:05:00.25+02:00", 1_396_303_500_250],
    ["2014/4/1 0:05", 1_396_310_700_000],
    ["1970-01-01", 0],
    // A leap day: 11016 days after the epoch.
    ["2000-02-29 00:00:00Z", 951_782_400_000],
  ])("%s is %d ms since the epoch", (text, expected) => {
    expect(dateTimeMs(text)).toBe(expected);
  });

  test.each(["", "noon", "2014-13-01", "2014-04-01 25:00:00", "12"])("is not %j", (text) => {
    expect(dateTimeMs(text)).toBeNull();
  });

  test("of a column is named alike however it is written", () => {
    expect(["ContextTokens", "context tokens", " CONTEXT_TOKENS "].map(plainName)).toEqual(
      Array(3).fill("context_tokens"),
    );
  });
});
