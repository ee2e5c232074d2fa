/** The public SDK of CloudEvents for JavaScript, as a client, gets its events in by all three modes of HTTP. */
import { CloudEvent, HTTP, type Message } from "cloudevents";
import { describe, expect } from "vitest";
import { type Answer, type Stack, stackTest } from "#test/support/stack";

/** `schemaversion` is an extension attribute: in binary mode it arrives as the text of a header. */
function eventOf(n: number): CloudEvent<{ readonly n: number }> {
  return new CloudEvent({
    id: `event-${n}`,
    source: "/sdk",
    type: "probe.task",
    schemaversion: 1,
    subject: "größe 100%",
    correlationid: "c-1",
    data: { n },
  });
}

async function startProducer(stack: Stack): Promise<string> {
  await stack.publish("probe-v1");
  const producer = await stack.startProducer();
  const [, port] = await producer.said(/"port":(\d+)/);
  return `http://127.0.0.1:${port}`;
}

async function send(stack: Stack, url: string, { headers, body }: Message): Promise<Answer> {
  const fields = Object.entries(headers).map(([name, value]): [string, string] => [name, encoded(value)]);
  return stack.request(url, { method: "POST", headers: fields, body: String(body) });
}

/** The SDK leaves to the transport what no header can hold (CloudEvents HTTP binding 1.0.2, 3.1.3.2). */
function encoded(value: unknown): string {
  return String(value).replace(/[^\x21-\x7e]|["%]/gu, (sign) => encodeURIComponent(sign));
}

async function stored(stack: Stack, id: string) {
  return JSON.parse((await stack.redis.hget(`sluice:probe.r1:${id}`, "data")) ?? "null");
}

function expected(n: number) {
  return {
    specversion: "1.0",
    id: `event-${n}`,
    source: "/sdk",
    type: "probe.task",
    schemaversion: 1,
    subject: "größe 100%",
    correlationid: "c-1",
    data: { n },
  };
}

describe("the CloudEvents SDK", () => {
  stackTest(
    "gets an event in by binary, structured and batched mode",
    { timeout: 60_000 },
    async ({ stack }) => {
      const url = await startProducer(stack);

      const binary = await send(stack, `${url}/v1/jobs`, HTTP.binary(eventOf(1)));
      expect([binary.status, binary.body], JSON.stringify(binary.body)).toMatchObject([
        202,
        { type: "probe.task", state: "waiting" },
      ]);
      expect(await stored(stack, binary.body.id)).toMatchObject(expected(1));

      const structured = await send(stack, `${url}/v1/jobs`, HTTP.structured(eventOf(2)));
      expect(structured.status, JSON.stringify(structured.body)).toBe(202);
      expect(await stored(stack, structured.body.id)).toMatchObject(expected(2));

      const batched = await send(stack, `${url}/v1/jobs/batch`, {
        headers: { "content-type": "application/cloudevents-batch+json; charset=utf-8" },
        body: JSON.stringify([eventOf(3), eventOf(4)]),
      });
      expect([batched.status, batched.body], JSON.stringify(batched.body)).toMatchObject([
        200,
        { created: 2 },
      ]);
      for (const [index, n] of [3, 4].entries()) {
        expect(await stored(stack, batched.body.results[index].id)).toMatchObject(expected(n));
      }
    },
  );

  stackTest(
    "says the same event by every mode: what came by one is known by the others",
    async ({ stack }) => {
      const url = await startProducer(stack);
      // Without time and with one, an event is the same: the server stamps its own.
      const event = eventOf(1);
      const first = await send(stack, `${url}/v1/jobs`, HTTP.binary(event));
      const second = await send(stack, `${url}/v1/jobs`, HTTP.structured(event));
      const third = await send(stack, `${url}/v1/jobs/batch`, {
        headers: { "content-type": "application/cloudevents-batch+json" },
        body: JSON.stringify([event]),
      });
      expect([first.status, second.status], JSON.stringify([first.body, second.body])).toEqual([202, 202]);
      expect(second.body).toMatchObject({ id: first.body.id, outcome: "replayed" });
      expect(second.headers.get("idempotency-replayed")).toBe("true");
      expect(third.body.results).toMatchObject([{ id: first.body.id, outcome: "replayed" }]);
    },
  );

  stackTest("is told what is wrong with an event in each mode by the same words", async ({ stack }) => {
    const url = await startProducer(stack);
    const wrong = eventOf(1).cloneWith({ data: { n: "one" } }, false);
    const answers = [
      await send(stack, `${url}/v1/jobs`, HTTP.binary(wrong)),
      await send(stack, `${url}/v1/jobs`, HTTP.structured(wrong)),
    ];
    const errors = [{ pointer: "/data/n", rule: "type", message: "must be integer" }];
    for (const { status, body } of answers)
      expect([status, body.code, body.errors]).toEqual([422, "DATA_INVALID", errors]);
    const batched = await send(stack, `${url}/v1/jobs/batch`, {
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: JSON.stringify([wrong]),
    });
    expect(batched.body.results).toMatchObject([
      { outcome: "refused", problem: { code: "DATA_INVALID", errors } },
    ]);
  });
});
