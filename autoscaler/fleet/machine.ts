/**
 * What the executor must know of the machine and its processes: who runs under a process id, and how much memory is
 * left.
 *
 * A process id alone says little: it may be another's by now. On Linux the moment of the process's start tells them
 * apart, and the machine's boot id tells a number of before a reboot; elsewhere both are unknown and left out.
 */
import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

/** Changes with every boot; `""` where the system does not tell. */
export function bootId(): string {
  return textOf("/proc/sys/kernel/random/boot_id") ?? "";
}

/** When the process was started, in ticks since the boot; `null` when it has ended, or the system does not tell. */
export function startTicksOf(pid: number): number | null {
  const text = textOf(`/proc/${pid}/stat`);
  // The program's name may hold anything, brackets and spaces too; what follows the last bracket does not.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state, ticks] = [fields[0], fields[19]];
  // One that nobody has waited for is still listed.
  return ticks === undefined || state === "Z" || state === "X" ? null : Number(ticks);
}

/** Whether a process is there, and is the one that was started at `startTicks`. A zombie has ended. */
export function isRunning(pid: number | null, startTicks: number | null = null): boolean {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return startTicks === null || startTicksOf(pid) === startTicks;
}

/** Resident memory of a process in bytes, `null` where the system does not tell. */
export function residentBytesOf(pid: number): number | null {
  const pages = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1];
  return pages === undefined ? null : Number(pages) * 1_024;
}

export interface MachineMemory {
  /** What processes may still take, in bytes. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Of the machine, or of the control group that we are in where that has less. */
export function machineMemory(): MachineMemory {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf("/proc/meminfo") ?? "")?.[1];
  const freeBytes = available === undefined ? freemem() : Number(available) * 1_024;
  const machine = { freeBytes, totalBytes: totalmem() };
  const limit = Number(textOf("/sys/fs/cgroup/memory.max") ?? "NaN");
  const used = Number(textOf("/sys/fs/cgroup/memory.current") ?? "NaN");
  if (!(limit > 0) || !(used >= 0) || limit >= machine.totalBytes) return machine;
  // The page cache is counted as used and given up when it is needed.
  const cached = Number(/^inactive_file (\d+)$/m.exec(textOf("/sys/fs/cgroup/memory.stat") ?? "")?.[1] ?? 0);
  return { freeBytes: Math.min(freeBytes, Math.max(0, limit - used + cached)), totalBytes: limit };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
