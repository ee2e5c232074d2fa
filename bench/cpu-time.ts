/** CPU time that a process has used, in user and kernel mode and all threads together, from /proc. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Positions after the program's name, which may itself hold spaces and ends with ")". */
const USER_TICKS_AT = 11;
const KERNEL_TICKS_AT = 12;

let tickUs: number | null = null;

/** Microseconds, in steps of one clock tick (10 ms on most machines). @throws where there is no /proc. */
export function cpuTimeUs(pid: number): number {
  tickUs ??= 1_000_000 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS_AT]) + Number(fields[KERNEL_TICKS_AT])) * tickUs;
}

/** What two processes have used up to a moment. */
export interface CpuReading {
  /** Monotonic. */
  readonly atMs: number;
  readonly nodeUs: number;
  readonly redisUs: number;
}

export function readCpu(nodePid: number, redisPid: number): CpuReading {
  return { atMs: performance.now(), nodeUs: cpuTimeUs(nodePid), redisUs: cpuTimeUs(redisPid) };
}
