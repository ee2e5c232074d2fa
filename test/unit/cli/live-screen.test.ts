import { describe, expect, test } from "vitest";
import { cutLine, LiveScreen } from "#cli/terminal/live-screen";
import { ESC } from "./cli-harness.ts";

function screenOf(columns: number, rows: number) {
  let text = "";
  const screen = new LiveScreen({
    write: (piece) => {
      text += piece;
    },
    columns: () => columns,
    rows: () => rows,
  });
  return { screen, text: () => text };
}

describe("a live screen", () => {
  test("goes back over as many lines as it drew, and clears what is left of longer ones", () => {
    const { screen, text } = screenOf(80, 24);
    screen.draw(["one", "two"]);
    screen.draw(["three"]);
    screen.clear();
    screen.clear();
    expect(text()).toBe(
      `one${ESC}[K\ntwo${ESC}[K\n${ESC}[J${ESC}[2A\rthree${ESC}[K\n${ESC}[J${ESC}[1A\r${ESC}[J`,
    );
  });

  test("never draws more lines than the terminal has, and says how many are left out", () => {
    const { screen, text } = screenOf(80, 5);
    screen.draw(["1", "2", "3", "4", "5", "6"]);
    // One line of the five stays free for the cursor.
    expect(text().match(/\n/g)).toHaveLength(4);
    expect(text()).toContain("… 3 more lines");
  });
});

describe("a cut line", () => {
  test("counts what is seen and not its colours, which end with it", () => {
    const painted = `${ESC}[32mgreen${ESC}[39m and plain`;
    expect(cutLine(painted, 15)).toBe(painted);
    expect(cutLine(painted, 8)).toBe(`${ESC}[32mgreen${ESC}[39m a…${ESC}[0m`);
    expect(cutLine("0123456789", 5)).toBe("0123…");
  });
});
