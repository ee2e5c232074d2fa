/**
 * A few words with a Redis on a Unix socket, without a client: enough to see that it answers, who it is,
 * and to have it stop.
 */
import { createConnection, type Socket } from "node:net";

const ANSWER_MS_MAX = 2_000;

/** INFO's section about the server has some hundred bytes. */
const ANSWER_CHARS_MAX = 64 * 1024;

export type RedisCondition =
  /** It answers PING. */
  | { readonly kind: "ready" }
  /** It reads its files. */
  | { readonly kind: "loading" }
  /** Nobody listens. */
  | { readonly kind: "absent" }
  /** Somebody listens and does not answer as a Redis of ours would. */
  | { readonly kind: "odd"; readonly answer: string };

export interface RedisIdentity {
  readonly pid: number | null;
  readonly version: string;
}

export async function redisCondition(socketPath: string): Promise<RedisCondition> {
  const answer = await ask(socketPath, "PING");
  if (answer === null) return { kind: "absent" };
  if (answer.startsWith("+PONG")) return { kind: "ready" };
  return answer.startsWith("-LOADING")
    ? { kind: "loading" }
    : { kind: "odd", answer: answer.slice(0, 200).trim() };
}

export async function redisIdentity(socketPath: string): Promise<RedisIdentity> {
  const info = (await ask(socketPath, "INFO server")) ?? "";
  const pid = /^process_id:(\d+)/m.exec(info)?.[1];
  const version = /^(?:valkey_version|redis_version):([\w.]+)/m.exec(info)?.[1];
  return { pid: pid === undefined ? null : Number(pid), version: version ?? "of an unknown version" };
}

/** Has it write what it holds and end; the answer is that the connection ends. */
export async function shutDownRedis(socketPath: string): Promise<void> {
  await ask(socketPath, "SHUTDOWN");
}

/** Calls `onGone` once when the Redis that listens now has ended. The returned function ends the watch. */
export function watchRedis(socketPath: string, onGone: () => void): () => void {
  const socket = createConnection(socketPath);
  let watching = true;
  socket.on("error", () => undefined);
  socket.once("close", () => {
    if (watching) onGone();
    watching = false;
  });
  socket.resume();
  return () => {
    watching = false;
    socket.destroy();
  };
}

/** The answer to one inline command; `null` when nobody listens, "" when it ended without an answer. */
function ask(socketPath: string, command: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    let answer = "";
    let connected = false;
    const end = () => {
      resolve(connected ? answer : null);
      socket.destroy();
    };
    socket.setTimeout(ANSWER_MS_MAX, end);
    socket.once("connect", () => {
      connected = true;
      socket.write(`${command}\r\n`);
    });
    socket.on("data", (chunk) => {
      answer += chunk.toString("utf8");
      if (isComplete(answer) || answer.length > ANSWER_CHARS_MAX) end();
    });
    onceOver(socket, end);
  });
}

function onceOver(socket: Socket, act: () => void): void {
  socket.once("error", act);
  socket.once("close", act);
}

/** A simple string or an error is one line; a bulk string says how many bytes follow its first line. */
function isComplete(answer: string): boolean {
  const lineEnd = answer.indexOf("\r\n");
  if (lineEnd < 0) return false;
  if (!answer.startsWith("$")) return true;
  const bytes = Number(answer.slice(1, lineEnd));
  return Buffer.byteLength(answer) >= lineEnd + 2 + bytes + 2;
}
