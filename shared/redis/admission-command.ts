/**
 * A call of the admission script, written in one go.
 *
 * The client's own way measures every argument by itself; of a job's nine all but the data are known to be ASCII,
 * and that is most of what a call costs here. The bytes are the same: a test holds them against the client's own.
 */
import { createHash } from "node:crypto";
import { Command } from "ioredis";
import { ADMIT_JOBS } from "./admission-script.ts";
import type { RedisConnection } from "./connection.ts";

const SHA1 = createHash("sha1").update(ADMIT_JOBS).digest("hex");

/** Arguments of one job, of which the last is its data. */
export const JOB_ARGUMENTS = 9;

/** What the script answers. */
export type AdmitReply = readonly (string | number)[];

class AdmitCommand extends Command {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super("evalsha", [SHA1, "0"], { replyEncoding: "utf8" });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** @param args the script's, those of `jobs` jobs at the end. */
export async function sendAdmit(
  redis: RedisConnection,
  args: readonly string[],
  jobs: number,
): Promise<AdmitReply> {
  const bytes = bytesOf(args, jobs);
  try {
    return (await redis.sendCommand(new AdmitCommand(bytes))) as AdmitReply;
  } catch (error) {
    // Said before anything of it was run: by a server that was started anew.
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    await redis.script("LOAD", ADMIT_JOBS);
    return (await redis.sendCommand(new AdmitCommand(bytes))) as AdmitReply;
  }
}

/**
 * The command as it goes over the wire (RESP 2).
 *
 * @throws {TypeError} when an argument that must be ASCII is not: its length would be a lie, and what follows it
 *   another command.
 */
export function bytesOf(args: readonly string[], jobs: number): Buffer {
  const first = args.length - jobs * JOB_ARGUMENTS;
  let text = `*${args.length + 3}\r\n$7\r\nevalsha\r\n$40\r\n${SHA1}\r\n$1\r\n0\r\n`;
  /** What the arguments have in bytes beyond their characters. */
  let beyond = 0;
  const measured = (arg: string) => {
    const bytes = Buffer.byteLength(arg);
    beyond += bytes - arg.length;
    text += `$${bytes}\r\n${arg}\r\n`;
  };
  for (let at = 0; at < first; at += 1) measured(args[at] ?? "");
  for (let at = first; at < args.length; at += JOB_ARGUMENTS) {
    for (let of = at; of < at + JOB_ARGUMENTS - 1; of += 1) {
      const arg = args[of] ?? "";
      text += `$${arg.length}\r\n${arg}\r\n`;
    }
    measured(args[at + JOB_ARGUMENTS - 1] ?? "");
  }
  if (Buffer.byteLength(text) !== text.length + beyond) throw new TypeError("what names a job must be ASCII");
  return Buffer.from(text, beyond === 0 ? "latin1" : "utf8");
}
