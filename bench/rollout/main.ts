/**
 * `npm run bench:rollout [-- --times N --rate N]`: v1 -> v2 -> v3, back to v2 in the middle, and v3 again, five times over,
 * each on a platform of its own under 200 jobs a second.
 *
 * Prints a line a takeover and a ledger a round; ends with 1 when anything was lost, failed, burnt, stalled or run twice.
 */
import { parseArgs } from "node:util";
import { isClean } from "#cli/demo/decide-ledger";
import { showTakeovers } from "#test/support/rollout-shows";
import { RolloutStand } from "#test/support/rollout-stand";

let running: RolloutStand | null = null;
const end = async (code: number) => {
  await running?.stop();
  process.exit(code);
};
process.once("SIGINT", () => void end(130));
process.once("SIGTERM", () => void end(143));

const { values } = parseArgs({
  options: { times: { type: "string", default: "5" }, rate: { type: "string", default: "200" } },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
let wrong = 0;
for (let round = 1; round <= Number(values.times); round += 1) wrong += (await runRound(round)) ? 0 : 1;
process.exitCode = wrong === 0 ? 0 : 1;

async function runRound(round: number): Promise<boolean> {
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const stand = await RolloutStand.start({ ratePerSecond: Number(values.rate), note });
  running = stand;
  try {
    const { verdicts, milestones, ledger } = await showTakeovers(stand);
    const { accepted, succeeded, failed, lost, unfinished, runTwice, burnt, stalls } = ledger.count;
    for (const [index, verdict] of verdicts.entries()) {
      const { shareDrainedAfterMs, drainedAfterMs } = milestones[index] ?? {};
      say(
        `round ${round}: ${verdict}, last step drained after ${shareDrainedAfterMs ?? "-"} ms, release after ${drainedAfterMs ?? "-"} ms`,
      );
    }
    const counts = { accepted, succeeded, failed, lost, unfinished, runTwice, burnt, stalls };
    say(`round ${round}: ${JSON.stringify(counts)}`);
    const asMeant = verdicts.join(" ") === "finished rolled-back finished";
    return asMeant && isClean(ledger.count) && burnt + stalls + runTwice.explained === 0;
  } finally {
    await stand.stop();
  }
}
