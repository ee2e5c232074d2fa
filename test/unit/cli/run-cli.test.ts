import { describe, expect, test } from "vitest";
import { type Answers, cliHarness, ESC, problem } from "./cli-harness.ts";

const cli = cliHarness();
const run = (args: readonly string[], answers: Answers = {}, stdin = "") => cli.run(args, { answers, stdin });

const jobId = "shop~abc";
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
  result: { note: `${ESC}]0;owned` },
  resultBytesDropped: null,
  error: null,
};

const accepted = { status: 202, body: { id: jobId, type: "receipt.render", state: "waiting" } };
const types = {
  status: 200,
  body: {
    types: [
      {
        type: "receipt.render",
        versions: [
          { schemaversion: 1, accepted: true },
          { schemaversion: 2, accepted: true },
          { schemaversion: 3, accepted: false },
        ],
      },
    ],
  },
};
const jobPath = `GET /v1/jobs/${encodeURIComponent(jobId)}`;

describe("enqueue", () => {
  const args = ["enqueue", "receipt.render", "--data", '{"orderId":"o-1"}'];

  test("asks for the newest accepted version and hands the job in with an id of its own", async () => {
    const { exitCode, stdout, stderr } = await run(args, {
      "GET /v1/types": types,
      "POST /v1/jobs": accepted,
    });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `${jobId}  receipt.render v2  waiting\n`,
      stderr: "",
    });
    expect(cli.received).toEqual([
      { type: "receipt.render", schemaversion: 2, id: expect.any(String), data: { orderId: "o-1" } },
    ]);
  });

  test("reads the data from standard input, and passes options on", async () => {
    const options = ["--schemaversion", "1", "--id", "x", "--source", "/s", "--subject", "t"];
    await run(["enqueue", "a.b", "--data", "-", ...options], { "POST /v1/jobs": accepted }, '{"n":1}');
    expect(cli.received).toEqual([
      { type: "a.b", schemaversion: 1, id: "x", source: "/s", subject: "t", data: { n: 1 } },
    ]);
  });

  test("asks for a time, a priority and a dedup key as the API knows them", async () => {
    const options = ["--schemaversion", "1", "--in", "10m", "--priority", "low", "--dedup-key", "k"];
    const before = Date.now();
    await run(["enqueue", "a.b", "--data", "{}", ...options], { "POST /v1/jobs": accepted });
    const [{ scheduledtime, ...sent }] = cli.received as [{ scheduledtime: string }];
    expect(sent).toMatchObject({ priority: "low", dedupkey: "k" });
    // 10 minutes, and what the command itself took.
    expect(Date.parse(scheduledtime) - before).toBeGreaterThanOrEqual(600_000);
    expect(Date.parse(scheduledtime) - Date.now()).toBeLessThanOrEqual(600_000);
    expect((await run(["enqueue", "a.b", "--data", "{}", "--in", "soon"])).exitCode).toBe(2);
  });

  test.for([
    ["succeeded", 0],
    ["failed", 8],
    ["expired", 8],
  ] as const)("--wait exits when the job has %s with %d", async ([state, exitCode]) => {
    const given = {
      "GET /v1/types": types,
      "POST /v1/jobs": accepted,
      [jobPath]: { status: 200, body: { ...job, state } },
    };
    const ended = await run([...args, "--wait", "--json"], given);
    expect(ended.exitCode).toBe(exitCode);
    expect(JSON.parse(ended.stdout)).toMatchObject({ apiVersion: "sluice/v1", kind: "Job", job: { state } });
  });

  test("--wait exits with 7 when the time is up", async () => {
    const given = {
      "GET /v1/types": types,
      "POST /v1/jobs": accepted,
      [jobPath]: { status: 200, body: { ...job, state: "running" } },
    };
    const { exitCode, stderr } = await run([...args, "--wait", "--timeout", "1ms"], given);
    expect(exitCode).toBe(7);
    expect(stderr).toContain("it is running");
  });

  test("says that the outcome is not known, and how to ask again, when it is not", async () => {
    const body = { code: "ENQUEUE_UNKNOWN", title: "It is not known", detail: "lost", outcome: "unknown" };
    const given = { "GET /v1/types": types, "POST /v1/jobs": { status: 503, body } };
    const { exitCode, stdout } = await run([...args, "--json"], given);
    expect(exitCode).toBe(6);
    const { error } = JSON.parse(stdout);
    expect(error).toMatchObject({ code: "ENQUEUE_UNKNOWN", outcome: "unknown" });
    expect(error.hint).toContain(`--id ${(cli.received[0] as { id: string }).id}`);
  });

  test("lists the fields that were refused", async () => {
    const errors = [{ pointer: "/data/orderId", rule: "required", message: `is missing${ESC}[2J` }];
    const body = { code: "DATA_INVALID", title: "The data does not fit its version", errors };
    const given = { "GET /v1/types": types, "POST /v1/jobs": { status: 422, body } };
    expect(await run(args, given)).toEqual({
      exitCode: 4,
      stdout: "",
      stderr: "✗ The data does not fit its version:\n  /data/orderId: is missing\\x1b[2J\n(exit 4)\n",
    });
  });

  test("warns the writer of a superseded version, beside the answer", async () => {
    // 1769860800 s after the epoch is 2026-01-31T12:00:00Z.
    const headers = { deprecation: "@1769860800", sunset: "Sun, 31 Jan 2027 00:00:00 GMT" };
    const given = { "GET /v1/types": types, "POST /v1/jobs": { ...accepted, headers } };
    const { exitCode, stdout, stderr } = await run(args, given);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${jobId}  receipt.render v2  waiting\n` });
    expect(stderr).toBe(
      "warning: version 2 of receipt.render is superseded since 2026-01-31T12:00:00.000Z, and is taken until " +
        "2027-01-31T00:00:00.000Z; write a newer one.\n",
    );
    const inJson = JSON.parse((await run([...args, "--json"], given)).stdout);
    expect(inJson.deprecation).toEqual({
      since: "2026-01-31T12:00:00.000Z",
      sunset: "2027-01-31T00:00:00.000Z",
    });
  });

  test("says which gate to raise for a version that is not active yet", async () => {
    const refused = problem(409, "VERSION_NOT_ACTIVE", { retryAfterSeconds: 30 });
    const { exitCode, stderr } = await run([...args, "--schemaversion", "3"], { "POST /v1/jobs": refused });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("`sluice gate raise receipt.render 3`");
  });

  test.for([
    [["enqueue", "a.b"]],
    [["enqueue", "a.b", "--data", "{"]],
    [["enqueue", "a.b", "--data", "[]"]],
    [["enqueue", "a.b", "--data", "@/does/not/exist"]],
    [["enqueue", "a.b", "--data", "{}", "--timeout", "3s"]],
    [["enqueue", "a.b", "--data", "{}", "--wait", "--timeout", "soon"]],
    [["enqueue", "a.b", "--data", "{}", "--schemaversion", "0"]],
    [["--url", "nonsense", "enqueue", "a.b", "--data", "{}"]],
    [["nonsense"]],
    [["status", "--nonsense"]],
    [["help", "nonsense"]],
    [[]],
  ])("%j is a wrong usage", async ([wrong = []]) => {
    const { exitCode, stdout, stderr } = await run(wrong);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/\(exit 2\)\n$/);
    const inJson = await run([...wrong, "--json"]);
    expect(inJson.exitCode).toBe(2);
    expect(inJson.stderr).toBe("");
    expect(JSON.parse(inJson.stdout)).toMatchObject({ apiVersion: "sluice/v1", kind: "Error" });
  });
});

describe("job get", () => {
  test("shows the job, and nothing in it moves the terminal", async () => {
    const { exitCode, stdout } = await run(["job", "get", jobId], { [jobPath]: { status: 200, body: job } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${jobId}  succeeded\n`);
    expect(stdout).toContain("receipt.render v2");
    expect(stdout).not.toContain(ESC);
  });

  test("exits with 3 when there is no such job", async () => {
    expect((await run(["job", "get", jobId])).exitCode).toBe(3);
  });
});

describe("status", () => {
  const given = {
    "GET /readyz": { status: 200, body: {} },
    "GET /v1/fleet": {
      status: 200,
      body: {
        observedAt: "2026-01-31T12:00:00.000Z",
        workers: [
          { worker: "w-1", release: "v2", queue: "shop", state: "ok", reason: null, slots: 8, busy: 3 },
        ],
        releases: [{ release: "v2", app: "shop", state: "live" }],
      },
    },
    "GET /v1/lanes": {
      status: 200,
      body: {
        observedAt: "2026-01-31T12:00:00.000Z",
        queues: [
          {
            queue: "shop",
            pickupPromiseMs: 5_000,
            parked: 0,
            quarantined: 0,
            lanes: [
              {
                lane: "shop.r1",
                waiting: 7,
                inFlight: 3,
                scheduled: 0,
                failed: 1,
                oldestDueAgeMs: 9_000,
                readers: ["v2"],
                consumers: 1,
                orphaned: false,
              },
            ],
          },
        ],
      },
    },
    "GET /v1/scaling/decisions?limit=5": { status: 200, body: { decisions: [] } },
  };

  test("shows verdict, lanes and fleet", async () => {
    const { exitCode, stdout } = await run(["status"], given);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^! late /);
    expect(stdout).toMatch(/shop\.r1 +9\.0 s \/ 5\.0 s +7 +3 +0 +1 +v2 +1\n/);
    expect(stdout).toMatch(/v2 +shop +live +1 ok +3\/8\n/);
  });

  test("exits with 8 for a verdict that is not ok only when asked to", async () => {
    const { exitCode, stdout } = await run(["status", "--exit-code", "--json"], given);
    expect(exitCode).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "Status", verdict: { kind: "late" } });
  });

  test("says that an API that is not ready is unhealthy", async () => {
    const readyz = { status: 503, body: { problems: ["Redis is not reachable"] } };
    const { stdout } = await run(["status"], { ...given, "GET /readyz": readyz });
    expect(stdout).toContain("unhealthy");
    expect(stdout).toContain("the API is not ready: Redis is not reachable");
  });
});

test("a server that is not there is told with what to do", async () => {
  const { exitCode, stderr } = await run(["job", "get", jobId, "--url", "http://127.0.0.1:9"]);
  expect(exitCode).toBe(6);
  expect(stderr).toMatch(
    /^✗ Cannot reach http:\/\/127\.0\.0\.1:9 \(.+\)\. Is it running\? `npm start` .* \(exit 6\)\n$/,
  );
});

test("version, help and the table of exit codes are data, in both forms", async () => {
  expect((await run(["--version"])).stdout).toBe("1.2.3\n");
  expect(JSON.parse((await run(["--version", "--json"])).stdout)).toMatchObject({ version: "1.2.3" });
  expect((await run(["enqueue", "--help"])).stdout).toContain("--schemaversion");
  expect(JSON.parse((await run(["--help", "--json"])).stdout)).toMatchObject({ kind: "Help" });
  expect((await run(["help", "job"])).stdout).toContain("get");
  expect((await run(["help", "exit-codes"])).stdout).toContain("   6  the server is not reached");
});
