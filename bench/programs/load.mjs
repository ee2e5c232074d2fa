/**
 * The HTTP load: `{ url, connections, seconds, keys }` or `{ url, connections, amount, keys }` is answered with
 * `{ answered, refused, failed, p50Ms, p99Ms }`.
 *
 * A closed loop: each connection sends its next request when the last one is answered. With `keys` each request
 * has an idempotency key of its own.
 */
import { randomUUID } from "node:crypto";
import { endWithParent } from "./end-with-parent.mjs";
import { HttpConnection, postOf } from "./http-connection.mjs";
import { BODY } from "./receipt.mjs";

endWithParent();

process.on(
  "message",
  async ({ url, connections, seconds = 600, amount = Number.POSITIVE_INFINITY, keys }) => {
    const { port, pathname } = new URL(url);
    const run = randomUUID();
    const plain = postOf({ port, path: pathname, body: BODY });
    const [head, rest] = postOf({
      port,
      path: pathname,
      headers: { "idempotency-key": "K" },
      body: BODY,
    }).split(/(?<=idempotency-key: )K/);
    const untilMs = performance.now() + seconds * 1_000;
    const latenciesMs = [];
    const counts = { asked: 0, refused: 0, failed: 0 };

    const drive = () =>
      new Promise((done) => {
        let sentAtMs = 0;
        const next = () => {
          sentAtMs = performance.now();
          if (sentAtMs >= untilMs || counts.asked >= amount) {
            connection.close();
            done();
            return;
          }
          counts.asked += 1;
          connection.send(keys ? `${head}${run}-${counts.asked}${rest}` : plain);
        };
        const connection = new HttpConnection({
          port: Number(port),
          onAnswer: (status) => {
            if (status === 202) latenciesMs.push(performance.now() - sentAtMs);
            else counts.refused += 1;
            next();
          },
          onClosed: () => {
            counts.failed += 1;
            done();
          },
        });
        next();
      });
    await Promise.all(Array.from({ length: connections }, drive));

    latenciesMs.sort((a, b) => a - b);
    const at = (share) => latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? 0;
    const { refused, failed } = counts;
    process.send({ answered: latenciesMs.length, refused, failed, p50Ms: at(0.5), p99Ms: at(0.99) });
  },
);
process.stdout.write("ready\n");
