import { describe, expect, test } from "vitest";
import { BUFFER_BYTES_MAX, JobEventStream, JobEventStreams, STREAMS_MAX } from "#producer/job-event-stream";
import type { JobView } from "#shared/redis/job-lookup";
import type { JobListener } from "#shared/redis/job-watch";
import { FakeClock, settled } from "#test/support/fake-clock";

const job = { id: "shop~1", state: "running", attempts: { failed: 0, starts: 1, crashes: 0 } } as JobView;

function started() {
  const clock = new FakeClock();
  const listeners = new Set<JobListener>();
  const watch = {
    subscribe: (_id: string, listener: JobListener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const stream = new JobEventStream({ job, watch, clock, lastEventId: undefined });
  stream.begin();
  const tell = (changes: Partial<JobView>) => {
    for (const hear of listeners) hear({ kind: "changed", job: { ...job, ...changes } });
  };
  const gone = () => {
    for (const hear of listeners) hear({ kind: "gone" });
  };
  const read = () => String(stream.body.read() ?? "");
  return { clock, listeners, stream, tell, gone, read };
}

describe("a stream", () => {
  test("says every 15 s that it is there, until it ends after ten minutes", async () => {
    const { clock, listeners, stream, read } = started();
    read();
    await clock.advance(14_999);
    expect(read()).toBe("");
    await clock.advance(1);
    expect(read()).toBe(": still here\n\n");
    await clock.advance(600_000 - 15_000);
    // At 30, 45, ... 585 s, and nothing of an end: the reader comes back.
    expect(read()).toBe(": still here\n\n".repeat(38));
    read();
    await settled();
    expect(stream.body.readableEnded).toBe(true);
    expect(listeners.size).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  test("is cut when more than 64 KiB wait for its reader", async () => {
    const { clock, listeners, stream, tell } = started();
    const message = "x".repeat(256);
    let told = 0;
    while (!stream.body.destroyed) {
      told += 1;
      tell({ progress: { percent: told, message, at: "2026-01-31T12:00:00.000Z" } });
      expect(stream.body.readableLength).toBeLessThan(BUFFER_BYTES_MAX + 1_024);
      expect(told).toBeLessThan(1_000);
    }
    await settled();
    expect(listeners.size).toBe(0);
    expect(clock.waiting).toBe(0);
    tell({ state: "succeeded" });
  });

  test("tells that a job is gone", () => {
    const { gone, read } = started();
    read();
    gone();
    expect(read()).toBe('event: end\nid: end\ndata: {"id":"shop~1","state":null}\n\n');
  });

  test("leaves everything when its reader goes", async () => {
    const { clock, listeners, stream } = started();
    stream.body.destroy();
    await settled();
    expect(listeners.size).toBe(0);
    expect(clock.waiting).toBe(0);
    stream.end();
  });

  test("of text with line breaks stays one event", () => {
    const { tell, read } = started();
    read();
    tell({ progress: { percent: 1, message: "a\n\nevent: end\n\rb", at: "2026-01-31T12:00:00.000Z" } });
    expect(read().split("\n")).toHaveLength(5);
  });
});

test("a process has room for 500 streams, and a place that is left is free", async () => {
  const streams = new JobEventStreams();
  const all = Array.from({ length: STREAMS_MAX }, (_, n) => {
    const { stream } = started();
    expect(streams.roomFor(`caller ${n}`)).toBe("entered");
    streams.enter(`caller ${n}`, stream);
    return stream;
  });
  expect(streams.roomFor("caller x")).toBe("process-full");
  all[0]?.body.destroy();
  await settled();
  expect(streams.roomFor("caller x")).toBe("entered");
});
