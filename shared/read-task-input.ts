/** Reads what a task of a process is given on standard input: one JSON document, of bounded size, of a known shape. */
import type { z } from "zod";
import { ConfigInvalidError } from "./errors.ts";
import { pointerTo } from "./json-pointer.ts";

export interface TaskInput<Schema extends z.ZodType> {
  /** What it is called in errors. */
  readonly name: string;
  readonly schema: Schema;
  readonly bytesMax: number;
}

/** @throws {ConfigInvalidError} when it is too long, no JSON, or breaks the schema: each field that does. */
export async function readTaskInput<Schema extends z.ZodType>(
  stdin: AsyncIterable<Uint8Array | string>,
  { name, schema, bytesMax }: TaskInput<Schema>,
): Promise<z.output<Schema>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    bytes += Buffer.byteLength(chunk);
    if (bytes > bytesMax) throw new ConfigInvalidError(name, [`is over ${bytesMax} bytes`]);
  }
  const result = schema.safeParse(parsed(name, Buffer.concat(chunks).toString("utf8")));
  if (result.success) return result.data;
  const problems = result.error.issues.map((it) => `${pointerTo(it.path) || "it"}: ${it.message}`);
  throw new ConfigInvalidError(name, problems);
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigInvalidError(name, ["is no JSON"]);
  }
}
