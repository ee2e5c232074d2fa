/**
 * Stand-ins for the images that the Dockerfile and the compose file begin with, made of this machine's own parts: a
 * minimal Debian, this Node with its npm, this redis-server. No registry of images is asked.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Engine } from "./engine.ts";

/** The names are those of the Dockerfile's argument and of the compose file. */
export const NODE_IMAGE = "node:20.19-bookworm-slim";
export const REDIS_IMAGE = "redis:7.4-bookworm";

const PACKAGES = "ca-certificates,libstdc++6";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const NEEDLESS = [
  "var/cache/apt",
  "var/lib/apt/lists",
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "usr/share/info",
];

/** @param directory where a root file system is kept from one run to the next. */
export async function makeBaseImages(engine: Engine, directory: string): Promise<void> {
  const debian = debianIn(directory);
  const node = copyOf(debian, join(directory, "node"));
  copyInto(node, process.execPath, "/usr/local/bin/node");
  const npm = dirname(dirname(run("readlink", ["-f", run("sh", ["-c", "command -v npm"])])));
  cpSync(npm, join(node, "usr/local/lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(node, "usr/local/bin/npm"));
  // Builds reach the package registry as this machine does.
  copyInto(node, CERTIFICATES, CERTIFICATES);
  addUser(node, "node", "1000:1000");
  await importImage(engine, node, { name: NODE_IMAGE, changes: [`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`] });

  const redis = copyOf(debian, join(directory, "redis"));
  for (const program of ["redis-server", "redis-cli"]) {
    const path = run("readlink", ["-f", run("sh", ["-c", `command -v ${program}`])]);
    copyInto(redis, path, `/usr/local/bin/${program}`);
    for (const library of librariesOf(path)) {
      if (!existsSync(join(redis, library))) copyInto(redis, library, library);
    }
  }
  addUser(redis, "redis", "999:999");
  mkdirSync(join(redis, "data"));
  mkdirSync(join(redis, "usr/local/etc/redis"), { recursive: true });
  run("chown", ["999:999", join(redis, "data")]);
  await importImage(engine, redis, { name: REDIS_IMAGE, changes: ["VOLUME /data", "WORKDIR /data"] });
  rmSync(node, { recursive: true });
  rmSync(redis, { recursive: true });
}

function debianIn(directory: string): string {
  const root = join(directory, "debian");
  if (existsSync(join(root, ".complete"))) return root;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  run("debootstrap", ["--variant=minbase", `--include=${PACKAGES}`, "bookworm", root]);
  for (const path of NEEDLESS) run("sh", ["-c", `rm -rf '${join(root, path)}'/*`]);
  writeFileSync(join(root, ".complete"), "");
  return root;
}

function copyOf(from: string, to: string): string {
  rmSync(to, { recursive: true, force: true });
  run("cp", ["-a", from, to]);
  return to;
}

/** As the file itself, where the path may be a link. */
function copyInto(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  run("cp", ["-L", "--preserve=mode", from, join(root, to)]);
}

function librariesOf(program: string): readonly string[] {
  return [...run("ldd", [program]).matchAll(/=> (\/\S+)/g)].map((match) => String(match[1]));
}

function addUser(root: string, name: string, ids: string): void {
  const add = (file: string, line: string) =>
    writeFileSync(join(root, file), `${readFileSync(join(root, file), "utf8")}${line}\n`);
  const [user, group] = ids.split(":");
  add("etc/passwd", `${name}:x:${user}:${group}::/:/usr/sbin/nologin`);
  add("etc/group", `${name}:x:${group}:`);
}

async function importImage(
  engine: Engine,
  root: string,
  { name, changes }: { readonly name: string; readonly changes: readonly string[] },
): Promise<void> {
  const [repo, tag] = name.split(":");
  const told = changes.map((it) => `&changes=${encodeURIComponent(it)}`).join("");
  const tar = spawn("tar", ["-C", root, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const answer = await engine.ask(
    "POST",
    `/images/create?fromSrc=-&repo=${repo}&tag=${tag}${told}`,
    tar.stdout,
  );
  const text = JSON.stringify(answer.body);
  if (answer.status !== 200 || text.includes("errorDetail"))
    throw new Error(`${name} could not be made: ${text}`);
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return stdout.trim();
  throw new Error(
    `${command} ${args.join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`.slice(-2_000)}`,
  );
}
