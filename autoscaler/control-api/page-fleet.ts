/** The page's tables of the fleet: by release, then worker by worker. */
import type { ReleaseView, Snapshot, WorkerView } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { ago, amount, duration, moment } from "./in-words.ts";
import { renderMark, WORKER_MARKS, WORKER_STATES } from "./state-mark.ts";
import { renderTable } from "./table.ts";

interface ReleaseRow {
  readonly queue: string;
  readonly release: string;
  /** `null` when the registry does not know the release. */
  readonly known: ReleaseView | null;
  readonly workers: readonly WorkerView[];
  /** Index of the worst state in `WORKER_STATES`; its length without workers. */
  readonly worst: number;
}

export function renderReleases(snapshot: Snapshot): Html {
  return renderTable({
    caption: "Fleet by release",
    columns: [
      { heading: "Release" },
      { heading: "Queue" },
      { heading: "Published" },
      { heading: "Own lane" },
      { heading: "Workers" },
      { heading: "Slots busy / total", numeric: true },
    ],
    rows: releaseRows(snapshot).map((row) => [
      row.release,
      row.queue,
      publishedCell(row.known),
      laneCell(row),
      workersCell(row.workers),
      slotsCell(row.workers),
    ]),
    whenEmpty: "No release is live and no worker runs.",
  });
}

/** Releases that are live or have workers, by queue: worst state first, then the newest release. */
function releaseRows({ releases, workers }: Snapshot): readonly ReleaseRow[] {
  const pairs = new Map<string, { readonly queue: string; readonly release: string }>();
  const note = (queue: string, release: string) =>
    pairs.set(JSON.stringify([queue, release]), { queue, release });
  for (const { release, state, generations } of releases) {
    if (state === "live") for (const queue of Object.keys(generations)) note(queue, release);
  }
  for (const { queue, release } of workers) note(queue, release);

  const ageOf = (release: string) => releases.findIndex((it) => it.release === release);
  return [...pairs.values()]
    .map(({ queue, release }) => {
      const own = workers.filter((it) => it.queue === queue && it.release === release);
      const known = releases.find((it) => it.release === release) ?? null;
      return {
        queue,
        release,
        known,
        workers: own,
        worst: Math.min(WORKER_STATES.length, ...own.map(badness)),
      };
    })
    .sort(
      (a, b) =>
        troubleOf(a) - troubleOf(b) || ageOf(b.release) - ageOf(a.release) || (a.queue < b.queue ? -1 : 1),
    );
}

/** Only states that are bad move a row up: a release that starts or drains stays in its place. */
function troubleOf({ worst }: ReleaseRow): number {
  return Math.min(worst, WORKER_STATES.indexOf("starting"));
}

function publishedCell(known: ReleaseView | null): Html {
  if (known === null) return renderMark({ tone: "warning", icon: "▲", word: "not in the registry" });
  const mark =
    known.state === "live"
      ? ({ tone: "fine", icon: "✔", word: "live" } as const)
      : ({ tone: "quiet", icon: "↓", word: "retired" } as const);
  return html`${renderMark(mark)} <small>${moment(known.publishedAt)}</small>`;
}

function laneCell({ queue, known }: ReleaseRow): string {
  const generation = known?.generations[queue];
  return generation === undefined ? "–" : `r${generation}`;
}

function workersCell(workers: readonly WorkerView[]): Html | string {
  const marks = WORKER_STATES.flatMap((state) => {
    const found = workers.filter((it) => it.state === state).length;
    return found === 0 ? [] : [renderMark(WORKER_MARKS[state], `${amount(found)} ${state}`)];
  });
  return marks.length === 0 ? "none" : html`<span class="marks">${marks}</span>`;
}

/** Slots of dead workers do not count: nothing runs there. */
function slotsCell(workers: readonly WorkerView[]): string {
  const alive = workers.filter(({ state }) => state !== "dead");
  const sum = (field: "busy" | "slots") => amount(alive.reduce((total, it) => total + it[field], 0));
  return `${sum("busy")} / ${sum("slots")}`;
}

export function renderWorkers({ workers, observedAt }: Snapshot): Html {
  const rows = workers.toSorted(
    (a, b) =>
      badness(a) - badness(b) ||
      compare(a.queue, b.queue) ||
      compare(a.release, b.release) ||
      compare(a.worker, b.worker),
  );
  return renderTable({
    caption: "Workers",
    columns: [
      { heading: "Worker" },
      { heading: "State" },
      { heading: "Release" },
      { heading: "Queue" },
      { heading: "Takes from" },
      { heading: "Slots busy / total", numeric: true },
      { heading: "Heartbeat", numeric: true },
      { heading: "Started", numeric: true },
      { heading: "Loop lag", numeric: true },
      { heading: "Memory", numeric: true },
      { heading: "Process" },
    ],
    rows: rows.map((worker) => workerCells(worker, observedAt)),
    whenEmpty: "No worker runs.",
  });
}

function workerCells(worker: WorkerView, observedAt: string): readonly (Html | string)[] {
  const { heartbeatAgeMs, eventLoopLagMs, rssBytes, reason, host, pid } = worker;
  const why = reason === null ? null : html` <small>${reason}</small>`;
  return [
    worker.worker,
    html`${renderMark(WORKER_MARKS[worker.state])}${why}`,
    worker.release,
    worker.queue,
    worker.lanes.length === 0 ? "nothing" : worker.lanes.join(", "),
    `${amount(worker.busy)} / ${amount(worker.slots)}`,
    heartbeatAgeMs === null ? "none yet" : `${duration(heartbeatAgeMs)} ago`,
    ago(worker.startedAt, observedAt) ?? "not known",
    eventLoopLagMs === null ? "–" : duration(eventLoopLagMs),
    rssBytes === null ? "–" : `${amount(rssBytes / 2 ** 20)} MiB`,
    pid === null ? "–" : `${host ?? "?"} pid ${pid}`,
  ];
}

function badness({ state }: WorkerView): number {
  return WORKER_STATES.indexOf(state);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
