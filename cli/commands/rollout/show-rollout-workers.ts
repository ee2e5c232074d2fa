/** The workers of a rollout's releases as a tree: each release, then its workers. Cells are neutralised by the table. */
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { RolloutViewAnswer, RolloutWorker } from "./rollout-answer.ts";

export interface WorkersSeen {
  readonly workers: readonly RolloutWorker[];
  /** Jobs that ended a second, by worker, as far as two looks told it. */
  readonly rates: ReadonlyMap<string, number>;
}

const COLUMNS = [
  left("WORKER"),
  left("STATE"),
  right("SLOTS"),
  right("JOBS/S"),
  right("FAIL"),
  right("HEARTBEAT"),
  left("INFO"),
];

/** Of each release, the first are shown. */
const WORKERS_SHOWN = 12;

type Seen = NonNullable<RolloutViewAnswer["observation"]>["to"];

interface ReleasePart {
  readonly release: string;
  readonly role: "old" | "new" | "leaving";
  readonly info: string;
  /** What the leader saw of it; `null` where the answer is not the leader's. */
  readonly seen: Seen | null;
}

export function workerLines(view: RolloutViewAnswer, { workers, rates }: WorkersSeen): string[] {
  const own = workers.filter((it) => it.queue === view.rollout.pool);
  const rows = partsOf(view).flatMap((part) => {
    const its = own.filter((it) => it.release === part.release);
    return rowsOf(part, { workers: its, rates });
  });
  return renderTable(COLUMNS, rows);
}

function partsOf({ rollout, observation, share }: RolloutViewAnswer): readonly ReleasePart[] {
  const { from, to, drainers } = rollout;
  return [
    { release: from, role: "old", info: `${perCent(1 - share)} of slots`, seen: observation?.from ?? null },
    { release: to, role: "new", info: `${perCent(share)} of slots`, seen: observation?.to ?? null },
    ...drainers.map(({ release }) => ({
      release,
      role: "leaving" as const,
      info: "of an earlier revision",
      seen: null,
    })),
  ];
}

function rowsOf({ release, role, info, seen }: ReleasePart, { workers, rates }: WorkersSeen): string[][] {
  const shown = workers.slice(0, WORKERS_SHOWN);
  const more = workers.length - shown.length;
  const failures = new Map((seen?.byWorker ?? []).map((it) => [it.worker, it]));
  const said = more > 0 ? `${info}; ${more} more workers` : info;
  return [
    [`⧉ ${release}`, role, slots(workers), rateWord(workers, rates), failWord(seen?.ran), "", said],
    ...shown.map((it, index) => [
      `${index === workers.length - 1 ? "└─" : "├─"} ${it.worker}`,
      it.state,
      slots([it]),
      rateWord([it], rates),
      failWord(failures.get(it.worker)),
      showDuration(it.heartbeatAgeMs),
      it.reason ?? (it.takes === "all" ? "" : `takes ${it.takes}`),
    ]),
  ];
}

function slots(workers: readonly RolloutWorker[]): string {
  const sum = (field: "busy" | "slots") => workers.reduce((total, it) => total + it[field], 0);
  return `${sum("busy")}/${sum("slots")}`;
}

function rateWord(workers: readonly RolloutWorker[], rates: ReadonlyMap<string, number>): string {
  const known = workers.flatMap(({ worker }) => rates.get(worker) ?? []);
  return known.length === 0 ? "-" : known.reduce((sum, it) => sum + it, 0).toFixed(1);
}

function failWord(ran: { readonly finished: number; readonly failed: number } | null | undefined): string {
  return ran === null || ran === undefined || ran.finished === 0 ? "-" : perCent(ran.failed / ran.finished);
}

export function perCent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
