/** `sluice contracts publish`: has a release's own build enter what it reads in the registry. */
import { z } from "zod";
import { readActor } from "../../actor.ts";
import { CliError } from "../../cli-error.ts";
import { readPlaces } from "../../config.ts";
import { ChildVoice } from "../../dev/child-voice.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { findReleaseBuild } from "../../find-build.ts";
import { findRedisUrl } from "../../find-redis-url.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { exitCodeOfTask, runWorkerTask } from "../../worker-task.ts";
import type { CommandContext } from "../context.ts";
import { interrupted } from "./contract-task.ts";

export interface PublishOptions {
  readonly release: string;
  readonly app?: string;
  readonly draft?: boolean;
  readonly by?: string;
}

const PUBLISH_MS_MAX = 60_000;

/** What the build logs once it is done: the generation of each of its queues. */
const publishedLine = z.object({
  release: z.string(),
  app: z.string(),
  lanes: z.record(z.string(), z.object({ generation: z.number() })).optional(),
});

/** @throws {CliError} with the build's own words when it is not published. */
export async function publishContracts(options: PublishOptions, context: CommandContext): Promise<void> {
  const { release, draft = false } = options;
  const by = readActor(options.by);
  const { configPath } = readPlaces(context);
  const build = await findReleaseBuild(release, { ...context, app: options.app, configPath });
  const redisUrl = await findRedisUrl(context);
  const signals = context.stopSignals();
  const voice = new ChildVoice("publish", context.clock, () => undefined);
  const { code, output } = await runWorkerTask(
    {
      command: build.command,
      task: "publish",
      cwd: context.cwd,
      timeoutMs: PUBLISH_MS_MAX,
      env: {
        ...context.env,
        SLUICE_REDIS_URL: redisUrl,
        SLUICE_RELEASE: release,
        SLUICE_APP: build.app,
        SLUICE_ACTOR: by,
        SLUICE_DRAFT: String(draft),
        // What it has done is what it logs.
        SLUICE_LOG_LEVEL: "info",
      },
      onLine: (line) => voice.hear(line),
    },
    { clock: context.clock, signals },
  );
  if (signals.stop.aborted) throw interrupted();
  if (code !== 0) throw notPublished(release, code, voice.lastWords);
  const told =
    output
      .split("\n")
      .map(publishedIn)
      .findLast((it) => it !== null) ?? null;
  const lanes = Object.entries(told?.lanes ?? {}).map(([queue, { generation }]) => `${queue}.r${generation}`);
  const where = lanes.length === 0 ? "" : `  lanes: ${lanes.join(" ")}`;
  const text = `${context.paint.strong(neutraliseLine(release))}  ${draft ? "drafted" : "published"}${where}\n`;
  context.answer({
    kind: "Published",
    json: { release, app: told?.app ?? null, draft, lanes },
    text: text,
    exitCode: CLI_EXIT.ok,
  });
}

function publishedIn(line: string): z.output<typeof publishedLine> | null {
  try {
    return publishedLine.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

function notPublished(release: string, code: number | null, lastWords: string | null): CliError {
  const words = lastWords ?? `its process ended with ${code ?? "a signal"}`;
  const exitCode = exitCodeOfTask(code);
  return new CliError({
    exitCode,
    code: "PUBLISH_FAILED",
    message: `Release ${release} was not published${words.includes("\n") ? `.\n${words}` : `: ${words}.`}`,
    hint: exitCode === CLI_EXIT.unreachable ? "Is SLUICE_REDIS_URL right?" : "The registry is as it was.",
  });
}
