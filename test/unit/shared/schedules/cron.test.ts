/** What cron expressions mean, summer time included. Berlin: +01:00, from the last Sunday of March to that of October +02:00. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cronProblem, cronTimetable } from "#shared/schedules/cron";
import { isTimeZone, TimeZone } from "#shared/schedules/time-zone";
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";

const ms = (text: string) => fromRfc3339(text) ?? Number.NaN;

/** The next `count` occurrences after a moment, in UTC without milliseconds. */
function following(
  expression: string,
  timeZone: string,
  [after, count]: [string, number],
): readonly string[] {
  const timetable = cronTimetable(expression, timeZone);
  const found: string[] = [];
  for (let at = timetable.next(ms(after)); at !== null && found.length < count; at = timetable.next(at)) {
    found.push(toRfc3339(at).replace(".000Z", "Z"));
  }
  return found;
}

describe("a cron expression", () => {
  test.each([
    ["0 9 * * 1-5", "2026-01-30T09:00:00Z", ["2026-02-02T09:00:00Z", "2026-02-03T09:00:00Z"]],
    ["30 */15 9 * * *", "2026-01-31T09:30:29Z", ["2026-01-31T09:30:30Z", "2026-01-31T09:45:30Z"]],
    ["0 0 L * *", "2026-01-31T12:00:00Z", ["2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]],
    // The first of the month, and every Monday: 2 and 9 February 2026 are Mondays.
    [
      "0 0 1 * 1",
      "2026-01-31T12:00:00Z",
      ["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-09T00:00:00Z"],
    ],
  ])("%s names the moments that it names everywhere", (expression, after, expected) => {
    expect(following(expression, "UTC", [after, expected.length])).toEqual(expected);
  });

  test("is meant in its time zone", () => {
    expect(following("0 9 * * *", "Europe/Berlin", ["2026-01-31T08:00:00Z", 1])).toEqual([
      "2026-02-01T08:00:00Z",
    ]);
    expect(following("0 9 * * *", "Europe/Berlin", ["2026-07-31T08:00:00Z", 1])).toEqual([
      "2026-08-01T07:00:00Z",
    ]);
    expect(following("0 9 * * *", "Asia/Kolkata", ["2026-01-31T08:00:00Z", 1])).toEqual([
      "2026-02-01T03:30:00Z",
    ]);
  });

  test.each([
    ["* * *", "five fields"],
    ["* * * * * * *", "five fields"],
    ["@daily", "five fields"],
    ["", "five fields"],
    ["60 * * * *", "not a cron expression"],
    ["0 0 30 2 *", "never comes"],
    ["0 0 31 2,4 *", "never comes"],
    ["H * * * *", "must not use H"],
    [`${"0,".repeat(70)}0 * * * *`, "at most 128 characters"],
  ])("%s is refused with the reason", (expression, reason) => {
    expect(cronProblem(expression)).toContain(reason);
  });

  test.each(["0 0 * MAR THU", "? ? ? ? ?", "0 0 * * 1#2", "*/5 * * * * *"])("%s is taken", (expression) => {
    expect(cronProblem(expression)).toBeNull();
  });
});

describe("when the clock is put forward", () => {
  // Berlin, 29 March 2026: at 01:00Z the clock jumps from 02:00 to 03:00.
  test("a time that it jumps over happens at the jump", () => {
    expect(following("30 2 * * *", "Europe/Berlin", ["2026-03-28T00:00:00Z", 3])).toEqual([
      "2026-03-28T01:30:00Z",
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:30:00Z",
    ]);
  });

  test("several times that it jumps over, and the time of the jump, happen once", () => {
    expect(following("0,20,40 2,3 * * *", "Europe/Berlin", ["2026-03-29T00:59:59Z", 4])).toEqual([
      "2026-03-29T01:00:00Z",
      "2026-03-29T01:20:00Z",
      "2026-03-29T01:40:00Z",
      "2026-03-30T00:00:00Z",
    ]);
  });

  test("every half hour goes on every half hour", () => {
    expect(following("*/30 * * * *", "Europe/Berlin", ["2026-03-29T00:00:00Z", 4])).toEqual([
      "2026-03-29T00:30:00Z",
      "2026-03-29T01:00:00Z",
      "2026-03-29T01:30:00Z",
      "2026-03-29T02:00:00Z",
    ]);
  });

  // Santiago, 6 September 2026: at 04:00Z the clock jumps from 00:00 to 01:00.
  test("a midnight that does not exist is not lost", () => {
    expect(following("0 0 * * *", "America/Santiago", ["2026-09-05T12:00:00Z", 2])).toEqual([
      "2026-09-06T04:00:00Z",
      "2026-09-07T03:00:00Z",
    ]);
  });

  // Lord Howe, 4 October 2026: at 15:30Z the day before, from 02:00 (+10:30) to 02:30 (+11:00).
  test("half an hour is a jump too", () => {
    expect(following("15 2 * * *", "Australia/Lord_Howe", ["2026-10-03T00:00:00Z", 2])).toEqual([
      "2026-10-03T15:30:00Z",
      "2026-10-04T15:15:00Z",
    ]);
  });
});

describe("when the clock is put back", () => {
  // Berlin, 25 October 2026: at 01:00Z the clock goes from 03:00 back to 02:00.
  test("a time that it shows twice happens the first time", () => {
    expect(following("30 2 * * *", "Europe/Berlin", ["2026-10-25T00:00:00Z", 2])).toEqual([
      "2026-10-25T00:30:00Z",
      "2026-10-26T01:30:00Z",
    ]);
  });

  test("and not again for whoever asks between the two times", () => {
    expect(following("30 2 * * *", "Europe/Berlin", ["2026-10-25T01:10:00Z", 1])).toEqual([
      "2026-10-26T01:30:00Z",
    ]);
  });

  test("every half hour goes on every half hour", () => {
    expect(following("*/30 * * * *", "Europe/Berlin", ["2026-10-25T00:00:00Z", 5])).toEqual([
      "2026-10-25T00:30:00Z",
      "2026-10-25T01:00:00Z",
      "2026-10-25T01:30:00Z",
      "2026-10-25T02:00:00Z",
      "2026-10-25T02:30:00Z",
    ]);
  });
});

describe("a timetable", () => {
  const expressions = [
    "30 2 * * *",
    "*/30 * * * *",
    "0,20,40 2,3 * * *",
    "15 1,2 * * 0",
    "0 */6 * * *",
    "0 0 1 * *",
  ];
  const zones = ["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca"];
  const year = { min: ms("2026-01-01T00:00:00Z"), max: ms("2026-12-31T00:00:00Z") };

  test("gives the same occurrences wherever a search begins", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.constantFrom(...zones),
        fc.integer(year),
        fc.integer({ min: 1, max: 3 * 86_400_000 }),
        (expression, zone, startMs, lengthMs) => {
          const timetable = cronTimetable(expression, zone);
          const first = timetable.next(startMs);
          if (first === null) throw new Error("it never ends");
          expect(first).toBeGreaterThan(startMs);
          // From any moment before it, and not from itself.
          const between = startMs + ((first - startMs - 1) % lengthMs);
          expect(cronTimetable(expression, zone).next(between)).toBe(first);
          expect(timetable.next(first)).toBeGreaterThan(first);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("gives one occurrence for each day on which a daily time is, in every zone", () => {
    for (const zone of zones) {
      // 365 days from the first local midnight of the year.
      const timetable = cronTimetable("30 2 * * *", zone);
      expect(timetable.count(ms("2025-12-31T16:00:00Z"), ms("2026-12-31T16:00:00Z")), zone).toBe(365);
    }
  });
});

describe("a time zone", () => {
  test("is one of the database by its name", () => {
    expect(["UTC", "Europe/Berlin", "Etc/GMT+5"].filter(isTimeZone)).toHaveLength(3);
    expect(["Mars/Olympus", "+02:00", "", "Europe"].filter(isTimeZone)).toEqual([]);
  });

  test("tells its offset and when that changes", () => {
    const zone = new TimeZone("Australia/Lord_Howe");
    expect(zone.offsetMs(ms("2026-07-01T00:00:00Z"))).toBe(10.5 * 3_600_000);
    expect(zone.changeBetween(ms("2026-07-01T00:00:00Z"), ms("2027-01-01T00:00:00Z"))).toEqual({
      atMs: ms("2026-10-03T15:30:00Z"),
      offsetMs: 11 * 3_600_000,
    });
    expect(zone.changeBetween(ms("2026-07-01T00:00:00Z"), ms("2026-08-01T00:00:00Z"))).toBeNull();
  });
});
