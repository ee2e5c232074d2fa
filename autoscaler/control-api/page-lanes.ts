/** The page's tables of lanes and queues. */
import type { LaneTripView, LaneView, QueueView } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { amount, counted, duration, moment, rate } from "./in-words.ts";
import { isLeftOver, type LaneRow, laneRows } from "./lane-state.ts";
import { LANE_MARKS, renderMark } from "./state-mark.ts";
import { renderTable } from "./table.ts";

/** @param observedAt RFC 3339: whether the time of a trip is over. */
export function renderLanes(queues: readonly QueueView[], observedAt: string): Html {
  const all = laneRows(queues);
  const shown = all.filter((row) => !isLeftOver(row));
  const leftOver = all.length - shown.length;
  const table = renderTable({
    caption: "Lanes",
    columns: [
      { heading: "Lane" },
      { heading: "State" },
      { heading: "Oldest due / promise", numeric: true },
      { heading: "Waiting", numeric: true },
      { heading: "In flight", numeric: true },
      { heading: "Scheduled", numeric: true },
      { heading: "Failed", numeric: true },
      { heading: "Arrivals", numeric: true },
      { heading: "Service time", numeric: true },
      { heading: "Read by" },
      { heading: "Workers taking", numeric: true },
    ],
    rows: shown.map((row) => laneCells(row, observedAt)),
    whenEmpty: "No lane is in use.",
  });
  if (leftOver === 0) return table;
  const are = leftOver === 1 ? "is" : "are";
  return html`${table}<p class="quiet">${counted(leftOver, "older lane")} ${are} empty and read by nobody.</p>
`;
}

function laneCells({ queue, lane, state }: LaneRow, observedAt: string): readonly (Html | string)[] {
  const { oldestDueAgeMs, arrivalRatePerSec, serviceTimeMs } = lane;
  const age = oldestDueAgeMs === null ? "–" : duration(oldestDueAgeMs);
  const promise = queue.pickupPromiseMs === null ? "none" : duration(queue.pickupPromiseMs);
  return [
    html`<a href="/raw/queue/${encodeURIComponent(lane.lane)}">${lane.lane}</a>`,
    renderMark(LANE_MARKS[state]),
    `${age} / ${promise}`,
    amount(lane.waiting),
    amount(lane.inFlight),
    amount(lane.scheduled),
    amount(lane.failed),
    arrivalRatePerSec === null ? "not known" : rate(arrivalRatePerSec),
    serviceTimeMs === null ? "not known" : duration(serviceTimeMs),
    readersCell(lane, observedAt),
    amount(lane.consumers),
  ];
}

function readersCell({ readers, trips }: LaneView, observedAt: string): Html | string {
  const names = readers.length === 0 ? "nobody" : readers.join(", ");
  return trips.length === 0 ? names : html`${names}${trips.map((trip) => tripNote(trip, observedAt))}`;
}

function tripNote(trip: LaneTripView, observedAt: string): Html {
  const { release, until, failures, type, targetVersion, jobId } = trip;
  const next = until > observedAt ? `next try ${moment(until)}` : "being tried again";
  const why = `${type} to version ${targetVersion} fails, ${counted(failures, "time")} in a row; ${next}; job ${jobId}`;
  const mark = renderMark({ tone: "warning", icon: "▲", word: `${release} tripped` });
  return html`<br>${mark} <small>${why}</small>`;
}

export function renderQueues(queues: readonly QueueView[]): Html {
  const rows = queues.toSorted(
    (a, b) => b.quarantined - a.quarantined || b.parked - a.parked || (a.queue < b.queue ? -1 : 1),
  );
  return renderTable({
    caption: "Queues",
    columns: [
      { heading: "Queue" },
      { heading: "App" },
      { heading: "Promise", numeric: true },
      { heading: "Pickup p95", numeric: true },
      { heading: "New jobs go to" },
      { heading: "Parked", numeric: true },
      { heading: "Quarantined", numeric: true },
    ],
    rows: rows.map((queue) => [
      queue.queue,
      queue.app,
      queue.pickupPromiseMs === null ? "none" : duration(queue.pickupPromiseMs),
      queue.pickup === null ? "not known" : duration(queue.pickup.p95Ms),
      queue.floor === null ? "nowhere: no live release" : `r${queue.floor} and later`,
      stored(queue.parked),
      stored(queue.quarantined),
    ]),
    whenEmpty: "No queue is registered yet.",
  });
}

function stored(jobs: number): Html | string {
  return jobs === 0 ? "0" : renderMark({ tone: "warning", icon: "▲", word: amount(jobs) });
}
