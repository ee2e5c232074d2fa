/** One request of the fuzzer: all that is sent, and what it was meant to be. */

/** In which way a request is odd, or that it is not. */
export const FUZZ_CLASSES = [
  "valid",
  "boundary",
  "wrong-type",
  "missing",
  "extra",
  "unicode",
  "huge",
  "duplicate-keys",
  "deep",
  "malformed-body",
  "content-type",
  "odd-headers",
  "odd-query",
  "odd-id",
  "odd-method",
  "odd-path",
  "raw-bytes",
] as const;

export type FuzzClass = (typeof FUZZ_CLASSES)[number];

export interface FuzzRequest {
  readonly index: number;
  readonly kind: FuzzClass;
  /** `METHOD /path/{parameter}` of the operation that it is made for, or was before it was made odd. */
  readonly operation: string;
  readonly method: string;
  /** Path and query as they are sent, percent-encoding included. */
  readonly target: string;
  /** In order; a name may come twice. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
  /** The JSON value that the body says, where it says one. */
  readonly value?: unknown;
  /** Sent as it is instead of everything above, for requests that no HTTP library would send. */
  readonly bytes?: Buffer;
}

export interface FuzzAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The stream was left before it ended; what came so far is the body. */
  readonly isPartial?: boolean;
}

/** `no-answer`: the connection ended without one. */
export type FuzzOutcome =
  | { readonly kind: "answer"; readonly answer: FuzzAnswer; readonly elapsedMs: number }
  | { readonly kind: "no-answer"; readonly reason: string };

/** As a person can send it again. */
export function shownRequest({ method, target, headers, body, bytes }: FuzzRequest): string {
  if (bytes !== undefined) return JSON.stringify(bytes.toString("latin1").slice(0, 500));
  const named = headers.map(([name, value]) => `${name}: ${value.slice(0, 200)}`).join("\n");
  const text = body === null ? "" : `\n\n${body.toString("utf8").slice(0, 1_000)}`;
  return `${method} ${target.slice(0, 500)}\n${named}${text}`;
}
