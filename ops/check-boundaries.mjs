/** Checks who imports whom (.dependency-cruiser.cjs), and that the check saw the house at all. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { judgeCruise } from "./decide-boundaries.mjs";
import { run, runMain, SetupProblem } from "./run.mjs";

const FOLDERS = ["producer", "worker", "autoscaler", "shared", "cli", "examples", "bench", "test"];
const root = join(import.meta.dirname, "..");

await runMain(async () => {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const { modulesCount, problems } = judgeCruise(await cruise(folders), folders);
  if (problems.length > 0) throw new SetupProblem(problems.join("\n\n"));
  console.log(`Boundaries hold: ${modulesCount} modules seen.`);
});

async function cruise(folders) {
  // Resolved rather than spelled out, so that knip sees the package used.
  const cruiser = fileURLToPath(
    new URL("../../bin/dependency-cruise.mjs", import.meta.resolve("dependency-cruiser")),
  );
  const args = [cruiser, ...folders, "--config", ".dependency-cruiser.cjs", "--output-type", "json"];
  const { stdout, output } = await run(process.execPath, args, { cwd: root });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new SetupProblem(`dependency-cruiser did not finish:\n${output}`);
  }
}
