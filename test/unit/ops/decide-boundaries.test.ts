import { expect, test } from "vitest";
import { judgeCruise } from "../../../ops/decide-boundaries.mjs";

const modules = [
  { source: "worker/main.ts" },
  { source: "shared/clock.ts" },
  { source: "node_modules/zod/index.js" },
];

test("a cruise that saw the house and found nothing has no problems, and counts our modules only", () => {
  const cruise = { modules, summary: { violations: [] } };
  expect(judgeCruise(cruise, ["worker", "shared"], 2)).toEqual({ modulesCount: 2, problems: [] });
});

test("a cruise that saw too few modules fails, though it found nothing", () => {
  const cruise = { modules: [], summary: { violations: [] } };
  expect(judgeCruise(cruise, ["worker"], 1).problems).toEqual([
    expect.stringContaining("Only 0 modules were seen of at least 1"),
  ]);
});

test("breaches are told by rule, with the rule's comment once and a circle in full", () => {
  const summary = {
    violations: [
      { from: "worker/a.ts", to: "producer/b.ts", rule: { name: "rooms-meet-only-in-shared" } },
      { from: "worker/c.ts", to: "cli/d.ts", rule: { name: "rooms-meet-only-in-shared" } },
      {
        from: "shared/x.ts",
        to: "shared/y.ts",
        rule: { name: "no-circular" },
        cycle: [{ name: "shared/y.ts" }, { name: "shared/x.ts" }],
      },
    ],
    ruleSetUsed: { forbidden: [{ name: "rooms-meet-only-in-shared", comment: "They are processes." }] },
  };
  expect(judgeCruise({ modules, summary }, ["worker"], 1).problems).toEqual([
    [
      "rooms-meet-only-in-shared: They are processes.",
      "    worker/a.ts -> producer/b.ts",
      "    worker/c.ts -> cli/d.ts",
    ].join("\n"),
    ["no-circular", "    shared/x.ts -> shared/y.ts -> shared/x.ts"].join("\n"),
  ]);
});
