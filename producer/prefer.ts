/** `Prefer: wait=N` (RFC 7240): how long a client would rather wait for an answer. */

/** Seconds that a request may wait: proxies between here and there give up after about as long. */
export const WAIT_SECONDS_MAX = 60;

/**
 * The seconds of the first `wait`, at most `WAIT_SECONDS_MAX`; `null` when there is none. What is not
 * understood is no preference: RFC 7240 has nobody refuse a request for it.
 */
export function preferredWaitSeconds(header: string | readonly string[] | undefined): number | null {
  for (const preference of [header ?? ""].flat().join(",").split(",")) {
    const [name = "", value = ""] = (preference.split(";")[0] ?? "").split("=").map((it) => it.trim());
    const seconds = /^(?:(\d{1,9})|"(\d{1,9})")$/.exec(value);
    if (name.toLowerCase() !== "wait" || seconds === null) continue;
    return Math.min(WAIT_SECONDS_MAX, Number(seconds[1] ?? seconds[2]));
  }
  return null;
}

/** What tells the client that its preference was followed. */
export function preferenceApplied(seconds: number): Readonly<Record<string, string>> {
  return { "preference-applied": `wait=${seconds}` };
}
