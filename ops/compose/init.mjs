/**
 * Makes what the compose stack needs once: secrets in files, and .env, which tells compose where they are.
 *
 *   node ops/compose/init.mjs [directory of the secrets] [file of compose's variables]
 *
 * What is there stays as it is; so it may run again, and two stacks do not share a secret. Whoever removes a secret and
 * runs it again has rotated it, from the stack's next start on. The directory is closed to other users of this machine;
 * the files in it are not, because the processes in the containers are other users.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const directory = resolve(process.argv[2] ?? process.env.SLUICE_SECRETS_DIR ?? join(root, ".sluice/secrets"));
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

mkdirSync(directory, { recursive: true, mode: 0o700 });
chmodSync(directory, 0o700);
const password = kept("redis-password", () => randomBytes(32).toString("hex"));
kept("redis-auth", () => `requirepass ${password}`);
kept("redis-url", () => `redis://:${password}@redis:6379`);
kept("executor-token", () => randomBytes(32).toString("base64url"));
kept("operator-key", apiKey);
kept("metrics-key", apiKey);
kept("grafana-password", () => randomBytes(18).toString("base64url"));
noteIn(resolve(process.argv[3] ?? join(root, ".env")));
console.log(`The secrets are in ${directory}; the operator's key is its file operator-key.`);

/** The line in a file of the directory; made when it is not there. */
function kept(name, make) {
  const path = join(directory, name);
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o444 });
  return readFileSync(path, "utf8").trim();
}

/** The form of shared/auth/api-key.ts. */
function apiKey() {
  const id = Array.from(randomBytes(16), (byte) => BASE32[byte & 31]).join("");
  return `slk_${id}_${randomBytes(32).toString("base64url")}`;
}

/** Adds what compose must know, and changes nothing that somebody has set. */
function noteIn(path) {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const facts = [
    ["SLUICE_SECRETS_DIR", directory],
    // The group that may use the engine's socket; compose has no other way to know its number.
    ["SLUICE_DOCKER_GROUP", String(groupOf("/var/run/docker.sock"))],
  ];
  const missing = facts.filter(([name]) => !new RegExp(`^${name}=`, "m").test(text));
  if (missing.length === 0) return;
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  writeFileSync(path, `${text}${gap}${missing.map(([name, value]) => `${name}=${value}\n`).join("")}`);
}

function groupOf(socket) {
  return statSync(process.env.SLUICE_DOCKER_SOCKET ?? socket, { throwIfNoEntry: false })?.gid ?? 0;
}
