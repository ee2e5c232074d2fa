import { describe, expect, test } from "vitest";
import { FakeClock } from "#test/support/fake-clock";
import { type Answers, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();
const run = (args: readonly string[], answers: Answers = {}) => cli.run(["scale", ...args], { answers });

const AT = "2026-03-01T03:12:04.000Z";

function decision(changes: object = {}) {
  return {
    recordVersion: 2,
    id: "shop~3-7",
    at: AT,
    queue: "shop",
    kind: "sized",
    reason: "workers-max",
    sentence: "wanted 4 workers",
    present: { "shop-1": 2 },
    wanted: { "shop-1": 4 },
    desired: { "shop-1": 3 },
    actions: [],
    clamps: [{ by: "workers-max", from: 4, to: 3, sentence: "workersMax is 3" }],
    holds: [],
    errorBudget: { sentence: "0.2 % late of the last jobs, 1 % allowed" },
    inputs: {
      lanes: [
        {
          lane: "shop.r1",
          slots: 31,
          ruledBy: "in-system",
          terms: [
            {
              term: "in-system",
              slots: 31,
              formula: "X / (1 + phi W / s) = 62 / (1 + 0.5 x 5 s / 2.5 s) = 31",
            },
            { term: "arrivals", slots: null, formula: "R + b sqrt(R): the arrival rate is not known yet" },
          ],
          waiting: 42,
          inFlight: 20,
          dueSoon: 0,
          oldestDueAgeMs: 2_100,
          arrivalRatePerSec: null,
          serviceTimeMs: 2_500,
          readySlots: 20,
          assumed: [],
          reachable: true,
          wouldChange: { sentence: "one slot more at 63 jobs in the system, one fewer at 60" },
        },
      ],
      startDelay: { startDelayMs: 1_500, measured: true },
      pickupPromiseMs: 5_000,
      policy: { slotsPerWorker: 10 },
      bounds: { workersMin: 0, workersMax: 3 },
    },
    ...changes,
  };
}

const GET = "GET /v1/scaling/decisions?limit=60&queue=shop";
const page = (...decisions: readonly object[]) => ok({ decisions, unreadable: 0, nextCursor: null });
const setting = { by: "ada", why: "checkout incident", at: AT, expiresAt: "2026-03-01T04:12:04.000Z" };

describe("scale explain", () => {
  test("says the number first, then every term, what ruled, what limited it and what would change it", async () => {
    const older = decision({
      id: "shop~3-6",
      at: "2026-03-01T03:11:04.000Z",
      desired: { "shop-1": 2 },
      reason: "as-wanted",
    });
    const { exitCode, stdout } = await run(["explain", "shop"], { [GET]: page(decision(), older) });
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`3 workers for shop  (was 2; the lanes ask for 4)  workers-max
decided 2026-03-01T03:12:04.000Z

Lane shop.r1: 31 slots
  42 waiting (oldest 2.1 s), 20 in flight, 0 due soon, arrivals not known, a job takes 2.5 s, promise 5.0 s, 20 ready slots
     TERM           SLOTS  FORMULA
  >  in-system         31  X / (1 + phi W / s) = 62 / (1 + 0.5 x 5 s / 2.5 s) = 31
     arrivals   not known  R + b sqrt(R): the arrival rate is not known yet

Workers
  wanted   4  = 31 slots / 10 a worker, each release rounded up
  limit    4 -> 3  workers-max: workersMax is 3
  decided  3  shop-1 3
  bounds   0 to 3
  budget   0.2 % late of the last jobs, 1 % allowed

What would change it
  shop.r1: one slot more at 63 jobs in the system, one fewer at 60
  up to 4 without the limit workers-max

How it moved
  03:12:04  2 -> 3  workers-max  shop~3-7
  03:11:04  2 -> 2  as-wanted  shop~3-6

decision shop~3-7: sluice scale explain shop --at 2026-03-01T03:12:04.000Z --json
`);
  });

  test("says what was forecast and how good forecasts were, and marks one that ruled", async () => {
    const [lane] = decision().inputs.lanes;
    const forecast = { mode: "shadow", perMinute: 61.234, slots: 7, comparedMinutes: 42, error: 3.25678 };
    const lines = async (changes: object) => {
      const lanes = [{ ...lane, ...changes }];
      const inputs = { ...decision().inputs, lanes };
      return (await run(["explain", "shop"], { [GET]: page(decision({ inputs })) })).stdout;
    };
    expect(await lines({ forecast: { ...forecast, persistenceError: 4 } })).toContain(
      "  forecast (shadow): 61.2 jobs a minute, 7 slots; off by 3.26 a minute in the last 42, the rate as it was by 4\n",
    );
    const young = { ...forecast, slots: null, comparedMinutes: 0, error: null, persistenceError: null };
    expect(await lines({ forecast: young })).toContain(
      "61.2 jobs a minute, not known slots; none was due yet\n",
    );
    const terms = [{ term: "forecast", slots: 40, formula: "R + b sqrt(R)" }];
    expect(await lines({ ruledBy: "forecast", terms })).toMatch(/> {2}forecast +40/);
  });

  test("says what could not be measured, what was assumed, who froze it, and nothing moves the terminal", async () => {
    const hostile = `all ${ESC}[2J`;
    const [lane] = decision().inputs.lanes;
    const frozen = decision({
      reason: "frozen",
      sentence: hostile,
      clamps: [{ by: "frozen", from: 4, to: 2, sentence: hostile }],
      holds: [{ because: "lanes-unknown", workers: 1, forMs: 40_000, sentence: hostile }],
      blocked: [hostile],
      overrides: { freeze: { pool: "*", hard: true, ...setting, why: hostile }, bounds: null },
      inputs: {
        lanes: [
          { lane: hostile, slots: null, unknownBecause: "waiting-unknown" },
          { ...lane, assumed: ["service-time"], reachable: false },
        ],
        otherLanes: { lanes: 980, slots: 7, unknown: 0, waiting: 1, inFlight: 2 },
      },
    });
    const { stdout } = await run(["explain", "shop"], { [GET]: page(frozen) });
    expect(stdout).not.toContain(ESC);
    expect(stdout).toContain("Lane all \\x1b[2J: not known how many slots");
    expect(stdout).toContain("it could not be measured (waiting-unknown), so nobody is taken away for it");
    expect(stdout).toContain("! no job has finished yet, so the time that one takes is assumed");
    expect(stdout).toContain("it takes not known to start");
    expect(stdout).toContain(
      "frozen hard with all pools by ada until 2026-03-01T04:12:04.000Z: all \\x1b[2J",
    );
    expect(stdout).toContain("980 more lanes, which need 7 slots together");
    expect(stdout).toContain("a thaw, or 2026-03-01T04:12:04.000Z: sluice scale thaw --all");
    expect(stdout).toContain("fewer in 40.0 s, when lanes-unknown ends, if nothing comes");
    expect(stdout).toContain("bounds   not known");
  });

  test("asks for the decision in force at a time: a moment, a time of day in UTC, or so long ago", async () => {
    const nowMs = Date.UTC(2026, 2, 1, 12);
    for (const [typed, at] of [
      ["2026-02-28T23:00:00+01:00", "2026-02-28T22:00:00.000Z"],
      ["03:12", "2026-03-01T03:12:00.000Z"],
      ["23:59:30", "2026-02-28T23:59:30.000Z"],
      ["15m", "2026-03-01T11:45:00.000Z"],
    ] as const) {
      const path = `${GET}&at=${encodeURIComponent(at)}`;
      const clock = new FakeClock(nowMs);
      const { exitCode } = await cli.run(["scale", "explain", "shop", "--at", typed], {
        answers: { [path]: page(decision()) },
        clock,
      });
      expect([typed, exitCode]).toEqual([typed, 0]);
    }
    expect((await run(["explain", "shop", "--at", "noon"])).exitCode).toBe(2);
  });

  test("takes the only pool when none is named, and asks which where there are more", async () => {
    const overrides = (...names: readonly string[]) => {
      const range = { workersMin: 0, workersMax: 3 };
      const pools = names.map((pool) => ({
        pool,
        configured: range,
        inForce: range,
        freeze: null,
        held: null,
        bounds: null,
      }));
      return { "GET /v1/scaling/overrides": ok({ revision: 0, at: AT, pools, allFrozen: null }) };
    };
    const one = await run(["explain"], { ...overrides("shop"), [GET]: page(decision()) });
    expect([one.exitCode, one.stdout.split("\n")[0]]).toEqual([0, expect.stringContaining("for shop")]);
    const two = await run(["explain"], overrides("shop", "mail"));
    expect([two.exitCode, two.stderr]).toEqual([2, expect.stringContaining("There are shop, mail.")]);
  });

  test("exits with 3 when nothing is kept, and gives the whole record in JSON", async () => {
    expect((await run(["explain", "shop"], { [GET]: page() })).exitCode).toBe(3);
    const { stdout } = await run(["explain", "shop", "--json"], { [GET]: page(decision()) });
    expect(JSON.parse(stdout)).toMatchObject({ kind: "ScalingDecision", decision: decision() });
  });

  test("reads a record of an earlier server, with what it lacks as not known", async () => {
    const { clamps: _c, holds: _h, errorBudget: _e, ...rest } = decision({ recordVersion: 1, inputs: {} });
    const { exitCode, stdout } = await run(["explain", "shop"], { [GET]: page(rest) });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("budget   not measured");
    expect(stdout).toMatch(/What would change it\n {2}not known/);
  });
});

describe("scale history", () => {
  test("lists decisions with what limited and held them", async () => {
    const { stdout } = await run(["history", "--limit", "2"], {
      "GET /v1/scaling/decisions?limit=2": page(decision()),
    });
    expect(stdout).toMatch(/03:12:04\.000Z +shop +2 -> 3 +workers-max +workers-max +shop~3-7/);
    expect((await run(["history", "--limit", "501"])).exitCode).toBe(2);
  });
});

describe("scale show", () => {
  test("shows bounds in force, what is configured, and who set what", async () => {
    const pool = {
      pool: "shop",
      configured: { workersMin: 0, workersMax: 3 },
      inForce: { workersMin: 2, workersMax: 3 },
      freeze: { pool: "shop", hard: false, ...setting },
      held: { "shop-1": 2 },
      bounds: { workersMin: 2, workersMax: null, ...setting, why: `x ${ESC}[1m` },
    };
    const answer = { revision: 3, at: AT, pools: [pool], allFrozen: { pool: "*", hard: true, ...setting } };
    const { stdout } = await run(["show"], { "GET /v1/scaling/overrides": ok(answer) });
    expect(stdout).toMatch(/shop +2 +3 +0 to 3 +2 workers/);
    expect(stdout).toMatch(/all +frozen hard +ada/);
    expect(stdout).toMatch(/shop +frozen +ada +2026-03-01T04:12:04\.000Z +checkout incident/);
    expect(stdout).toMatch(/shop +min 2 +ada .*x \\x1b\[1m/);
  });
});

const changed = ok({ revision: 4, set: { pool: "shop", ...setting }, replaced: null });
const dropped = ok({ revision: 5, set: null, replaced: { pool: "shop", ...setting } });
const why = ["--why", "checkout incident"];

describe("scale freeze and thaw", () => {
  test("send what they were told", async () => {
    const freeze = await run(
      ["freeze", "shop", ...why, "--for", "2d", "--hard", "--by", "ada", "--expected", "3"],
      {
        "PUT /v1/scaling/pools/shop/freeze": changed,
      },
    );
    expect([freeze.exitCode, freeze.stdout]).toEqual([
      0,
      "shop  frozen until 2026-03-01T04:12:04.000Z; in force within the next round, 5 s\n",
    ]);
    expect(cli.received).toEqual([
      { hard: true, why: "checkout incident", by: "ada", expiresInMs: 172_800_000, expected: 3 },
    ]);
    const thaw = await run(["thaw", "--all"], { "DELETE /v1/scaling/pools/*/freeze": dropped });
    expect([thaw.exitCode, thaw.stdout]).toEqual([
      0,
      "all pools  thawed; sized again from the next round on\n",
    ]);
  });

  test("hold for an hour unless told otherwise", async () => {
    await run(["freeze", "--all", ...why], { "PUT /v1/scaling/pools/*/freeze": changed });
    expect(cli.received).toMatchObject([{ hard: false, expiresInMs: 3_600_000, expected: null }]);
  });

  test.for([
    [["freeze", "shop"]],
    [["freeze", ...why]],
    [["freeze", "shop", "--all", ...why]],
    [["freeze", "shop", ...why, "--for", "8d"]],
    [["freeze", "shop", ...why, "--for", "500ms"]],
    [["bounds", "shop", ...why]],
    [["bounds", "shop", ...why, "--max", "-1"]],
    [["bounds", "shop", ...why, "--max", "1001"]],
    [["thaw"]],
    [["reset"]],
  ])("%j is a wrong usage, and nothing is sent", async ([wrong = []]) => {
    expect((await run(wrong)).exitCode).toBe(2);
    expect(cli.received).toEqual([]);
  });
});

describe("scale bounds and reset", () => {
  test("send the numbers, and the configuration's for what is left out", async () => {
    const { stdout } = await run(["bounds", "shop", "--max", "8", "--beyond-config", ...why], {
      "PUT /v1/scaling/pools/shop/bounds": changed,
    });
    expect(stdout).toBe("shop  max 8 until 2026-03-01T04:12:04.000Z\n");
    expect(cli.received).toMatchObject([{ workersMin: null, workersMax: 8, beyondConfig: true }]);
    const reset = await run(["reset", "shop", "--expected", "4"], {
      "DELETE /v1/scaling/pools/shop/bounds?expected=4": dropped,
    });
    expect(reset.stdout).toBe("shop  has the configuration's bounds again\n");
  });

  test.for([
    [404, "POOL_UNKNOWN", 3, "lists the pools"],
    [422, "BOUNDS_INVALID", 4, "--beyond-config"],
    [409, "SCALING_OVERRIDES_CHANGED", 4, "decide again"],
    [503, "SCALING_CHANGE_UNKNOWN", 6, "not known whether scaling changed"],
  ] as const)(
    "that are refused with %i %s exit with %i and say what to do",
    async ([status, code, exit, hint]) => {
      const { exitCode, stderr } = await run(["bounds", "shop", "--max", "8", ...why], {
        "PUT /v1/scaling/pools/shop/bounds": problem(status, code),
      });
      expect([exitCode, stderr]).toEqual([exit, expect.stringContaining(hint)]);
    },
  );
});
