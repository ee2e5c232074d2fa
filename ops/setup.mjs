/**
 * Makes a fresh clone ready: `node ops/setup.mjs start|test|ci`, called by npm before `start` and `test`.
 *
 * It runs before anything is installed, so ops/ needs no package; and it may be run by a Node that is too
 * old, so this file and the one it imports keep to syntax which such a Node still reads. What is done is
 * in prepare.mjs.
 */
import { nodeProblem } from "./node-version.mjs";

const problem = nodeProblem(process.versions.node);
if (problem === null) {
  import("./prepare.mjs").then(
    (preparation) => preparation.main(process.argv[2]),
    (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
} else {
  console.error(problem);
  process.exitCode = 1;
}
