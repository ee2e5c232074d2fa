/** What a server's `/readyz` says about itself. */

/** Its problems in one sentence; `null` when it names none. The words are the server's. */
export function problemsIn(answer: unknown): string | null {
  if (answer === null || typeof answer !== "object" || !("problems" in answer)) return null;
  return Array.isArray(answer.problems) && answer.problems.length > 0 ? answer.problems.join("; ") : null;
}
