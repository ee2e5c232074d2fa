/** What a caller may know of a throttle that applied to its request; `rate-limit-fields.ts` writes it down. */
export interface Quota {
  /** Name of the throttle. */
  readonly name: string;
  readonly unit: "jobs" | "concurrent-requests";
  /** Jobs a window, or requests at once. */
  readonly quota: number;
  /** `null`: there is none, requests at once are meant. */
  readonly windowMs: number | null;
  /** By whom it counts, when each one is counted by itself: `tenant:acme`; else `null`. Never sent as it is. */
  readonly partition: string | null;
  /** Jobs, or requests, that would pass now; `null`: not looked at. At most `quota`. */
  readonly remaining: number | null;
  /** Milliseconds until one more would pass; 0: none is missing, or it is not known when. */
  readonly resetMs: number;
  /** Whether the request was too much for this one. */
  readonly violated: boolean;
}
