/**
 * `sluice lanes migrate`: has the newest build of a queue move an older lane's jobs into its own.
 *
 * The build does it, in a process of its own; this finds the build, starts it, shows how far it is and
 * passes ^C on. It may be run again at any time and goes on where it ended.
 */
import { EXIT } from "#shared/exit-codes";
import { generationOf, QUEUE_NAME_PATTERN } from "#shared/lane";
import { CliError, usageError } from "../../cli-error.ts";
import { readPlaces } from "../../config.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { findReleaseBuild } from "../../find-build.ts";
import { findDevRun, findRedisUrl } from "../../find-redis-url.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import { exitCodeOfTask, runWorkerTask } from "../../worker-task.ts";
import type { CommandContext } from "../context.ts";
import { readFleet } from "../release/releases.ts";
import { type MigrationTotals, readMigrationLine, showTotals } from "./migration-report.ts";

export interface MigrateOptions {
  readonly release?: string;
  readonly app?: string;
  readonly rate?: string;
  readonly timeout?: string;
}

const RATE_MAX = 10_000;

/** @throws {CliError} when it cannot be started, or ends without saying what it did. */
export async function migrateLane(
  lane: string,
  options: MigrateOptions,
  context: CommandContext,
): Promise<void> {
  const queue = queueOfLane(lane);
  const limits = readLimits(options);
  const redisUrl = await findRedisUrl(context);
  const release = options.release ?? (await newestRelease(queue, context));
  const configPath = readPlaces(context).configPath ?? (await findDevRun(context))?.configPath ?? null;
  const build = await findReleaseBuild(release, { ...context, app: options.app, configPath });
  const signals = context.stopSignals();
  let totals: MigrationTotals | null = null;
  let lastError: string | null = null;
  const { code } = await runWorkerTask(
    {
      command: build.command,
      task: "migrate",
      cwd: context.cwd,
      timeoutMs: null,
      env: {
        ...context.env,
        ...limits,
        SLUICE_REDIS_URL: redisUrl,
        SLUICE_RELEASE: release,
        SLUICE_APP: build.app,
        SLUICE_QUEUE: queue,
        SLUICE_FROM_LANE: lane,
        // Its progress is what it logs.
        SLUICE_LOG_LEVEL: "info",
      },
      onLine: (line) => {
        const heard = readMigrationLine(line);
        if (heard.kind === "totals") totals = heard.totals;
        else if (heard.error !== null) lastError = heard.error;
        else context.note(heard.text);
      },
    },
    { clock: context.clock, signals },
  );
  answer({ code, totals, lastError, interrupted: signals.stop.aborted, lane }, context);
}

interface MigrationEnd {
  readonly code: number | null;
  readonly totals: MigrationTotals | null;
  readonly lastError: string | null;
  readonly interrupted: boolean;
  readonly lane: string;
}

function answer({ code, totals, lastError, interrupted, lane }: MigrationEnd, context: CommandContext): void {
  if (totals === null) throw noTotals({ code, lastError, interrupted, lane });
  const exitCode = interrupted ? CLI_EXIT.interrupted : exitCodeOf(code, totals);
  const lines = showTotals(totals);
  if (exitCode !== CLI_EXIT.ok) lines.push(`  ${nextStep(exitCode, lane)}`);
  context.answer({ kind: "Migration", json: { migration: totals }, text: `${lines.join("\n")}\n`, exitCode });
}

function noTotals({ code, lastError, interrupted, lane }: Omit<MigrationEnd, "totals">): CliError {
  // Without totals, jobs are only left because Redis went away.
  const failed = code === EXIT.jobsLeft ? CLI_EXIT.unreachable : exitCodeOfTask(code);
  const exitCode = interrupted ? CLI_EXIT.interrupted : failed;
  const words = (lastError ?? `its process ended with ${code ?? "a signal"}`).replace(/\.$/, "");
  return new CliError({
    exitCode,
    code: interrupted ? "INTERRUPTED" : "MIGRATION_FAILED",
    message: `${lane} was not emptied: ${words}.`,
    hint:
      exitCode === CLI_EXIT.conflict || exitCode === CLI_EXIT.usage
        ? "Nothing was moved."
        : "What has moved stays moved; run it again to go on.",
  });
}

/** Jobs that the build leaves need somebody; jobs that it did not come to need time. */
function exitCodeOf(code: number | null, { left, remaining }: MigrationTotals): number {
  if (code === EXIT.ok && remaining === 0) return CLI_EXIT.ok;
  return Object.keys(left).length > 0 ? CLI_EXIT.conflict : CLI_EXIT.timedOut;
}

function nextStep(exitCode: number, lane: string): string {
  if (exitCode === CLI_EXIT.conflict) {
    return "This build cannot move what is left: correct its upcaster or its versions, publish it, and run it again.";
  }
  return `${lane} still has jobs: run it again to go on.`;
}

/** @throws {CliError} */
function queueOfLane(lane: string): string {
  const queue = lane.replace(/\.r\d+$/, "");
  if (generationOf(lane) !== null && QUEUE_NAME_PATTERN.test(queue)) return queue;
  throw usageError(
    `${lane} is not the name of a lane, such as shop.r1.`,
    "`sluice lanes list` shows the lanes.",
  );
}

/** @throws {CliError} */
function readLimits({ rate, timeout }: MigrateOptions): Readonly<Record<string, string>> {
  if (rate !== undefined && !(/^[1-9]\d{0,4}$/.test(rate) && Number(rate) <= RATE_MAX)) {
    throw usageError(`--rate must be a whole number of jobs a second from 1 to ${RATE_MAX}.`);
  }
  const timeoutMs = timeout === undefined ? null : parseDurationMs(timeout);
  if (timeout !== undefined && (timeoutMs === null || timeoutMs < 1_000)) {
    throw usageError(`--timeout ${DURATION_RULE}, at least 1s.`);
  }
  return {
    ...(rate !== undefined && { SLUICE_JOBS_PER_SECOND: rate }),
    ...(timeoutMs !== null && { SLUICE_MIGRATE_TIMEOUT_MS: String(timeoutMs) }),
  };
}

/** @throws {CliError} when no live release has the queue. */
async function newestRelease(queue: string, context: CommandContext): Promise<string> {
  const { fleet } = await readFleet(context.servers().controlUrl);
  const newest = fleet.releases.findLast((it) => it.state === "live" && Object.hasOwn(it.generations, queue));
  if (newest !== undefined) return newest.release;
  throw new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "RELEASE_NOT_FOUND",
    message: `No live release has jobs on the queue ${queue}.`,
    hint: "Publish the build that shall have them, or name one with --release and --app.",
  });
}
