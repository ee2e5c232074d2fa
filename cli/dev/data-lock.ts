/**
 * One `sluice dev` to a data directory.
 *
 * The lock is a Unix socket that its holder answers with its process id. A holder that was killed answers
 * nothing, whoever has its process id now, so a lock left behind never stands in the way. The socket is
 * made under a name of its own and linked into place, which fails when another holds the place.
 */
import { linkSync, statSync, unlinkSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Clock } from "#shared/clock";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";

const ANSWER_MS_MAX = 2_000;
const TRIES_MAX = 5;

/** Two that find the same dead lock both replace it; after this long only the second one's is there. */
const SETTLE_MS = 100;

export interface DataLock {
  /** Gives the lock back; safe twice. */
  release(): void;
}

/** @throws {CliError} when another process holds it. */
export async function takeDataLock(directory: string, dataDir: string, clock: Clock): Promise<DataLock> {
  const path = join(directory, "dev.sock");
  const ownPath = join(directory, `dev.${process.pid}.sock`);
  unlinkIfThere(ownPath);
  const server = await listen(ownPath);
  const inode = statSync(ownPath).ino;
  const release = () => {
    if (inodeOf(path) === inode) unlinkIfThere(path);
    server.close();
  };
  try {
    await claim(path, ownPath, { dataDir, inode, clock });
    return { release };
  } catch (error) {
    release();
    throw error;
  } finally {
    unlinkIfThere(ownPath);
  }
}

async function claim(
  path: string,
  ownPath: string,
  { dataDir, inode, clock }: { dataDir: string; inode: number; clock: Clock },
): Promise<void> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    if (tryLink(ownPath, path)) {
      if (tries > 1) await clock.sleep(SETTLE_MS);
      if (inodeOf(path) === inode) return;
    }
    const holder = await holderOf(path);
    if (holder !== null) throw held(dataDir, holder);
    unlinkIfThere(path);
  }
  throw held(dataDir, "unknown");
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** The process id that the lock's holder answers, `null` when nobody is there. */
function holderOf(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let answer = "";
    socket.setTimeout(ANSWER_MS_MAX, () => {
      // Somebody is there, only too busy or stopped.
      resolve("unknown");
      socket.destroy();
    });
    socket.on("data", (chunk) => {
      answer += chunk.toString("utf8").slice(0, 20);
    });
    socket.once("end", () => resolve(/^\d{1,10}/.exec(answer)?.[0] ?? "unknown"));
    socket.once("error", () => resolve(null));
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`${process.pid}\n`);
    });
    server.once("error", reject);
    server.listen(path, () => resolve(server.unref()));
  });
}

function held(dataDir: string, pid: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "ALREADY_RUNNING",
    message: `A \`sluice dev\` already runs on ${dataDir} (pid ${pid}).`,
    hint: "Use that one, stop it first, or set SLUICE_DATA_DIR to another directory.",
  });
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
