/**
 * `npm run bench`: what Sluice costs beside a plain server with `queue.add` and beside a raw BullMQ
 * worker, measured side by side on this machine.
 *
 * Progress goes to standard error, the result to standard output.
 */
import { describeMachine, describeMethod } from "./machine.ts";
import { readOptions, USAGE } from "./options.ts";
import { renderReport } from "./report.ts";
import { runProfile } from "./run-profile.ts";
import { runRounds } from "./run-rounds.ts";
import { SIDE_GROUPS } from "./sides.ts";

const EXIT_USAGE = 2;

// Leaving by `exit` is what ends every process of the bench.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  await run();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

async function run(): Promise<void> {
  const options = optionsOrExit();
  const groups = SIDE_GROUPS.filter(({ name }) => options.groups.includes(name));
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  if (options.profile) {
    await print(await runProfile(groups, options, progress));
    return;
  }
  const machine = describeMachine();
  const method = describeMethod(options);
  const results = await runRounds(groups, options, progress);
  await print(
    options.json
      ? JSON.stringify({ machine, method, groups: results })
      : renderReport(machine, method, results),
  );
}

function optionsOrExit() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    return process.exit(EXIT_USAGE);
  }
}

/** Resolves when it is written, since a pipe takes long texts in pieces. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}
