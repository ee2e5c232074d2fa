/**
 * One JSON line an event, on standard output. Facts are ids, counts and times; never a job's data,
 * a header's value or a URL with a password.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

export type Log = Logger;

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** @param output where the lines go; standard output when missing. */
export function createLog(processName: string, level: LogLevel, output?: DestinationStream): Log {
  const options: LoggerOptions = {
    level,
    base: { process: processName, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // An error's own fields may hold a job's data; its code and words are enough to find it.
    serializers: { err: errorFacts },
  };
  return output === undefined ? pino(options) : pino(options, output);
}

function errorFacts(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error ? { code: String(error.code) } : {};
  return { name: error.name, ...code, message: error.message, stack: error.stack };
}
