/**
 * `sluice dev`: everything in one process tree on this machine.
 *
 * Says where it is once it runs, tells what happens, and stops on ^C: no new jobs, then no workers, then
 * no Redis. Whatever goes wrong in between, what was started is stopped.
 */
import { join, relative } from "node:path";
import type { Clock } from "#shared/clock";
import { readConfig } from "#shared/read-config";
import { readSluiceConfig, type SluiceConfig } from "#shared/sluice-config";
import { untilAborted } from "#shared/until-aborted";
import { jsonText, type Output } from "../answer.ts";
import { lanesAnswer } from "../answers.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { send } from "../http-client.ts";
import type { Painter } from "../terminal/colour.ts";
import { type Addresses, areDefaultPorts, showAddresses, showNextSteps, withoutPassword } from "./banner.ts";
import { configFileOf, type DevConfig, devEnv } from "./config.ts";
import { describeDurability } from "./describe-durability.ts";
import { DevStack, type RunningStack } from "./dev-stack.ts";
import { followDecisions } from "./follow-decisions.ts";
import { Screen } from "./screen.ts";
import { longestDrainMs } from "./stop-plan.ts";
import type { StopSignals } from "./stop-signals.ts";

const ANSWER_MS_MAX = 1_000;

export interface DevPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the words for people go. */
  readonly output: Output;
  /** Gets one JSON object once everything runs; `null` when nobody asked for it. */
  readonly jsonOutput: Output | null;
  readonly paint: Painter;
  readonly clock: Clock;
  readonly signals: StopSignals;
  readonly version: string;
  readonly packageRoot: string;
  /** Where the built rooms are: `dist/`. */
  readonly builtRoot: string;
}

/** Runs until stopped; gives the exit code. @throws {CliError | ConfigInvalidError} when it cannot run. */
export async function runDev(ports: DevPorts): Promise<number> {
  const { env, output, paint, clock, signals, version } = ports;
  const config = readConfig(devEnv, env);
  const sluice = await readSluiceConfig(configFileOf(config, ports.packageRoot));
  const screen = new Screen(output, paint, clock);
  const stack = new DevStack({ ...ports, config, sluice, screen });
  const sinceMs = clock.nowMs();
  screen.line();
  screen.line(`${paint.strong(`sluice ${version}`)} · node ${process.versions.node} · ${sluice.path}`);
  screen.line();
  let running: RunningStack | null;
  try {
    running = await stack.start(signals.stop);
  } catch (error) {
    await stack.stop(signals.insist);
    throw error;
  }
  if (running !== null) {
    await announce(running, config, { ...ports, screen });
    const { controlUrl } = running;
    const following = followDecisions(controlUrl, { clock, screen, sinceMs }, signals.stop);
    await untilAborted(signals.stop);
    await following;
  }
  return stop(stack, running, { config, sluice, screen, signals });
}

async function announce(
  { apiUrl, controlUrl, redisUrl, ports }: RunningStack,
  config: DevConfig,
  { jsonOutput, screen, packageRoot }: DevPorts & { readonly screen: Screen },
): Promise<void> {
  const durability = await describeDurability(apiUrl);
  const addresses: Addresses = {
    apiUrl,
    controlUrl,
    redisUrl: withoutPassword(redisUrl),
    durability,
    auth: config.auth,
    dataDir: config.redisUrl === null ? config.dataDir : null,
  };
  showAddresses(addresses, screen);
  // `npx` does not find the command of the very package it is called in.
  const command = `node ${relative(process.cwd(), join(packageRoot, "dist/cli/main.js"))}`;
  const facts = { exampleApp: config.configPath === null, defaultPorts: areDefaultPorts(ports), command };
  showNextSteps(addresses, facts, screen);
  jsonOutput?.write(jsonText("Dev", { ...addresses, pid: process.pid }));
}

interface Stopping {
  readonly config: DevConfig;
  readonly sluice: SluiceConfig;
  readonly screen: Screen;
  readonly signals: StopSignals;
}

async function stop(
  stack: DevStack,
  running: RunningStack | null,
  { config, sluice, screen, signals }: Stopping,
): Promise<number> {
  screen.line();
  if (running === null) screen.line("stopping");
  else {
    const jobs = await jobsInFlight(running.controlUrl);
    const what = jobs === null ? "jobs" : jobs === 1 ? "1 job" : `${jobs} jobs`;
    const deadline = `deadline ${longestDrainMs(sluice, config.drainDeadlineMs) / 1_000} s`;
    screen.line(`stopping: draining ${what} in flight (${deadline}; ^C again to stop at once)`);
  }
  const insisted = () => screen.line("stopping at once: jobs in flight run again after the next start");
  signals.insist.addEventListener("abort", insisted, { once: true });
  await stack.stop(signals.insist);
  screen.line("stopped");
  return signals.insist.aborted ? CLI_EXIT.interrupted : CLI_EXIT.ok;
}

/** By the lanes, which are newer than what workers last said of themselves; `null` when they cannot be asked. */
async function jobsInFlight(controlUrl: string): Promise<number | null> {
  try {
    const request = {
      method: "GET",
      baseUrl: controlUrl,
      path: "/v1/lanes",
      timeoutMs: ANSWER_MS_MAX,
    } as const;
    const { queues } = lanesAnswer.parse((await send(request)).value);
    return queues.flatMap(({ lanes }) => lanes).reduce((sum, { inFlight }) => sum + inFlight, 0);
  } catch {
    return null;
  }
}
