import { describe, expect, test } from "vitest";
import { Flag } from "#shared/flag";

describe("Flag", () => {
  test("calls each who waits once, however often it is raised", () => {
    const flag = new Flag();
    const calls: string[] = [];
    flag.onRaised(() => calls.push("a"));
    flag.onRaised(() => calls.push("b"));
    expect(flag.raised).toBe(false);
    flag.raise();
    flag.raise();
    expect(flag.raised).toBe(true);
    expect(calls).toEqual(["a", "b"]);
  });

  test("calls at once who comes after it was raised", () => {
    const flag = new Flag();
    flag.raise();
    const calls: string[] = [];
    flag.onRaised(() => calls.push("late"));
    expect(calls).toEqual(["late"]);
  });

  test("does not call who has stopped waiting", () => {
    const flag = new Flag();
    const calls: string[] = [];
    const forget = flag.onRaised(() => calls.push("gone"));
    forget();
    forget();
    flag.raise();
    expect(calls).toEqual([]);
  });
});
