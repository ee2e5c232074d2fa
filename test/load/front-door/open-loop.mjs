/**
 * An open-loop load: requests go out at a constant rate whatever comes back, and a latency counts from when a
 * request was meant to be sent, so a server that stalls cannot hide it by slowing its clients down.
 *
 * `{ port, ratePerSec, seconds, connections, kinds: [{ name, share, body, headers }], obeys }` is answered with what
 * became of each kind. Whoever obeys sends a refused request again when it was told to, until it is let in.
 */
import { connect } from "node:net";

const TRIES_MAX = 6;
const SETTLE_MS = 4_000;

process.once("disconnect", () => process.exit(0));
process.once("SIGTERM", () => process.exit(0));
process.on("message", async (load) => process.send(await run(load)));
process.stdout.write("ready\n");

async function run({ port, ratePerSec, seconds, connections, kinds, obeys = false }) {
  const tallies = new Map(kinds.map(({ name }) => [name, newTally()]));
  const lines = await Promise.all(
    Array.from({ length: connections }, () => open(port, (request, answer) => told(request, answer))),
  );
  const wire = kinds.map(({ name, body, headers = {} }) => ({ name, text: textOf(port, body, headers) }));
  const pick = picker(kinds);
  let next = 0;
  let owed = 0;
  const send = (request) => {
    owed += 1;
    lines[next++ % lines.length].send(request, wire[request.kind].text);
  };
  const told = (request, answer) => {
    owed -= 1;
    const tally = tallies.get(kinds[request.kind].name);
    const latencyMs = performance.now() - request.dueAtMs;
    if (answer.status === 202) {
      tally.accepted += 1;
      tally.acceptedMs.push(latencyMs);
      if (request.promisedMs > 0) {
        const actualMs = performance.now() - request.refusedAtMs;
        tally.promiseErrors.push(Math.abs(actualMs - request.promisedMs) / request.promisedMs);
      }
      return;
    }
    tally.refused[answer.code] = (tally.refused[answer.code] ?? 0) + 1;
    tally.rejectedMs.push(latencyMs);
    if (!obeys || request.tries >= TRIES_MAX) return;
    const nowMs = performance.now();
    const again = { ...request, tries: request.tries + 1 };
    if (request.promisedMs === 0)
      Object.assign(again, { promisedMs: answer.retryAfterMs, refusedAtMs: nowMs });
    owed += 1;
    setTimeout(() => {
      owed -= 1;
      send({ ...again, dueAtMs: performance.now() });
    }, answer.retryAfterMs);
  };

  const startMs = performance.now();
  const total = Math.round(ratePerSec * seconds);
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) * ratePerSec) / 1_000) + 1);
    for (; sent < due; sent += 1) {
      const kind = pick(sent);
      tallies.get(kinds[kind].name).sent += 1;
      send({ kind, dueAtMs: startMs + (sent * 1_000) / ratePerSec, tries: 0, promisedMs: 0, refusedAtMs: 0 });
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const untilMs = performance.now() + (obeys ? 60_000 : SETTLE_MS);
  while (owed > 0 && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const line of lines) line.end();
  return { owed, kinds: Object.fromEntries([...tallies].map(([name, tally]) => [name, summary(tally)])) };
}

function newTally() {
  return { sent: 0, accepted: 0, refused: {}, acceptedMs: [], rejectedMs: [], promiseErrors: [] };
}

function summary({ sent, accepted, refused, acceptedMs, rejectedMs, promiseErrors }) {
  return {
    sent,
    accepted,
    refused,
    acceptedP50Ms: at(acceptedMs, 0.5),
    acceptedP95Ms: at(acceptedMs, 0.95),
    acceptedP99Ms: at(acceptedMs, 0.99),
    rejectedP99Ms: at(rejectedMs, 0.99),
    promises: promiseErrors.length,
    promiseErrorMedian: at(promiseErrors, 0.5),
  };
}

function at(values, share) {
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  return values[Math.floor((values.length - 1) * share)];
}

/** Spreads the kinds evenly by their shares. */
function picker(kinds) {
  const owed = kinds.map(() => 0);
  return () => {
    let most = 0;
    for (let kind = 0; kind < kinds.length; kind += 1) {
      owed[kind] += kinds[kind].share;
      if (owed[kind] > owed[most]) most = kind;
    }
    owed[most] -= 1;
    return most;
  };
}

function textOf(port, body, headers) {
  const head = [
    "POST /v1/jobs HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n");
  return `${head}\r\n\r\n${body}`;
}

/** A connection with requests in the order they were sent; answers come in the same. */
async function open(port, onAnswer) {
  const socket = connect({ host: "127.0.0.1", port });
  socket.setNoDelay(true).setEncoding("latin1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const waiting = [];
  let text = "";
  socket.on("data", (piece) => {
    text += piece;
    for (;;) {
      const bodyAt = text.indexOf("\r\n\r\n") + 4;
      if (bodyAt < 4) return;
      const head = text.slice(0, bodyAt);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (text.length < bodyAt + length) return;
      const body = text.slice(bodyAt, bodyAt + length);
      text = text.slice(bodyAt + length);
      onAnswer(waiting.shift(), answerOf(Number(head.slice(9, 12)), body));
    }
  });
  socket.on("error", () => undefined);
  return {
    send(request, bytes) {
      waiting.push(request);
      socket.write(bytes);
    },
    end: () => socket.destroy(),
  };
}

function answerOf(status, body) {
  if (status === 202) return { status };
  const { code, retryAfterMs, retryAfterSeconds = 1 } = JSON.parse(body);
  return { status, code, retryAfterMs: retryAfterMs ?? retryAfterSeconds * 1_000 };
}
