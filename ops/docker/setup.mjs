/**
 * Makes a new Redis usable: the API keys in the secrets of the stack are made known to it.
 *
 *   setup <name>=<scope>,<scope>:<file> ...
 *
 * A key that Redis knows stays as it is, a revoked one too; so it may run at every start.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const producer = join(import.meta.dirname, "../../dist/producer/main.js");

for (const text of process.argv.slice(2)) {
  const [, name, scopes, file] = /^([a-z0-9-]+)=([a-z:,]+):(\/.+)$/.exec(text) ?? [];
  if (file === undefined) throw new Error(`${text}: must be <name>=<scopes>:</path>`);
  const apiKey = readFileSync(file, "utf8").trim();
  const request = { act: "import", apiKey, name, tenant: "default", scopes: scopes.split(","), by: "setup" };
  const answer = await answered(request);
  if (answer.kind !== "imported") throw new Error(`key ${name}: ${answer.message}`);
  console.log(`key ${name} (${answer.keyId}) ${answer.isNew ? "is known now" : "was known"}`);
}

/** What the task `keys` says. */
function answered(request) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [producer, "keys"], { stdio: ["pipe", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece) => {
      text += piece;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`the keys could not be made known: exit code ${code}`));
    });
    child.stdin.end(JSON.stringify(request));
  });
}
