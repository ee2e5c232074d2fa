import { describe, expect, test } from "vitest";
import type { JobEvent } from "#producer/client/index";
import { serverSentEvents } from "#producer/client/server-sent-events";
import { type Answering, refused, scriptedClient } from "./scripted-server.ts";

const eventStream = { "content-type": "text/event-stream" };

function state(id: number, word: string): string {
  return `event: state\nid: ${id}\ndata: {"state":"${word}"}\n\n`;
}

const end = 'event: end\nid: end\ndata: {"id":"shop~a","state":"succeeded"}\n\n';

async function follow(answer: Answering): Promise<{ events: JobEvent[]; asked: unknown[] }> {
  const { client, asked } = await scriptedClient(answer);
  const events: JobEvent[] = [];
  for await (const event of client.events("shop~a")) events.push(event);
  return { events, asked: asked.map(({ url, headers }) => [url, headers["last-event-id"]]) };
}

describe("a job's events", () => {
  test("come as they are sent and end with the job", async () => {
    const body = `retry: 2000\n\n${state(1, "waiting")}: still here\n\n${state(2, "running")}${end}`;
    const { events, asked } = await follow(() => ({ status: 200, headers: eventStream, body }));
    expect(events).toEqual([
      { event: "state", data: { state: "waiting" } },
      { event: "state", data: { state: "running" } },
      { event: "end", data: { id: "shop~a", state: "succeeded" } },
    ]);
    expect(asked).toEqual([["/v1/jobs/shop~a/events", undefined]]);
  });

  test("go on where a connection ended, and nothing is told twice", async () => {
    const { events, asked } = await follow((_asked, count) => {
      if (count === 1) return { status: 200, headers: eventStream, body: state(1, "waiting") };
      if (count === 2) return refused(503, "REDIS_UNAVAILABLE");
      return {
        status: 200,
        headers: eventStream,
        body: `${state(2, "waiting")}${state(3, "running")}${end}`,
      };
    });
    expect(events.map((it) => it.data.state)).toEqual(["waiting", "running", "succeeded"]);
    expect(asked.map((it) => (it as unknown[])[1])).toEqual([undefined, "1", "1"]);
  });

  test("are over when the server has nothing more", async () => {
    expect((await follow(() => ({ status: 204 }))).events).toEqual([]);
  });

  test("of a job that is not known are an error", async () => {
    await expect(follow(() => refused(404, "JOB_NOT_FOUND"))).rejects.toMatchObject({
      code: "JOB_NOT_FOUND",
    });
  });

  test("are given up when the connection is not to be had again", async () => {
    await expect(follow(() => "cut")).rejects.toMatchObject({ code: "NO_ANSWER", outcome: null });
  });

  test("are read whatever pieces and line ends they come in", async () => {
    const text =
      "event: state\r\nid:7\r\ndata: one\r\ndata: two\r\n\r\ndata\n\nid: 8\n\nevent: x\ndata: cut off";
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of new TextEncoder().encode(text)) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const events = [];
    for await (const event of serverSentEvents(pieces)) events.push(event);
    // HTML, 9.2.6: an event that no blank line ends is none.
    expect(events).toEqual([
      { event: "state", id: "7", data: "one\ntwo" },
      { event: "message", id: "7", data: "" },
    ]);
  });
});
