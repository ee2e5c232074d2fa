import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideGateTarget } from "#cli/commands/gate/decide-gate-target";
import { FakeClock } from "../../support/fake-clock.ts";
import { type Answers, type Canned, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();
const run = (args: readonly string[], answers: Answers = {}) => cli.run(args, { answers });

const TYPE = "receipt.render";
const GET = `GET /v1/gates/${TYPE}`;
const POST = `POST /v1/gates/${TYPE}`;

function gate(changes: object = {}) {
  return {
    type: TYPE,
    queue: "shop",
    activeversion: 1,
    readerSlots: 8,
    loadSlots: 2.35,
    next: { version: 2, mayRise: true, reason: null },
    versions: [
      { version: 1, state: "active", since: "2026-01-31T12:00:00.000Z", by: "ana@box", sunset: null },
    ],
    events: [
      { at: "2026-01-31T12:00:00.000Z", by: "ana@box", change: "gate-raised", version: 1, why: "first" },
    ],
    ...changes,
  };
}

const moved = (from: number, to: number): Canned =>
  ok({ type: TYPE, from, activeversion: to, moved: from !== to });

describe("the version that a gate shall be moved to", () => {
  const shown = { type: TYPE, activeversion: 2, next: { version: 3 } };

  test("is the next one above where none is named", () => {
    expect(decideGateTarget(shown, { direction: "raise", version: null })).toEqual({
      kind: "move",
      version: 3,
    });
  });

  test("is nothing when nothing is above", () => {
    const top = { ...shown, next: null };
    expect(decideGateTarget(top, { direction: "raise", version: null })).toMatchObject({
      kind: "refused",
      code: "NOTHING_ABOVE",
    });
  });

  test("is never on the other side than the word says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.constantFrom("raise", "lower"), (version, direction) => {
        const target = decideGateTarget(shown, { direction, version });
        const isOtherSide = direction === "raise" ? version < 2 : version > 2;
        expect(target.kind).toBe(isOtherSide ? "refused" : "move");
      }),
    );
  });
});

describe("gate get", () => {
  test("lists the gates with what they wait for, and nothing in it moves the terminal", async () => {
    const waiting = gate({ type: `a.b${ESC}[2J`, next: { version: 2, mayRise: false, reason: "no reader" } });
    const { exitCode, stdout } = await run(["gate", "get"], {
      "GET /v1/gates": ok({ gates: [gate(), waiting, gate({ type: "c.d", next: null })] }),
    });
    expect(exitCode).toBe(0);
    // 2.35 slots are shown as 2.4: rounded up.
    expect(stdout).toMatch(/^receipt\.render +shop +1 +2 +yes +8\/2\.4$/m);
    expect(stdout).toMatch(/^a\.b\\x1b\[2J +shop +1 +2 +no: no reader +8\/2\.4$/m);
    expect(stdout).toMatch(/^c\.d +shop +1 +- +- +-$/m);
    expect(stdout).not.toContain(ESC);
  });

  test("shows one gate with its versions and what happened to it", async () => {
    const { stdout } = await run(["gate", "get", TYPE], { [GET]: ok(gate()) });
    expect(stdout).toContain("receipt.render  at version 1  (queue shop)");
    expect(stdout).toContain("may rise to version 2: its readers have 8 slots for a load of 2.4 slots");
    expect(stdout).toMatch(/gate-raised +1 +ana@box +first/);
  });

  test("passes the answer on as it came in JSON", async () => {
    const { stdout } = await run(["gate", "get", TYPE, "--json"], { [GET]: ok(gate({ more: 1 })) });
    expect(JSON.parse(stdout)).toMatchObject({ kind: "Gate", gate: { activeversion: 1, more: 1 } });
  });

  test("exits with 3 for a type that is not published", async () => {
    const { exitCode, stderr } = await run(["gate", "get", TYPE], { [GET]: problem(404, "TYPE_UNKNOWN") });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("`sluice gate get` shows the types");
  });
});

describe("gate raise", () => {
  const raise = ["gate", "raise", TYPE, "--why", "v2 is deployed"];

  test("asks for the next version, from where the gate was seen a moment before", async () => {
    const { exitCode, stdout } = await run(raise, { [GET]: ok(gate()), [POST]: moved(1, 2) });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "receipt.render  1 -> 2\n" });
    expect(cli.received).toEqual([
      {
        version: 2,
        expected: 1,
        force: false,
        sunset: null,
        by: expect.stringMatching(/^.+@.+$/),
        why: "v2 is deployed",
      },
    ]);
  });

  test("passes on what a person says", async () => {
    const options = ["2", "--by", "ana", "--expected", "7", "--force", "--sunset", "2027-01-31"];
    await run([...raise, ...options], { [GET]: ok(gate()), [POST]: moved(1, 2) });
    expect(cli.received).toMatchObject([
      { version: 2, by: "ana", expected: 7, force: true, sunset: "2027-01-31T00:00:00Z" },
    ]);
  });

  test("is told when it is there already", async () => {
    const { exitCode, stdout } = await run([...raise, "1"], { [GET]: ok(gate()), [POST]: moved(1, 1) });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("stays at version 1");
  });

  test.for([
    ["GATE_MOVED", "Somebody moved it"],
    ["SLOTS_MISSING", "--wait"],
    ["LOAD_UNKNOWN", "--wait"],
    ["NO_READER", "Publish a release"],
    ["MORE_THAN_ONE_STEP", "One step at a time"],
    ["VERSION_UNKNOWN", "shows the versions"],
  ] as const)("that is refused with %s exits with 4 and says what to do", async ([code, hint]) => {
    const { exitCode, stderr } = await run(raise, {
      [GET]: ok(gate()),
      [POST]: problem(409, code, { retryAfterSeconds: 10 }),
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`Because of ${code}.`);
    expect(stderr).toContain(hint);
  });

  test("does not ask at all when nothing is above, or the version is below", async () => {
    const top = await run(raise, { [GET]: ok(gate({ next: null })) });
    expect(top.exitCode).toBe(4);
    expect(top.stderr).toContain("nothing is above its gate");
    const below = await run([...raise, "1"], { [GET]: ok(gate({ activeversion: 2 })) });
    expect(below.exitCode).toBe(4);
    expect(below.stderr).toContain("`sluice gate lower receipt.render 1`");
    expect(cli.received).toEqual([]);
  });

  test("says that it is not known whether the gate moved, when it is not", async () => {
    const { exitCode, stderr } = await run(raise, {
      [GET]: ok(gate()),
      [POST]: problem(503, "REDIS_UNAVAILABLE"),
    });
    expect(exitCode).toBe(6);
    expect(stderr).toMatch(/not known whether the gate moved.*`sluice gate get receipt\.render`/);
  });

  test.for([
    [["gate", "raise", TYPE]],
    [["gate", "raise", TYPE, "--why", "x"]],
    [["gate", "raise", TYPE, "--why", "line\nbreak"]],
    [[...raise, "two"]],
    [[...raise, "--expected", "0"]],
    [[...raise, "--sunset", "soon"]],
    [[...raise, "--sunset", "2027-13-01"]],
    [[...raise, "--timeout", "1m"]],
    [[...raise, "--wait", "--timeout", "long"]],
    [[...raise, "--by", " "]],
    [["gate", "lower", TYPE, "--why", "back"]],
  ])("%j is a wrong usage, and nothing is sent", async ([wrong = []]) => {
    const { exitCode } = await run(wrong, { [GET]: ok(gate()), [POST]: moved(1, 2) });
    expect(exitCode).toBe(2);
    expect(cli.received).toEqual([]);
  });
});

describe("gate raise --wait", () => {
  const raise = ["gate", "raise", TYPE, "--why", "v2 is deployed", "--wait", "--timeout", "1m"];

  /** Lets the command's sleeps pass at once, and no time while it waits for an answer. */
  async function runPatiently(answers: Answers) {
    const clock = new FakeClock();
    let ended = false;
    const running = cli.run(raise, { answers, clock }).finally(() => {
      ended = true;
    });
    while (!ended) {
      if (clock.waiting > 0) await clock.advance(2_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return running;
  }

  test("asks again until workers and load are there, and says what it waits for once", async () => {
    const { exitCode, stdout, stderr } = await runPatiently({
      [GET]: ok(gate()),
      [POST]: [
        problem(409, "NO_READER"),
        problem(409, "SLOTS_MISSING"),
        problem(409, "SLOTS_MISSING"),
        moved(1, 2),
      ],
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "receipt.render  1 -> 2\n" });
    expect(stderr.match(/^waiting: /gm)).toHaveLength(2);
    expect(cli.received).toHaveLength(4);
  });

  test("ends with 7 when the time is up, with what is in the way", async () => {
    const { exitCode, stderr } = await runPatiently({
      [GET]: ok(gate()),
      [POST]: problem(409, "SLOTS_MISSING"),
    });
    expect(exitCode).toBe(7);
    expect(stderr).toContain("Because of SLOTS_MISSING.");
  });

  test("does not wait for what does not pass", async () => {
    const { exitCode } = await runPatiently({ [GET]: ok(gate()), [POST]: problem(409, "GATE_MOVED") });
    expect(exitCode).toBe(4);
    expect(cli.received).toHaveLength(1);
  });

  test("sees that a move whose answer was lost has happened", async () => {
    const { exitCode, stdout } = await runPatiently({
      [GET]: [ok(gate()), ok(gate({ activeversion: 2, next: null }))],
      [POST]: [problem(503, "REDIS_UNAVAILABLE"), problem(409, "GATE_MOVED")],
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "receipt.render  1 -> 2\n" });
    expect(cli.received).toHaveLength(1);
  });
});

describe("gate lower", () => {
  test("asks for the version, and is not asked for readers or load", async () => {
    const { exitCode, stdout } = await run(["gate", "lower", TYPE, "1", "--why", "v2 fails"], {
      [GET]: ok(gate({ activeversion: 2, next: null })),
      [POST]: moved(2, 1),
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "receipt.render  2 -> 1\n" });
    expect(cli.received).toMatchObject([{ version: 1, expected: 2, force: false, why: "v2 fails" }]);
  });

  test("never raises", async () => {
    const { exitCode, stderr } = await run(["gate", "lower", TYPE, "2", "--why", "go on"], {
      [GET]: ok(gate()),
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("`sluice gate raise receipt.render 2`");
    expect(cli.received).toEqual([]);
  });
});
