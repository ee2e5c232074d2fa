/** What a trace is, before and after it is understood. */

export interface CountTrace {
  readonly kind: "counts";
  readonly binMs: number;
  /** Arrivals by bin, >= 0, fractions too, in the order of time; at most 24 hours of them. */
  readonly counts: Float64Array;
}

export interface RequestTrace {
  readonly kind: "requests";
  /** Ascending, from the first request on. */
  readonly arrivalsMs: Float64Array;
  /** By request in that order, > 0. `null`: the trace does not say. */
  readonly serviceMs: Float64Array | null;
}

export type Trace = CountTrace | RequestTrace;

/** A cell with its place, for whoever complains about it. */
export interface TraceTable {
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
