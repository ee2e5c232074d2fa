/**
 * Text as JSON has it, remembered: for the few texts, such as tenants and sources, that are written into every job.
 *
 * Not for what each job has of its own: it would push the others out.
 */
const KEPT_MAX = 1_000;

/** Longer ones are rare, and a thousand of them would be much memory. */
const KEPT_CHARS_MAX = 256;

const known = new Map<string, string>();

export function quoted(text: string): string {
  const kept = known.get(text);
  if (kept !== undefined) return kept;
  const made = JSON.stringify(text);
  if (text.length > KEPT_CHARS_MAX) return made;
  if (known.size >= KEPT_MAX) known.clear();
  known.set(text, made);
  return made;
}
