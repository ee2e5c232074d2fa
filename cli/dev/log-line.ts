/** A line of a child's output, made readable: our processes log JSON, everything else is shown as it is. */
import { z } from "zod";

const logged = z.looseObject({
  level: z.string(),
  process: z.string().optional(),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
});

export interface LogLine {
  /** `worker`, or the name of the child when the line does not say. */
  readonly process: string;
  readonly level: string;
  /** What happened, with the error's own words; not neutralised. */
  readonly text: string;
  /** The error's own words alone. */
  readonly error: string | null;
}

/** Facts that say whom a line is about. */
const NAMED_FACTS = ["worker", "release", "queue", "lane", "jobId"];

export function parseLogLine(line: string, childName: string): LogLine {
  const entry = logged.safeParse(parsed(line)).data;
  if (entry === undefined) return { process: childName, level: "output", text: line, error: null };
  const facts = NAMED_FACTS.flatMap((name) =>
    typeof entry[name] === "string" ? [`${name}=${entry[name]}`] : [],
  );
  const words = [entry.msg ?? "", ...facts].join(" ").trim();
  const error = entry.err?.message ?? null;
  return {
    process: entry.process ?? childName,
    level: entry.level,
    text: error === null ? words : `${words}: ${error}`,
    error,
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
