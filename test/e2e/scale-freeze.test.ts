/** An operator freezes a pool under load: the number stays, says why, and follows the work again after the thaw. */
import { describe, expect } from "vitest";
import { type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 30_000, interval: 200 };

const jobsOf = (stack: Stack, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => stack.enqueue({ n, ms: 400 })));

const alive = async (stack: Stack): Promise<readonly { worker: string; pid: number }[]> => {
  const { workers } = await stack.control("/v1/fleet");
  return workers.filter((it: { state: string }) => it.state === "ok");
};

const newest = async (stack: Stack) =>
  (await stack.control("/v1/scaling/decisions?queue=probe&limit=1")).decisions[0];

function write(stack: Stack, method: "PUT" | "DELETE", path: string, body?: object) {
  return stack.request(`${stack.controlUrl}/v1/scaling/pools/${path}`, {
    method,
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
}

describe("a frozen pool", () => {
  stackTest(
    "starts nobody for a flood, replaces who dies, tells why, and grows after the thaw",
    { timeout: 90_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      await stack.startAutoscaler(["probe-v1"], { workersMin: 1, workersMax: 3, slotsPerWorker: 2 });
      await expect.poll(async () => (await alive(stack)).length, WAIT).toBe(1);

      const frozen = await write(stack, "PUT", "probe/freeze", { why: "checkout incident", by: "ada" });
      expect([frozen.status, frozen.body.set.by]).toEqual([200, "ada"]);
      await jobsOf(stack, 60);
      await expect
        .poll(() => newest(stack), WAIT)
        .toMatchObject({
          reason: "frozen",
          desired: { "probe-v1": 1 },
          wanted: { "probe-v1": expect.any(Number) },
        });
      const decision = await newest(stack);
      expect(decision.wanted["probe-v1"]).toBeGreaterThan(1);
      expect(decision.clamps.at(-1)).toMatchObject({ by: "frozen", to: 1 });
      expect(decision.sentence).toContain("frozen by ada until");
      expect(await stack.control(`/v1/scaling/decisions/${decision.id}`)).toEqual(decision);

      const [worker] = await alive(stack);
      process.kill(worker?.pid ?? 0, "SIGKILL");
      const others = async () => (await alive(stack)).filter((it) => it.worker !== worker?.worker).length;
      await expect.poll(others, WAIT).toBe(1);

      expect((await write(stack, "DELETE", "probe/freeze")).status).toBe(200);
      await expect.poll(async () => (await alive(stack)).length, WAIT).toBeGreaterThan(1);
      const { entries } = await stack.control("/v1/audit");
      expect(entries.map((it: { action: string }) => it.action)).toEqual(["scaling.thaw", "scaling.freeze"]);
      await expect.poll(() => new Set(ended(stack)).size, WAIT).toBe(60);
    },
  );
});

function ended(stack: Stack): readonly string[] {
  return stack
    .ledger()
    .filter((it) => it.event === "end")
    .map((it) => it.jobId);
}
