/**
 * Posts the jobs of a slice at their times, whatever comes back: an open loop, so a slow door cannot stretch the trace.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Workload } from "#autoscaler/simulator/workload";

const ANSWER_MAX_MS = 20_000;
const ACCEPTED = 202;
const UNAVAILABLE = 503;
const TRIES_MAX = 20;
const RETRY_MS = 250;

export interface Sent {
  /** How much later than meant the latest job was posted, in milliseconds. */
  readonly latestMs: number;
}

/**
 * Resolves when every job was accepted.
 *
 * @param startedAtMs when the slice begins, since the Unix epoch.
 * @throws when a job is refused or not answered: the replay would not be of the slice.
 */
export async function sendJobs(url: string, workload: Workload, startedAtMs: number): Promise<Sent> {
  const { arrivalsMs, serviceMs } = workload;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers: Promise<void>[] = [];
  let failure: unknown = null;
  let latestMs = 0;
  try {
    for (const [n, atMs] of arrivalsMs.entries()) {
      const waitMs = startedAtMs + atMs - Date.now();
      if (waitMs > 0) await sleep(waitMs);
      if (failure !== null) throw failure;
      latestMs = Math.max(latestMs, Date.now() - (startedAtMs + atMs));
      const job = { type: "replay.job", schemaversion: 1, data: { n, ms: serviceMs[n] ?? 0 } };
      const answer = enqueue({ url, agent, key: `replay-${n}` }, JSON.stringify(job));
      // Told at the next job, or at the end.
      answer.catch((error: unknown) => {
        failure ??= error;
      });
      answers.push(answer);
    }
    await Promise.all(answers);
  } finally {
    agent.destroy();
  }
  return { latestMs };
}

interface Door {
  readonly url: string;
  readonly agent: Agent;
  readonly key: string;
}

/** As a client does it: the same key again where it is not known whether the job is in, or nothing could be taken. */
async function enqueue(door: Door, body: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { status, text } = await post(door, body);
    if (status === ACCEPTED) return;
    if (status !== UNAVAILABLE || tries === TRIES_MAX) {
      throw new Error(`a job was answered with ${status}: ${text.slice(0, 500)}`);
    }
    await sleep(RETRY_MS);
  }
}

function post({ url, agent, key }: Door, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "idempotency-key": key,
    };
    const signal = AbortSignal.timeout(ANSWER_MAX_MS);
    const asking = request(url, { method: "POST", agent, headers, signal }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asking.on("error", reject);
    asking.end(body);
  });
}
