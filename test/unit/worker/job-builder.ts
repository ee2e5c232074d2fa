/** Boring complete values for the tests of what a worker does with one job. */
import { pino } from "pino";
import { z } from "zod";
import { type Contract, defineContract, type JobPolicy } from "#shared/contracts/contract";
import type { Envelope } from "#shared/envelope";
import { EMPTY_RECORD } from "#shared/job-record";
import type { Log } from "#shared/log";
import type { TakenJob } from "#shared/redis/lane-worker";
import type { ChildDoor } from "#worker/child-jobs";

export function contractOf(policy: Partial<JobPolicy> = {}): Contract {
  const schema = z.looseObject({ orderId: z.string() });
  const versions = [{ version: 1, minReaderVersion: 1, schema }];
  const merged = { timeoutMs: 5_000, attempts: 3, backoff: { baseMs: 1_000, maxMs: 60_000 }, ...policy };
  return defineContract({ type: "receipt.render", queue: "shop", policy: merged, versions });
}

export const envelope: Envelope = {
  specversion: "1.0",
  id: "order-1",
  source: "/shop",
  type: "receipt.render",
  schemaversion: 1,
  minreaderversion: 1,
  time: "2026-01-31T11:59:00.000Z",
  tenant: "default",
  data: { orderId: "o-1" },
};

export const taken: TakenJob = {
  jobId: "shop~abc",
  lane: "shop.r1",
  name: "receipt.render",
  data: envelope,
  record: EMPTY_RECORD,
  starts: 1,
  crashes: 0,
  acceptedAtMs: Date.UTC(2026, 0, 31, 11, 59),
  dueAtMs: Date.UTC(2026, 0, 31, 11, 59),
};

export interface LoggedLine {
  readonly level: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A log that keeps its lines for the test. */
export function recordingLog(): { readonly log: Log; readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

/** For handlers that enqueue nothing. */
export const noChildren: ChildDoor = {
  of: () => () => Promise.reject(new Error("nothing is enqueued here")),
};
