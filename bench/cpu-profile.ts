/**
 * Reads what `node --cpu-prof` has written: self time of a span, by group and by function.
 *
 * Pure. The profile's clock and `performance.now()` both count the machine's monotonic time, but from
 * different starts; the caller gives the span in the profile's own.
 */

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** The parts of the format that are read here; all times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTimes {
  /** Microseconds of self time by group, such as a package's name. */
  readonly byGroup: ReadonlyMap<string, number>;
  readonly byFunction: ReadonlyMap<string, number>;
}

export function selfTimes(
  profile: CpuProfile,
  span: { readonly fromUs: number; readonly untilUs: number },
): SelfTimes {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const byGroup = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let atUs = profile.startTime;
  profile.samples.forEach((id, index) => {
    atUs += profile.timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || atUs < span.fromUs || atUs > span.untilUs) return;
    // A sample stands for the time until the next one.
    const us = Math.max(0, profile.timeDeltas[index + 1] ?? 0);
    const group = groupOf(frame);
    addTo(byGroup, group, us);
    addTo(byFunction, functionNameOf(frame, group), us);
  });
  return { byGroup, byFunction };
}

/** A package, a built-in module, a file of Sluice, or one of the engine's own, such as "(idle)". */
function groupOf({ functionName, url }: CallFrame): string {
  if (url.startsWith("node:")) return url.replace(/^node:internal\/(\w+).*$/, "node:internal/$1");
  const parts = url.split("/node_modules/");
  if (parts.length > 1) return /^(@[^/]+\/[^/]+|[^/]+)/.exec(parts.at(-1) ?? "")?.[0] ?? url;
  const own = /\/(?:dist|bench)\/(.+)$/.exec(url)?.[1];
  if (own !== undefined) return `own: ${own}`;
  if (functionName.startsWith("(")) return functionName;
  return url === "" ? "built in or compiled at run time" : url;
}

function functionNameOf({ functionName, url, lineNumber }: CallFrame, group: string): string {
  if (functionName === group) return group;
  const file = url.slice(url.lastIndexOf("/") + 1);
  return `${functionName || "(anonymous)"}  ${group}${file === "" ? "" : `  ${file}:${lineNumber + 1}`}`;
}

function addTo(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us);
}
