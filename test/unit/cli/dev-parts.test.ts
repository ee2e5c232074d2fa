import { EventEmitter } from "node:events";
import { linkSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { baseUrlOf, withoutPassword } from "#cli/dev/banner";
import { ChildVoice } from "#cli/dev/child-voice";
import { takeDataLock } from "#cli/dev/data-lock";
import { parseLogLine } from "#cli/dev/log-line";
import { readLines } from "#cli/dev/read-lines";
import { listenForStopSignals } from "#cli/dev/stop-signals";
import { systemClock } from "#shared/system-clock";
import { FakeClock } from "../../support/fake-clock.ts";

describe("signals to stop", () => {
  test("that come together are one: npm passes the terminal's own ^C on again", async () => {
    const clock = new FakeClock();
    const source = new EventEmitter();
    const { stop, insist } = listenForStopSignals(source, clock);
    source.emit("SIGINT");
    expect([stop.aborted, insist.aborted]).toEqual([true, false]);
    await clock.advance(299);
    source.emit("SIGINT");
    expect(insist.aborted).toBe(false);
    await clock.advance(1);
    source.emit("SIGTERM");
    expect(insist.aborted).toBe(true);
  });
});

describe("a line of a child", () => {
  test("that is a log entry is told in words, with whom it is about and the error", () => {
    const entry = { level: "warn", process: "worker", worker: "w-1", msg: "lost", err: { message: "why" } };
    expect(parseLogLine(JSON.stringify(entry), "autoscaler")).toEqual({
      process: "worker",
      level: "warn",
      text: "lost worker=w-1: why",
      error: "why",
    });
  });

  test.for(["Error: boom", "{", "null", "[]", '{"level":30}', '"text"'])("%j is told as it is", (line) => {
    expect(parseLogLine(line, "producer")).toMatchObject({
      process: "producer",
      level: "output",
      text: line,
    });
  });

  test("of any length is given in bounded pieces", async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    readLines(stream, (line) => lines.push(line));
    for (let chunk = 0; chunk < 10; chunk += 1) stream.write("x".repeat(5_000));
    stream.end("\n\nlast");
    await new Promise((resolve) => stream.once("close", resolve));
    expect(lines.at(-1)).toBe("last");
    expect(lines.join("").length).toBe(50_004);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(25_000);
  });
});

describe("the voice of a child", () => {
  test("is held back until it has started", () => {
    const shown: string[] = [];
    const voice = new ChildVoice("producer", new FakeClock(), (line) => shown.push(line.text));
    voice.hear("one");
    expect(shown).toEqual([]);
    voice.open();
    voice.hear("two");
    expect(shown).toEqual(["one", "two"]);
  });

  test("does not repeat itself, and says how often it would have", async () => {
    const clock = new FakeClock();
    const shown: string[] = [];
    const voice = new ChildVoice("worker", clock, (line) => shown.push(line.text));
    voice.open();
    for (let time = 0; time < 5; time += 1) voice.hear("again");
    voice.hear("other");
    await clock.advance(10_000);
    voice.hear("other");
    expect(shown).toEqual(["again", "(4 more like the last)", "other", "other"]);
  });

  test("has the last error as its last words", () => {
    const voice = new ChildVoice("worker", new FakeClock(), () => undefined);
    expect(voice.lastWords).toBeNull();
    voice.hear("first");
    voice.hear("second");
    expect(voice.lastWords).toBe("first\nsecond");
    voice.hear(JSON.stringify({ level: "error", msg: "no", err: { message: "the reason" } }));
    voice.hear("after");
    expect(voice.lastWords).toBe("the reason");
  });
});

describe("the lock of a data directory", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sluice-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test("is held by one, who is named, and free again after", async () => {
    const lock = await takeDataLock(directory, "/data", systemClock);
    await expect(takeDataLock(directory, "/data", systemClock)).rejects.toMatchObject({
      failure: { exitCode: 4, message: expect.stringContaining(`pid ${process.pid}`) },
    });
    lock.release();
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
    (await takeDataLock(directory, "/data", systemClock)).release();
  });

  test("is taken from a holder that was killed", async () => {
    await leaveDeadSocket(join(directory, "dev.sock"));
    const lock = await takeDataLock(directory, "/data", systemClock);
    await expect(takeDataLock(directory, "/data", systemClock)).rejects.toThrow("already runs");
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });
});

/** A socket in the file system that nobody listens on any more, as a killed process leaves it. */
async function leaveDeadSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.made`, resolve));
  linkSync(`${path}.made`, path);
  await new Promise((resolve) => server.close(resolve));
}

describe("an address to open", () => {
  test("is reached on this machine when the server listens everywhere", () => {
    expect(baseUrlOf("0.0.0.0", 7700)).toBe("http://127.0.0.1:7700");
    expect(baseUrlOf("::", 7700)).toBe("http://[::1]:7700");
    expect(baseUrlOf("localhost", 7700)).toBe("http://localhost:7700");
  });

  test("is shown without a password", () => {
    expect(withoutPassword("rediss://u:p@ss@host:6379/1")).toBe("rediss://***@host:6379/1");
    expect(withoutPassword("redis://host:6379")).toBe("redis://host:6379");
  });
});
