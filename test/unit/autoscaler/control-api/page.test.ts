import { describe, expect, test } from "vitest";
import { renderOutagePage, renderPage } from "#autoscaler/control-api/page";
import { renderLeader } from "#autoscaler/control-api/page-leader";
import type { LeaderView } from "#autoscaler/lead-fleet";
import {
  decisionRecord,
  gateView,
  laneTrip,
  laneView,
  leaderView,
  lookOf,
  overridesView,
  queueView,
  snapshotOf,
  workerView,
} from "./build-look.ts";

const refreshing = { refreshes: true, open: false };
const healthy = lookOf({ decisions: [decisionRecord()] });

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>&lt;`;

describe("the page", () => {
  test("has a language, a title with the verdict, one heading, and no script", () => {
    const page = renderPage(healthy, refreshing);
    expect(page).toContain('<html lang="en">');
    expect(page).toContain("<title>✔ Everything is on time. – Sluice</title>");
    expect(page.match(/<h1/g)).toHaveLength(1);
    expect(page).not.toMatch(/<script|javascript:|\son\w+=/i);
  });

  test("captions every table and says what every heading belongs to", () => {
    const page = renderPage(healthy, refreshing);
    expect(page.match(/<table/g)).toHaveLength(7);
    expect(page.match(/<caption>/g)).toHaveLength(7);
    expect(page).not.toMatch(/<th(?! scope="(row|col)")(?!ead)/);
  });

  test("loads itself anew until told not to", () => {
    expect(renderPage(healthy, refreshing)).toContain('<meta http-equiv="refresh" content="5">');
    expect(renderPage(healthy, { refreshes: false, open: false })).not.toContain("http-equiv");
  });

  test("says when nobody is asked for a key, and only then", () => {
    const notice = "Authentication is off";
    expect(renderPage(healthy, { ...refreshing, open: true })).toContain(notice);
    expect(renderOutagePage(null, { ...refreshing, open: true })).toContain(notice);
    expect(renderPage(healthy, refreshing)).not.toContain(notice);
  });

  test("shows hostile text everywhere as text", () => {
    const snapshot = snapshotOf({
      observedAt: HOSTILE,
      queues: [
        queueView({
          queue: HOSTILE,
          app: HOSTILE,
          pickupPromiseMs: 1,
          lanes: [
            laneView({
              lane: HOSTILE,
              readers: [HOSTILE],
              waiting: 1,
              oldestDueAgeMs: 9,
              trips: [laneTrip({ release: HOSTILE, until: HOSTILE, type: HOSTILE, jobId: HOSTILE })],
            }),
            laneView({ tripped: true, waiting: 1, trips: [laneTrip({ release: HOSTILE, type: HOSTILE })] }),
          ],
        }),
      ],
      workers: [
        workerView({
          worker: HOSTILE,
          release: HOSTILE,
          queue: HOSTILE,
          state: "dead",
          reason: HOSTILE,
          lanes: [HOSTILE],
          host: HOSTILE,
          startedAt: HOSTILE,
        }),
      ],
      releases: [
        {
          release: HOSTILE,
          app: HOSTILE,
          state: "live",
          publishedAt: HOSTILE,
          generations: { [HOSTILE]: 1 },
        },
      ],
    });
    const hostile = { [HOSTILE]: 1 };
    const record = { at: HOSTILE, queue: HOSTILE, reason: HOSTILE, sentence: HOSTILE, limitedBy: HOSTILE };
    const decisions = [decisionRecord({ ...record, present: hostile, desired: { [HOSTILE]: 2, other: 1 } })];
    const event = { at: HOSTILE, by: HOSTILE, change: "gate-raised", version: 2, why: HOSTILE } as const;
    const next = { version: 3, mayRise: false, reason: HOSTILE };
    const gates = [gateView({ type: HOSTILE, queue: HOSTILE, next, events: [event] })];
    const set = { by: HOSTILE, why: HOSTILE, at: HOSTILE, expiresAt: HOSTILE };
    const bounds = { workersMin: 0, workersMax: 1 };
    const scaling = overridesView({
      pools: [
        {
          pool: HOSTILE,
          configured: bounds,
          inForce: bounds,
          freeze: { pool: HOSTILE, hard: false, ...set },
          held: hostile,
          bounds: { pool: HOSTILE, ...bounds, beyondConfig: false, ...set },
        },
      ],
    });
    const clamps = [{ by: HOSTILE, from: 1, to: 0, sentence: HOSTILE }];
    const holds = [{ because: HOSTILE, workers: 1, forMs: null, sentence: HOSTILE }];
    const newest = decisions.map((it) => ({ ...it, id: HOSTILE, clamps, holds }));
    const who = { id: HOSTILE, host: HOSTILE, pid: 1, machine: HOSTILE };
    const leader = leaderView({
      id: HOSTILE,
      look: { leader: { ...who, epoch: 1, sinceMs: 0, leftMs: 1 }, autoscalers: [] },
    });
    expect(renderLeader(leader, HOSTILE).toString()).not.toMatch(/<script|<img/);
    const look = { snapshot, decisions, newest, scaling, gates, leader, rollouts: [] };
    for (const page of [renderPage(look, refreshing), renderOutagePage(look, refreshing)]) {
      expect(page).not.toMatch(/<script|<img/);
      expect(page).toContain("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
      // What looked like an entity is shown as it was written.
      expect(page).toContain("alert(1)&gt;&amp;lt;");
    }
  });

  test("says who leads, since when, and what the process that answers is", () => {
    const headOf = (leader: LeaderView) => renderPage(lookOf({ leader }), refreshing).split("</header>")[0];
    const led = "a-1 on here (pid 7) leads since";
    const since =
      '<time datetime="2026-03-01T02:59:00.000Z">2026-03-01 02:59:00 UTC</time> (1 min ago), epoch 3.';
    expect(headOf(leaderView())).toContain(`${led} ${since} It answers this page.`);
    const standby = headOf(leaderView({ id: "a-2", role: "standby" }));
    expect(standby).toContain(`${led} ${since} This page is answered by a-2, which stands by.`);
    const nobody = headOf(leaderView({ role: "unknown", look: { leader: null, autoscalers: [] } }));
    expect(nobody).toContain("Nobody leads just now, so no pool is scaled. This page is answered by a-1");
  });

  test("answers why there are so many workers, with terms, limits, holds and a link to the record", () => {
    const decision = decisionRecord({
      clamps: [{ by: "workers-max", from: 9, to: 2, sentence: "workersMax is 2" }],
      holds: [{ because: "recently-wanted", workers: 1, forMs: 9_000, sentence: "wanted lately" }],
    });
    const page = renderPage(lookOf({ newest: [decision] }), refreshing);
    expect(page).toContain("shop.r1: <strong>in-system 11</strong> arrivals not known");
    expect(page).toContain("limit workers-max: 9 → 2, workersMax is 2");
    expect(page).toContain("hold recently-wanted: 1 worker, wanted lately");
    expect(page).toContain('<a href="/v1/scaling/decisions/shop~1-1">shop~1-1</a>');
  });

  test("says of a pool without a decision that its number is not known, and who froze it", () => {
    const at = "2026-03-01T02:00:00.000Z";
    const freeze = { pool: "*", hard: true, by: "ada", why: "incident", at, expiresAt: at };
    const scaling = overridesView({
      pools: overridesView().pools.map((it) => ({ ...it, freeze, held: { "shop-1": 1 } })),
    });
    const page = renderPage(lookOf({ scaling }), refreshing);
    expect(page).toMatch(/<td[^>]*data-label="Workers"[^>]*><div>not known/);
    expect(page).toContain("frozen hard");
    expect(page).toContain("2026-03-01 02:00:00 UTC</time>: incident");
  });

  test("says every state in words, worst worker first", () => {
    const workers = [
      workerView({ worker: "fit" }),
      workerView({ worker: "leaving", state: "draining" }),
      workerView({ worker: "gone", state: "dead", reason: "its process has ended" }),
    ];
    const page = renderPage(lookOf({ snapshot: snapshotOf({ workers }) }), refreshing);
    expect(page).toContain("1 dead");
    expect(page).toContain("1 draining");
    // 10 slots each of the two that are alive.
    expect(page).toContain("0 / 20");
    const order = ["gone", "leaving", "fit"].map((name) => page.indexOf(`<th scope="row">${name}</th>`));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
  });

  test("tells what a decision changed, release by release, and why", () => {
    const decision = decisionRecord({
      present: { "shop-1": 2, "shop-2": 0 },
      desired: { "shop-1": 0, "shop-2": 5 },
    });
    const page = renderPage(lookOf({ decisions: [decision] }), refreshing);
    expect(page).toContain("2 → 5");
    expect(page).toContain("shop-1 2 → 0, shop-2 0 → 5");
    expect(page).toContain(decision.sentence);
    expect(page).toContain("12 s ago");
  });

  test("says of each type what may be written, what waits above it and why, and who moved the gate last", () => {
    const next = { version: 3, mayRise: false, reason: "no live release reads version 3" };
    const event = { at: "2026-03-01T02:00:00.000Z", by: "eve@ops", version: 2, why: "errors" };
    const events = [{ ...event, change: "gate-lowered" as const }];
    const waits = renderPage(lookOf({ gates: [gateView({ next, events })] }), refreshing);
    expect(waits).toContain("version 3 waits: no live release reads version 3");
    expect(waits).toContain("gate lowered (version 2) by eve@ops: errors");
    // A load of 1.5 slots keeps two busy.
    expect(waits).toContain("2 / 10");
    const may = { ...next, mayRise: true, reason: null };
    const page = renderPage(lookOf({ gates: [gateView({ loadSlots: null, next: may })] }), refreshing);
    expect(page).toContain("version 3 may be raised");
    expect(page).toContain("not known / 10");
  });

  test("shows a trip where the readers are: who, what fails, how often, and when it is tried again", () => {
    const pageOf = (until: string) => {
      const lanes = [laneView({ readers: ["shop-1", "shop-2"], trips: [laneTrip({ until, failures: 2 })] })];
      return renderPage({ ...healthy, snapshot: snapshotOf({ queues: [queueView({ lanes })] }) }, refreshing);
    };
    // Observed at 03:00:00.
    const waiting = pageOf("2026-03-01T03:00:30.000Z");
    expect(waiting).toContain("shop-1, shop-2<br>");
    expect(waiting).toContain("shop-2 tripped");
    expect(waiting).toContain(
      "receipt.render to version 2 fails, 2 times in a row; next try 2026-03-01 03:00:30 UTC; job shop~a",
    );
    expect(pageOf("2026-03-01T03:00:00.000Z")).toContain("2 times in a row; being tried again; job shop~a");
  });

  test("keeps lanes of releases that are gone out of the way", () => {
    const lanes = [laneView(), laneView({ lane: "shop.r0", readers: [], consumers: 0 })];
    const page = renderPage(lookOf({ snapshot: snapshotOf({ queues: [queueView({ lanes })] }) }), refreshing);
    expect(page).not.toContain("shop.r0");
    expect(page).toContain("1 older lane is empty and read by nobody.");
  });

  test("cuts a long table and says so", () => {
    const workers = Array.from({ length: 203 }, (_, index) => workerView({ worker: `w${index}` }));
    const page = renderPage(lookOf({ snapshot: snapshotOf({ workers }) }), refreshing);
    expect(page).toContain("3 more, not shown.");
  });
});

describe("the page while Redis is away", () => {
  test("claims nothing and names the time of the last good look", () => {
    const page = renderOutagePage(healthy, refreshing);
    expect(page).toContain("<h1>Redis does not answer, so nothing is known about this moment.</h1>");
    expect(page).toContain("Last good look:");
    expect(page).toContain("2026-03-01 03:00:00 UTC");
    expect(page).not.toContain("Everything is on time.");
  });

  test("says so when there never was one", () => {
    expect(renderOutagePage(null, refreshing)).toContain(
      "Redis has not answered since this process started.",
    );
  });
});
