/**
 * Which version a gate shall be moved to, from what a person asked for and what the gate showed.
 *
 * Whether it may move there is for the server to say. This only keeps a raise from becoming a lowering,
 * and finds the version where none was named.
 */

export interface GateWish {
  readonly direction: "raise" | "lower";
  /** `null`: the next one above. */
  readonly version: number | null;
}

export interface ShownGate {
  readonly type: string;
  readonly activeversion: number;
  /** `null` when nothing is above the gate. */
  readonly next: { readonly version: number } | null;
}

export type GateTarget =
  | { readonly kind: "move"; readonly version: number }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly hint: string };

export function decideGateTarget({ type, activeversion, next }: ShownGate, wish: GateWish): GateTarget {
  const { direction, version } = wish;
  const target = version ?? next?.version ?? null;
  if (target === null) {
    const message = `Version ${activeversion} is the newest that is published of ${type}: nothing is above its gate.`;
    return { kind: "refused", code: "NOTHING_ABOVE", message, hint: "Publish a release with a newer one." };
  }
  const otherWay = direction === "raise" ? target < activeversion : target > activeversion;
  if (!otherWay) return { kind: "move", version: target };
  const other = direction === "raise" ? "lower" : "raise";
  return {
    kind: "refused",
    code: "OTHER_DIRECTION",
    message: `The gate of ${type} is at ${activeversion}: version ${target} is ${other === "raise" ? "above" : "below"} it.`,
    hint: `\`sluice gate ${other} ${type} ${target}\` moves it there.`,
  };
}
