import { describe, expect, test } from "vitest";
import { renderOutagePage, renderPage } from "#autoscaler/control-api/page";
import { decisionRecord, laneView, queueView, snapshotOf, workerView } from "./build-look.ts";

const refreshing = { refreshes: true };
const healthy = { snapshot: snapshotOf(), decisions: [decisionRecord()] };

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
    expect(page.match(/<table/g)).toHaveLength(5);
    expect(page.match(/<caption>/g)).toHaveLength(5);
    expect(page).not.toMatch(/<th(?! scope="(row|col)")(?!ead)/);
  });

  test("loads itself anew until told not to", () => {
    expect(renderPage(healthy, refreshing)).toContain('<meta http-equiv="refresh" content="5">');
    expect(renderPage(healthy, { refreshes: false })).not.toContain("http-equiv");
  });

  test("shows hostile text everywhere as text", () => {
    const snapshot = snapshotOf({
      observedAt: HOSTILE,
      queues: [
        queueView({
          queue: HOSTILE,
          app: HOSTILE,
          pickupPromiseMs: 1,
          lanes: [laneView({ lane: HOSTILE, readers: [HOSTILE], waiting: 1, oldestDueAgeMs: 9 })],
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
    for (const page of [
      renderPage({ snapshot, decisions }, refreshing),
      renderOutagePage({ snapshot, decisions }, refreshing),
    ]) {
      expect(page).not.toMatch(/<script|<img/);
      expect(page).toContain("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
      // What looked like an entity is shown as it was written.
      expect(page).toContain("alert(1)&gt;&amp;lt;");
    }
  });

  test("says every state in words, worst worker first", () => {
    const workers = [
      workerView({ worker: "fit" }),
      workerView({ worker: "leaving", state: "draining" }),
      workerView({ worker: "gone", state: "dead", reason: "its process has ended" }),
    ];
    const page = renderPage({ snapshot: snapshotOf({ workers }), decisions: [] }, refreshing);
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
    const page = renderPage({ snapshot: snapshotOf(), decisions: [decision] }, refreshing);
    expect(page).toContain("2 → 5");
    expect(page).toContain("shop-1 2 → 0, shop-2 0 → 5");
    expect(page).toContain(decision.sentence);
    expect(page).toContain("12 s ago");
  });

  test("keeps lanes of releases that are gone out of the way", () => {
    const lanes = [laneView(), laneView({ lane: "shop.r0", readers: [], consumers: 0 })];
    const page = renderPage(
      { snapshot: snapshotOf({ queues: [queueView({ lanes })] }), decisions: [] },
      refreshing,
    );
    expect(page).not.toContain("shop.r0");
    expect(page).toContain("1 older lane is empty and read by nobody.");
  });

  test("cuts a long table and says so", () => {
    const workers = Array.from({ length: 203 }, (_, index) => workerView({ worker: `w${index}` }));
    const page = renderPage({ snapshot: snapshotOf({ workers }), decisions: [] }, refreshing);
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
