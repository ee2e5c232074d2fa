import { describe, expect, test } from "vitest";
import { type Answers, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();

const status = {
  state: "active",
  health: "ok",
  nextOccurrence: "2026-02-01T01:30:00.000Z",
  lastOccurrence: "2026-01-31T01:30:00.000Z",
  lastJobId: "shop~abc",
  lastOutcome: "enqueued",
  enqueued: 12,
  missed: 0,
  lastMissed: null,
  refused: null,
};
const nightly = {
  name: "nightly",
  type: "report.build",
  schemaversion: 2,
  every: null,
  cron: { expression: "30 2 * * *", timeZone: "Europe/Berlin" },
  missed: "last",
  graceMs: 60_000,
  paused: false,
  startAt: null,
  endAt: "2026-12-31T00:00:00.000Z",
  changedAt: "2026-01-01T00:00:00.000Z",
  changedBy: "ana",
  revision: 3,
  status,
  more: 1,
};
const poll = {
  ...nightly,
  name: "poll",
  every: { intervalMs: 30_000 },
  cron: null,
  status: {
    ...status,
    health: "refused",
    missed: 4,
    lastMissed: { occurrence: "2026-01-30T00:00:00.000Z", code: "LATE", message: "too late" },
    refused: {
      occurrence: "2026-01-31T12:00:00.000Z",
      since: "2026-01-31T12:00:00.100Z",
      tries: 3,
      code: "VERSION_NOT_ACTIVE",
      message: `gate${ESC}[2J closed`,
    },
  },
};

describe("schedules list", () => {
  const answers: Answers = {
    "GET /v1/schedules?limit=100": ok({ schedules: [nightly], nextCursor: "nightly" }),
    "GET /v1/schedules?limit=100&cursor=nightly": ok({ schedules: [poll], nextCursor: null }),
  };

  test("shows all pages: when, state, next, last and what was missed", async () => {
    const { exitCode, stdout } = await cli.run(["schedules", "list"], { answers });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^nightly +report\.build v2 +30 2 \* \* \* \(Europe\/Berlin\) +active +2026-02-01T01:30:00.000Z +\S+ +12 +0$/m,
    );
    expect(stdout).toMatch(/^poll +report\.build v2 +every 30\.0 s +active, refused .* 12 +4$/m);
  });

  test("passes the answers on as they came in JSON", async () => {
    const { stdout } = await cli.run(["--json", "schedules", "list"], { answers });
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "Schedules",
      schedules: [{ more: 1 }, { name: "poll" }],
    });
  });

  test("says so when there are none", async () => {
    const none = { "GET /v1/schedules?limit=100": ok({ schedules: [], nextCursor: null }) };
    expect((await cli.run(["schedules", "list"], { answers: none })).stdout).toBe("no schedules\n");
  });
});

describe("schedules get", () => {
  test("shows what comes next and what is in the way, without a stranger's control characters", async () => {
    const answers = {
      "GET /v1/schedules/poll": ok({ ...poll, nextOccurrences: ["2026-02-01T00:00:30.000Z"] }),
    };
    const { exitCode, stdout } = await cli.run(["schedules", "get", "poll"], { answers });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("next      2026-02-01T00:00:30.000Z");
    expect(stdout).toContain("until 2026-12-31T00:00:00.000Z");
    expect(stdout).toContain("is refused (VERSION_NOT_ACTIVE, 3 tries): gate\\x1b[2J closed");
    expect(stdout).toContain("was missed (LATE): too late");
    expect(stdout).toContain("by ana (revision 3)");
  });

  test("exits 3 for one that is not there", async () => {
    const answers = { "GET /v1/schedules/x": problem(404, "SCHEDULE_NOT_FOUND") };
    const { exitCode, stderr } = await cli.run(["schedules", "get", "x"], { answers });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("`sluice schedules list` shows the schedules.");
  });
});

describe("schedules put", () => {
  const base = [
    "schedules",
    "put",
    "nightly",
    "--type",
    "report.build",
    "--schemaversion",
    "2",
    "--data",
    '{"a":1}',
  ];
  const answers = { "PUT /v1/schedules/nightly": ok({ ...nightly, nextOccurrences: [] }) };

  test("sends a cron schedule", async () => {
    const more = [
      "--cron",
      "30 2 * * *",
      "--time-zone",
      "Europe/Berlin",
      "--missed",
      "all",
      "--grace",
      "10m",
    ];
    expect((await cli.run([...base, ...more], { answers })).exitCode).toBe(0);
    expect(cli.received).toEqual([
      {
        type: "report.build",
        schemaversion: 2,
        data: { a: 1 },
        cron: { expression: "30 2 * * *", timeZone: "Europe/Berlin" },
        missed: "all",
        graceMs: 600_000,
      },
    ]);
  });

  test("sends an interval with what is left out left out", async () => {
    await cli.run([...base, "--every", "30s"], { answers });
    expect(cli.received).toEqual([
      { type: "report.build", schemaversion: 2, data: { a: 1 }, every: { intervalMs: 30_000 } },
    ]);
  });

  test.each([
    [[], "Give either --every or --cron."],
    [["--every", "1h", "--cron", "* * * * *"], "Give either --every or --cron."],
    [["--every", "soon"], "--every must be a length of time"],
    [["--every", "1h", "--grace", "x"], "--grace must be a length of time"],
    [["--every", "1h", "--revision", "x"], "--revision must be a whole number"],
  ])("with %j is a wrong use", async (more, message) => {
    const { exitCode, stderr } = await cli.run([...base, ...more], { answers });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(cli.received).toEqual([]);
  });

  test("that comes too late for its revision exits 4", async () => {
    const late = { "PUT /v1/schedules/nightly": problem(412, "SCHEDULE_CHANGED") };
    const { exitCode, stderr } = await cli.run([...base, "--every", "1h", "--revision", "2"], {
      answers: late,
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("then decide again");
  });

  test("whose answer is lost says that it is not known", async () => {
    const lost = { "PUT /v1/schedules/nightly": problem(503, "SCHEDULE_CHANGE_UNKNOWN") };
    const { exitCode, stderr } = await cli.run([...base, "--every", "1h"], { answers: lost });
    expect(exitCode).toBe(6);
    expect(stderr).toContain("It is not known whether the schedule changed.");
  });
});

describe("schedules delete, pause and resume", () => {
  test("say what became of it", async () => {
    const answers = {
      "DELETE /v1/schedules/nightly": ok({ name: "nightly", deleted: true }),
      "POST /v1/schedules/nightly/pause": ok({
        ...nightly,
        paused: true,
        status: { ...status, state: "paused" },
      }),
      "POST /v1/schedules/nightly/resume": ok(nightly),
    };
    const said = async (act: string) => (await cli.run(["schedules", act, "nightly"], { answers })).stdout;
    expect(await said("delete")).toContain("nightly  deleted");
    expect(await said("pause")).toContain("nightly  paused");
    expect(await said("resume")).toContain("nightly  active");
  });
});
