/**
 * The HTTP load: `{ url, connections, seconds }` or `{ url, connections, amount }` is answered with
 * `{ answered, refused, failed, p50Ms, p99Ms }`.
 *
 * A closed loop: each connection sends its next request when the last one is answered.
 */
import autocannon from "autocannon";
import { endWithParent } from "./end-with-parent.mjs";
import { BODY } from "./receipt.mjs";

endWithParent();

process.on("message", ({ url, connections, seconds, amount }) => {
  const latenciesMs = [];
  let refused = 0;
  const load = autocannon(
    {
      url,
      connections,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: BODY,
      ...(amount === undefined ? { duration: seconds } : { amount }),
    },
    (error, result) => {
      if (error) throw error;
      latenciesMs.sort((a, b) => a - b);
      const at = (share) => latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? 0;
      const failed = result.errors + result.timeouts;
      process.send({ answered: latenciesMs.length, refused, failed, p50Ms: at(0.5), p99Ms: at(0.99) });
    },
  );
  // The load's own histogram knows whole milliseconds only.
  load.on("response", (_client, status, _bytes, latencyMs) => {
    if (status === 202) latenciesMs.push(latencyMs);
    else refused += 1;
  });
});
process.stdout.write("ready\n");
