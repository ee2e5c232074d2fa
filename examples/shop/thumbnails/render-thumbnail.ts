/**
 * The handler of `thumbnail.render`.
 *
 * Shrinking a picture takes a processor for a second. On the main thread it would hold up the other
 * jobs of this worker, its heartbeat and its leases, and no signal could stop it; so each job gets a
 * thread, which is ended when the job must end. There are never more threads than the worker has slots.
 */
import { Worker } from "node:worker_threads";
import { type HandledJob, type HandlerContext, TerminalJobError } from "sluice/worker";
import { openDataFile } from "../files/data-file.ts";
import { outputName, type WrittenFile, writeOutput } from "../files/output-file.ts";
import type { ThumbnailData } from "./thumbnail-contract.ts";

export interface ThumbnailDirectories {
  readonly dataDir: string;
  readonly outputDir: string;
}

export interface RenderedThumbnail extends WrittenFile {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

const FILE_BYTES_MAX = 32 * 1024 * 1024;

/** A handler that reads pictures of `dataDir` and writes thumbnails below `outputDir`. */
export function thumbnailRenderer({ dataDir, outputDir }: ThumbnailDirectories) {
  return async (job: HandledJob<ThumbnailData>, { signal }: HandlerContext): Promise<RenderedThumbnail> => {
    const { source, width } = job.data;
    const file = await openDataFile(dataDir, {
      field: "data.source",
      name: source,
      bytesMax: FILE_BYTES_MAX,
    });
    const png = await file.readFile().finally(() => file.close());

    const thumbnail = await shrinkInThread({ png, width }, signal);
    const name = outputName(["thumbnail", job.jobId], "png");
    const written = await writeOutput(outputDir, `thumbnails/${name}`, thumbnail.png);
    return { ...written, width: thumbnail.width, height: thumbnail.height };
  };
}

interface ShrinkTask {
  readonly png: Uint8Array;
  /** Pixels wanted. */
  readonly width: number;
}

/** What the thread answers. */
type ShrinkAnswer =
  | { readonly kind: "shrunk"; readonly png: Uint8Array; readonly width: number; readonly height: number }
  /** The picture is the reason, so another attempt would end the same way. */
  | { readonly kind: "refused"; readonly reason: string };

/** JavaScript and not TypeScript: a thread starts without the loader that its parent may run under. */
const THREAD_FILE = new URL("./shrink-thread.mjs", import.meta.url);

/**
 * Settles only when the thread is gone: a slot that is free again has its processor and memory back.
 *
 * @throws {TerminalJobError} when the picture cannot be shrunk.
 * @throws the signal's reason once it aborts.
 */
async function shrinkInThread(task: ShrinkTask, signal: AbortSignal) {
  signal.throwIfAborted();
  const thread = new Worker(THREAD_FILE, { workerData: task, execArgv: [], env: {} });
  const end = () => void thread.terminate();
  signal.addEventListener("abort", end, { once: true });

  const answers: ShrinkAnswer[] = [];
  const failures: unknown[] = [];
  thread.once("message", (answer: ShrinkAnswer) => answers.push(answer));
  thread.once("error", (error) => failures.push(error));
  const exitCode = await new Promise<number>((resolve) => thread.once("exit", resolve));

  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
  const [answer] = answers;
  if (failures.length > 0) throw failures[0];
  if (answer === undefined) throw new Error(`the thread ended with exit code ${exitCode} and no answer`);
  if (answer.kind === "refused") throw new TerminalJobError(`data.source ${answer.reason}`);
  return answer;
}
