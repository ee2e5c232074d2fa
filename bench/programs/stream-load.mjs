/**
 * A stream of jobs as lines: `{ url, seconds }` is answered with `{ answered, refused, failed }`.
 *
 * One request; its body is written as fast as the server takes it, and ends after that long. The answer's
 * lines are all read, and counted by what they say.
 */
import { request } from "node:http";
import { endWithParent } from "./end-with-parent.mjs";
import { BODY } from "./receipt.mjs";

/** Lines written at once: about as much as a socket takes. */
const LINES = 300;

endWithParent();

process.on("message", ({ url, seconds }) => {
  const chunk = Buffer.from(`${BODY}\n`.repeat(LINES));
  const untilMs = performance.now() + seconds * 1_000;
  const counts = { asked: 0, answered: 0, lines: 0 };
  const asking = request(`${url}/batch`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
  });
  asking.on("response", (answer) => {
    answer.setEncoding("latin1");
    let held = "";
    answer.on("data", (text) => {
      const whole = held + text;
      const end = whole.lastIndexOf("\n") + 1;
      counts.lines += occurrencesIn(whole, "\n", end);
      counts.answered += occurrencesIn(whole, '"outcome":"created"', end);
      held = whole.slice(end);
    });
    answer.on("end", () => {
      const { asked, answered, lines } = counts;
      process.send({ answered, refused: lines - answered, failed: asked - lines });
    });
  });
  const write = () => {
    while (performance.now() < untilMs) {
      counts.asked += LINES;
      if (!asking.write(chunk)) {
        asking.once("drain", write);
        return;
      }
    }
    asking.end();
  };
  write();
});
process.stdout.write("ready\n");

function occurrencesIn(text, part, end) {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1 && at < end; at = text.indexOf(part, at + part.length))
    count += 1;
  return count;
}
