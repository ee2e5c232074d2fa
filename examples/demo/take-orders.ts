/**
 * The demo's one job: it waits as long as its order says, and keeps a ledger of that. A build says which versions it
 * reads and what is wrong with it; the releases differ in nothing else.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type App, defineApp, type HandledJob, type HandlerContext, TerminalJobError } from "sluice/worker";
import { type Order, orderContracts } from "./order-contract.ts";
import { RunLedger } from "./run-ledger.ts";

export interface OrderBuild {
  /** The newest version that it knows. */
  readonly version: 1 | 2 | 3;
  readonly faults?: OrderFaults;
}

/** What is wrong with a build; nothing where a field is missing. */
export interface OrderFaults {
  /** Share of orders, 0 to 1, that fail whenever this build runs them; which ones, their ids say. */
  readonly failShare?: number;
  /** Of all processes of it that share a ledger the second fails this share of its orders, and no other does. */
  readonly badWorkerFailShare?: number;
  /** The work takes this many times as long. */
  readonly workFactor?: number;
  /** Orders that every order enqueues; a process stops at {@link CHILDREN_MAX}. */
  readonly children?: number;
  /** An order that asks for it never ends by itself. */
  readonly endless?: boolean;
}

/** Not the first: a release of which nothing else has run yet is to blame itself. */
const BAD_PLACE = 2;

/** A demo ends, however broken the build. */
const CHILDREN_MAX = 2_000;

/** Where the handlers of this process write: `DEMO_LEDGER_DIR`, else `.sluice/demo/` where the worker was started. */
function ownLedger(): RunLedger {
  // biome-ignore lint/style/noProcessEnv: an app is told by its environment where to write, as any program is.
  const { DEMO_LEDGER_DIR, SLUICE_WORKER_ID } = process.env;
  const directory = DEMO_LEDGER_DIR ?? join(process.cwd(), ".sluice", "demo");
  return new RunLedger(directory, SLUICE_WORKER_ID ?? "worker");
}

export function createDemo(build: OrderBuild, ledger: RunLedger = ownLedger()): App {
  const take = new OrderTaker(build, ledger);
  const handler = (job: HandledJob<Order>, context: HandlerContext) => take.run(job, context);
  return defineApp({
    name: "demo",
    jobs: [{ contract: orderContracts[build.version], handler }],
  });
}

class OrderTaker {
  readonly #build: OrderBuild;
  readonly #ledger: RunLedger;
  #children = 0;
  #place: number | null = null;

  constructor(build: OrderBuild, ledger: RunLedger) {
    this.#build = build;
    this.#ledger = ledger;
  }

  async run(job: HandledJob<Order>, context: HandlerContext) {
    const { starts } = context.fence;
    const { attempt, release } = context;
    const facts = { jobId: job.jobId, starts, attempt, release, schemaVersion: job.schemaVersion };
    this.#ledger.write({ event: "start", ...facts });
    try {
      await this.#work(job, context);
      await this.#enqueueChildren(job, context, (childId) =>
        this.#ledger.write({ event: "child", ...facts, childId }),
      );
      this.#ledger.write({ event: "end", ...facts, how: "done" });
      return { n: job.data.n };
    } catch (error) {
      const how = context.signal.aborted ? "aborted" : "failed";
      this.#ledger.write({ event: "end", ...facts, how });
      throw error;
    }
  }

  async #work({ jobId, data }: HandledJob<Order>, { fence, signal }: HandlerContext): Promise<void> {
    const { workFactor = 1, endless = false } = this.#build.faults ?? {};
    if (data.act === "refuse") throw new TerminalJobError("the order asks to be refused");
    if (data.act === "endless" && endless) await untilAborted(signal);
    await sleep(data.workMs * workFactor, undefined, { signal });
    if (data.act === "throw") throw new Error("the order asks to fail");
    const { failShare = 0, badWorkerFailShare = 0 } = this.#build.faults ?? {};
    if (draw(jobId) < failShare) throw new Error("this build has a bug");
    if (badWorkerFailShare > 0 && this.#isBad() && draw(`${jobId} ${fence.starts}`) < badWorkerFailShare) {
      throw new Error("this machine is broken");
    }
  }

  #isBad(): boolean {
    this.#place ??= this.#ledger.place();
    return this.#place === BAD_PLACE;
  }

  /** One that was enqueued is told at once: the next may be refused. */
  async #enqueueChildren(
    { data }: HandledJob<Order>,
    { enqueue }: HandlerContext,
    tell: (childId: string) => void,
  ): Promise<void> {
    const { version, faults = {} } = this.#build;
    for (let ordinal = 0; ordinal < (faults.children ?? 0) && this.#children < CHILDREN_MAX; ordinal += 1) {
      this.#children += 1;
      // As version 1, which is accepted wherever the gate stands.
      const { id } = await enqueue({
        type: orderContracts[version].type,
        schemaversion: 1,
        data: { n: data.n, workMs: data.workMs, amount: 100 },
      });
      tell(id);
    }
  }
}

/** 0 to below 1, the same for the same text wherever it is drawn. */
function draw(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}
