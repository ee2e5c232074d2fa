/** Spreads the cells over processes. The results are in the order of the tasks, whoever was done first. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { CellResult, CellTask } from "./cells.ts";

/**
 * @param onResult hears of each cell as it is done.
 * @throws {Error} with the words of the first that went wrong.
 */
export async function runCells(
  tasks: readonly CellTask[],
  processes: number,
  onResult: (result: CellResult) => void,
): Promise<readonly CellResult[]> {
  const results = new Map<CellTask, CellResult>();
  const queue = [...tasks];
  const played = Array.from({ length: Math.min(processes, tasks.length) }, async () => {
    const child = fork(join(import.meta.dirname, "cell-process.ts"), { serialization: "advanced" });
    try {
      for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
        const result = await play(child, task);
        results.set(task, result);
        onResult(result);
      }
    } finally {
      child.disconnect();
    }
  });
  await Promise.all(played);
  return tasks.flatMap((task) => results.get(task) ?? []);
}

interface Answer {
  readonly result?: CellResult;
  readonly problem?: string;
}

function play(child: ChildProcess, task: CellTask): Promise<CellResult> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) =>
      reject(new Error(`The process that played ${task.trace} ended (${code}).`));
    child.once("exit", onExit);
    child.once("message", ({ result, problem }: Answer) => {
      child.off("exit", onExit);
      if (result === undefined) reject(new Error(problem));
      else resolve(result);
    });
    child.send(task);
  });
}
