/**
 * Names of the BullMQ queues that make up one Sluice queue. No other file spells them.
 *
 * A lane is the BullMQ queue `<queue>.r<k>`, where k is a reader generation of the queue: every build
 * that subscribes to it reads everything in it. Beside the lanes a queue has two plain queues that
 * no worker subscribes to: `<queue>.parked` and `<queue>.dead`.
 */

/** Lower case, digits and dashes; at most 64 characters. No dot, so that lane names cannot collide. */
export const QUEUE_NAME_PATTERN = /^[a-z][a-z0-9-]{0,63}$/;

/** The lane of reader generation `generation` (>= 1) of `queue`. */
export function laneName(queue: string, generation: number): string {
  return `${queue}.r${generation}`;
}

/** Where jobs wait that no present build can read; released when a capable worker registers. */
export function parkedName(queue: string): string {
  return `${queue}.parked`;
}

/** Where quarantined jobs are kept for a person to look at. */
export function deadName(queue: string): string {
  return `${queue}.dead`;
}

/** The reader generation in a lane's name, or `null` when the name is not a lane's. */
export function generationOf(lane: string): number | null {
  const digits = /\.r([1-9][0-9]*)$/.exec(lane)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Name of the counter of jobs of `type` accepted into the lane of `generation`. */
export function arrivalCounterName(type: string, generation: number): string {
  return `${type}|r${generation}`;
}

/** What a counter's name says, or `null` when it is none. */
export function parseArrivalCounterName(name: string): { type: string; generation: number } | null {
  const match = /^(.+)\|r([1-9][0-9]*)$/.exec(name);
  return match === null ? null : { type: String(match[1]), generation: Number(match[2]) };
}
