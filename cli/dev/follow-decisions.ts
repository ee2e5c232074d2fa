/** Tells each scaling decision that changed something, once. */
import type { Clock } from "#shared/clock";
import { toRfc3339 } from "#shared/system-clock";
import { decisionsAnswer } from "../answers.ts";
import { describeChange } from "../describe-change.ts";
import { send } from "../http-client.ts";
import type { Screen } from "./screen.ts";

const LOOK_AGAIN_MS = 1_000;
const ANSWER_MS_MAX = 2_000;
const DECISIONS_ASKED = 50;

/** Runs until `stop` aborts. Decisions made before `sinceMs` are those of an earlier run and not told. */
export async function followDecisions(
  baseUrl: string,
  { clock, screen, sinceMs }: { clock: Clock; screen: Screen; sinceMs: number },
  stop: AbortSignal,
): Promise<void> {
  const since = toRfc3339(sinceMs);
  let told: ReadonlySet<string> = new Set();
  while (!stop.aborted) {
    const decisions = await askDecisions(baseUrl);
    const seen = told;
    if (decisions !== null) {
      const fresh = decisions.filter((it) => it.at >= since && !seen.has(it.id));
      for (const decision of fresh.toSorted((a, b) => (a.at < b.at ? -1 : 1))) {
        const change = describeChange(decision);
        if (change !== null) screen.event("scale", `${change}  ${decision.sentence}`);
      }
      told = new Set(decisions.map((it) => it.id));
    }
    await clock.sleep(LOOK_AGAIN_MS, stop);
  }
}

/** `null` when there is no usable answer: the autoscaler is away for a moment. */
async function askDecisions(baseUrl: string) {
  const path = `/v1/scaling/decisions?limit=${DECISIONS_ASKED}`;
  try {
    const { value } = await send({ method: "GET", baseUrl, path, timeoutMs: ANSWER_MS_MAX });
    return decisionsAnswer.safeParse(value).data?.decisions ?? null;
  } catch {
    return null;
  }
}
