/**
 * Runs knip, which finds files, exports and packages that nothing uses, on a copy without dist/.
 *
 * The copy is needed because knip resolves `#shared/*` as a plain Node would: to dist/ once it is built, and
 * then it calls every source unused. Checking must not depend on whether somebody has built before.
 */
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runMain, SetupProblem } from "./run.mjs";

const LEFT_OUT = new Set(["node_modules", "dist", "dist.next", ".git", ".sluice", "coverage"]);
const root = join(import.meta.dirname, "..");

await runMain(async () => {
  const copy = mkdtempSync(join(tmpdir(), "sluice-unused-"));
  // Also on the way out by a signal.
  process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
  for (const name of readdirSync(root)) {
    if (!LEFT_OUT.has(name)) cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

  const knip = join(root, "node_modules", "knip", "bin", "knip.js");
  const { exitCode, output } = await run(process.execPath, [knip, ...process.argv.slice(2)], { cwd: copy });
  if (output.trim() !== "") console.log(output.trimEnd());
  if (exitCode !== 0) throw new SetupProblem("knip found something that nothing uses (above).");
});
