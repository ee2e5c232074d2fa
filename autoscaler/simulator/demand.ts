/**
 * How many workers a pool would have needed, minute by minute, had it known what comes.
 *
 * For each cell of time the least number that, kept on, takes every job that has come by the cell's end
 * within its promise; what the cell before has left running or waiting is taken over. Pure. It is the
 * demand curve of the elasticity metrics and the plan of the clairvoyant baseline, not a bound that nothing can
 * go below: that is the work itself.
 */
import { CELL_MS } from "./outcome.ts";
import type { Workload } from "./workload.ts";

export interface DemandTerms {
  readonly pickupPromiseMs: number;
  readonly slotsPerWorker: number;
}

/** Workers by cell of {@link CELL_MS}. */
export function demandOf(workload: Workload, terms: DemandTerms): Uint32Array {
  const { arrivalsMs, horizonMs } = workload;
  const demand = new Uint32Array(Math.ceil(horizonMs / CELL_MS));
  let line: Line = { fromMs: 0, head: 0, runningUntilMs: [] };
  let arrived = 0;
  for (let cell = 0; cell < demand.length; cell += 1) {
    const endMs = (cell + 1) * CELL_MS;
    while (arrived < arrivalsMs.length && (arrivalsMs[arrived] as number) < endMs) arrived += 1;
    const workers = leastWorkers(workload, terms, { ...line, arrived, guess: demand[cell - 1] ?? 1 });
    demand[cell] = workers;
    line = advance(workload, { ...line, arrived, endMs, slots: workers * terms.slotsPerWorker });
  }
  return demand;
}

/** A pool at one moment: what runs, ascending by its end, and from which job on the others wait. */
interface Line {
  readonly fromMs: number;
  readonly head: number;
  readonly runningUntilMs: readonly number[];
}

function leastWorkers(
  workload: Workload,
  terms: DemandTerms,
  line: Line & { readonly arrived: number; readonly guess: number },
): number {
  if (line.head === line.arrived) return 0;
  const enough = (workers: number) => keepsPromise(workload, { ...line, ...terms, workers });
  let above = Math.max(line.guess, 1);
  let below = 0;
  while (!enough(above)) {
    below = above;
    above *= 2;
  }
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (enough(middle)) above = middle;
    else below = middle;
  }
  return above;
}

function keepsPromise(
  { arrivalsMs, serviceMs }: Workload,
  plan: Line & DemandTerms & { readonly arrived: number; readonly workers: number },
): boolean {
  const freeMs = slotsFreeAt(plan, plan.workers * plan.slotsPerWorker);
  for (let job = plan.head; job < plan.arrived; job += 1) {
    const cameMs = arrivalsMs[job] as number;
    const startMs = Math.max(freeMs[0] as number, cameMs);
    if (startMs > cameMs + plan.pickupPromiseMs) return false;
    replaceFirst(freeMs, startMs + (serviceMs[job] as number));
  }
  return true;
}

/** The pool at the end of the cell: jobs that would start later are left to the next one. */
function advance(
  { arrivalsMs, serviceMs }: Workload,
  cell: Line & { readonly arrived: number; readonly endMs: number; readonly slots: number },
): Line {
  const { endMs } = cell;
  const running = cell.runningUntilMs.filter((atMs) => atMs > endMs);
  if (cell.slots === 0) return { fromMs: endMs, head: cell.head, runningUntilMs: running };
  const freeMs = slotsFreeAt(cell, cell.slots);
  let { head } = cell;
  for (; head < cell.arrived; head += 1) {
    const startMs = Math.max(freeMs[0] as number, arrivalsMs[head] as number);
    if (startMs >= endMs) break;
    const untilMs = startMs + (serviceMs[head] as number);
    if (untilMs > endMs) running.push(untilMs);
    replaceFirst(freeMs, untilMs);
  }
  return { fromMs: endMs, head, runningUntilMs: running.sort((a, b) => a - b) };
}

/** When each of so many slots is free: a heap. Where more runs than that, the first ends free nobody. */
function slotsFreeAt({ runningUntilMs, fromMs }: Line, slots: number): number[] {
  const idle = Math.max(0, slots - runningUntilMs.length);
  const ends = runningUntilMs.slice(Math.max(0, runningUntilMs.length - slots));
  // Ascending, so a heap already.
  return [...Array<number>(idle).fill(fromMs), ...ends];
}

/** Puts a later time in place of the first of the heap. */
function replaceFirst(heap: number[], value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child += 1;
    if ((heap[child] as number) >= value) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = value;
}
