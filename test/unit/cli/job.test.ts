import { describe, expect, test } from "vitest";
import type { Clock } from "#shared/clock";
import { systemClock } from "#shared/system-clock";
import { type Canned, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();

const jobId = "shop~abc";
const path = `/v1/jobs/${encodeURIComponent(jobId)}`;

const job = {
  type: "receipt.render",
  state: "succeeded",
  queue: "shop",
  lane: "shop.r1",
  schemaversion: 2,
  acceptedAt: "2026-01-31T12:00:00.000Z",
  dueAt: null,
  startedAt: null,
  finishedAt: null,
  release: "v2",
  worker: "w-1",
  attempts: { failed: 0, starts: 1, crashes: 0, entries: [] },
  result: null,
  resultBytesDropped: null,
  error: null,
};

function item(id: string, changes: object = {}) {
  const times = { acceptedAt: "2026-01-31T12:00:00.000Z", dueAt: null, startedAt: null, finishedAt: null };
  return { id, type: "receipt.render", state: "waiting", lane: "shop.r1", ...times, ...changes };
}

describe("job list", () => {
  test("shows own jobs, whole ids and nothing that would change the terminal", async () => {
    const long = `${"q".repeat(60)}~${"a".repeat(52)}`;
    const jobs = [
      item(long, { state: "scheduled", dueAt: "2026-01-31T13:00:00.000Z" }),
      item("shop~2", { type: `a.${ESC}[2Jb`, lane: null, startedAt: "2026-01-31T12:00:01.000Z" }),
    ];
    const answers = { "GET /v1/jobs?limit=20": ok({ jobs, nextCursor: null }) };
    const { exitCode, stdout } = await cli.run(["job", "list"], { answers });
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
      "ID STATE TYPE LANE ACCEPTED THEN",
      `${long} scheduled receipt.render shop.r1 2026-01-31T12:00:00.000Z due 2026-01-31T13:00:00.000Z`,
      "shop~2 waiting a.\\x1b[2Jb - 2026-01-31T12:00:00.000Z started 2026-01-31T12:00:01.000Z",
      "",
    ]);
  });

  test("goes on where a page holds fewer than there are, and stops at its limit", async () => {
    const query = "state=failed&type=receipt.render";
    const answers = {
      [`GET /v1/jobs?${query}&limit=3`]: ok({ jobs: [item("shop~1")], nextCursor: "c1" }),
      [`GET /v1/jobs?${query}&limit=2&cursor=c1`]: ok({ jobs: [], nextCursor: "c2" }),
      [`GET /v1/jobs?${query}&limit=2&cursor=c2`]: ok({
        jobs: [item("shop~2"), item("shop~3")],
        nextCursor: "c3",
      }),
    };
    const args = ["job", "list", "--state", "failed", "--type", "receipt.render", "--limit", "3"];
    const told = await cli.run([...args, "--json"], { answers });
    expect(JSON.parse(told.stdout)).toMatchObject({
      kind: "JobList",
      jobs: [{ id: "shop~1" }, { id: "shop~2" }, { id: "shop~3" }],
      hasMore: true,
    });
    expect((await cli.run(args, { answers })).stdout).toContain("there are more");
  });

  test.each(["0", "1001", "-1", "x", "1.5"])("refuses the limit %s", async (limit) => {
    expect((await cli.run(["job", "list", "--limit", limit])).exitCode).toBe(2);
  });

  test("passes on what the server says of a wrong state", async () => {
    const errors = [{ pointer: "/state", rule: "invalid-value", message: "must be one of waiting" }];
    const answers = { "GET /v1/jobs?state=x&limit=20": problem(422, "QUERY_INVALID", { errors }) };
    const { exitCode, stderr } = await cli.run(["job", "list", "--state", "x"], { answers });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("/state: must be one of waiting");
  });
});

describe("job cancel", () => {
  const route = `POST ${path}/cancel`;

  test.each([
    [ok({ id: jobId, state: "cancelled" }), "cancelled"],
    [
      { status: 202, body: { id: jobId, state: "running", cancelling: true } },
      "is cancelled by its worker within seconds",
    ],
  ])("says what becomes of the job", async (canned, told) => {
    const { exitCode, stdout } = await cli.run(["job", "cancel", jobId, "--why", "ordered twice"], {
      answers: { [route]: canned },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${jobId}  ${told}\n` });
    expect(cli.received).toEqual([{ why: "ordered twice" }]);
  });

  test.each([
    [problem(409, "JOB_ENDED"), 4],
    [problem(404, "JOB_NOT_FOUND"), 3],
  ])("fails when there is nothing to cancel", async (canned, exitCode) => {
    expect((await cli.run(["job", "cancel", jobId], { answers: { [route]: canned } })).exitCode).toBe(
      exitCode,
    );
  });

  test("says that it may be repeated when the answer is not known", async () => {
    const answers = { [route]: problem(503, "REDIS_UNAVAILABLE") };
    const { exitCode, stderr } = await cli.run(["job", "cancel", jobId], { answers });
    expect(exitCode).toBe(6);
    expect(stderr).toContain("It is not known whether the job is cancelled.");
    expect(stderr).toContain("it is safe");
  });
});

describe("job watch", () => {
  const state = (name: string, changes: object = {}) => ({
    state: name,
    attempts: { failed: 0, starts: 1, crashes: 0 },
    release: null,
    worker: null,
    dueAt: null,
    progress: null,
    ...changes,
  });
  const event = (name: string, data: object) => `event: ${name}\nid: 1\ndata: ${JSON.stringify(data)}\n\n`;
  const stream = (...events: readonly string[]): Canned => ({
    status: 200,
    text: `retry: 2000\n\n: still here\n\n${events.join("")}`,
    headers: { "content-type": "text/event-stream" },
    body: null,
  });
  const running = state("running", {
    release: "v2",
    worker: `w${ESC}[2J`,
    progress: { percent: 41.6, message: `half\u202e` },
  });

  /** Comes back at once. */
  const hurried: Clock = { ...systemClock, sleep: async () => "elapsed" };

  test("tells each change beside the answer, which is the job at its end", async () => {
    const answers = {
      [`GET ${path}/events`]: stream(
        event("state", state("waiting")),
        event("state", running),
        event("state", state("succeeded")),
        event("end", { id: jobId, state: "succeeded" }),
      ),
      [`GET ${path}`]: ok(job),
    };
    const { exitCode, stdout, stderr } = await cli.run(["job", "watch", jobId], { answers });
    expect(exitCode).toBe(0);
    expect(stderr).toBe("waiting\nrunning  v2 (worker w\\x1b[2J)  42 % half\\u{202e}\nsucceeded\n");
    expect(stdout).toMatch(/^shop~abc {2}succeeded\n/);
  });

  test("comes back when the stream ends before the job", async () => {
    const answers = {
      [`GET ${path}/events`]: [
        stream(event("state", state("waiting"))),
        stream(event("state", state("waiting")), event("end", { id: jobId, state: "failed" })),
      ],
      [`GET ${path}`]: ok({ ...job, state: "failed" }),
    };
    const { exitCode, stderr } = await cli.run(["job", "watch", jobId], { answers, clock: hurried });
    expect({ exitCode, stderr }).toEqual({ exitCode: 8, stderr: "waiting\n" });
  });

  test("fails at once for a job that is not known, and for a server that is not there", async () => {
    const unknown = { [`GET ${path}/events`]: problem(404, "JOB_NOT_FOUND") };
    expect((await cli.run(["job", "watch", jobId], { answers: unknown })).exitCode).toBe(3);
    const env = { SLUICE_URL: "http://127.0.0.1:1" };
    expect((await cli.run(["job", "watch", jobId], { env })).exitCode).toBe(6);
  });

  test("does not read on when what comes is no event and has no end", async () => {
    const answers = { [`GET ${path}/events`]: stream("x".repeat(2 * 1024 * 1024)) };
    const { exitCode, stderr } = await cli.run(["job", "watch", jobId], { answers });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no event");
  });
});
