/** Publishes one release, by having the release's own build say what it reads. */
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import type { ReleaseConfig } from "#shared/sluice-config";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { ChildVoice } from "./child-voice.ts";
import { SupervisedProcess, showEnd } from "./supervised-process.ts";

const PUBLISH_MS_MAX = 60_000;

export interface PublishOptions {
  /** Command of a release that names none. */
  readonly defaultCommand: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** @throws {CliError} with the problems the build told, when it is not published. */
export async function publishRelease(release: ReleaseConfig, options: PublishOptions): Promise<void> {
  const { clock, env, stop, defaultCommand } = options;
  const [command = "", ...args] = release.command ?? defaultCommand;
  const voice = new ChildVoice("publish", clock, () => undefined);
  const child = new SupervisedProcess(
    {
      name: "publish",
      command,
      args: [...args, "publish"],
      env: { ...env, SLUICE_RELEASE: release.id, SLUICE_APP: release.app },
      ipc: false,
    },
    { clock, onLine: (line) => voice.hear(line), onRestart: () => undefined },
  );
  const end = () => void child.stop({ signals: ["SIGTERM"], killAfterMs: 2_000 });
  const cancelTimeout = clock.after(PUBLISH_MS_MAX, end);
  stop.addEventListener("abort", end, { once: true });
  child.start();
  await child.ended();
  cancelTimeout();
  stop.removeEventListener("abort", end);
  const how = child.finalEnd;
  if (how?.code === 0 || stop.aborted) return;
  const words = voice.lastWords ?? (how === null ? "it did not run" : `its process ${showEnd(how)}`);
  throw new CliError({
    exitCode: how?.code ?? CLI_EXIT.unexpected,
    code: "PUBLISH_FAILED",
    message: `Release ${release.id} was not published${words.includes("\n") ? `.\n${words}` : `: ${words}.`}`,
    hint: how?.code === EXIT.redisUnreachable ? "Is SLUICE_REDIS_URL right?" : "Nothing was started.",
  });
}
