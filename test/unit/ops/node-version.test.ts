import { expect, test } from "vitest";
import { nodeProblem } from "../../../ops/node-version.mjs";

test.for(["20.19.0", "20.20.2", "22.0.0", "100.1.0"])("takes Node %s", (version) => {
  expect(nodeProblem(version)).toBeNull();
});

test.for(["20.18.3", "20.9.0", "18.20.8", "9.11.2"])(
  "refuses Node %s, naming it and the one it needs",
  (version) => {
    expect(nodeProblem(version)).toMatch(`20.19 or newer, and this is Node ${version}`);
  },
);
