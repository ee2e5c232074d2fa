/** What a rollout's verdict is for a script that waits for it. Pure. */

export type RolloutEnd = "well" | "badly";

/** `null` while it is not settled. A verdict that this command does not know settles nothing. */
export function decideRolloutEnd(verdict: string): RolloutEnd | null {
  if (verdict === "current" || verdict === "finished") return "well";
  if (verdict === "halted" || verdict === "rolled-back") return "badly";
  return null;
}
