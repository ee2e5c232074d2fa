/** The commands that look after versions, against real processes. */
import { randomUUID } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import { Child } from "../support/child.ts";
import { devTest } from "../support/dev-run.ts";
import { PROBE_APPS, type Stack, stackTest } from "../support/stack.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

function start(stack: Stack, args: readonly string[]): Child {
  const env = {
    ...stack.environment,
    ...(stack.controlUrl !== "" && { SLUICE_CONTROL_URL: stack.controlUrl }),
  };
  return new Child({ args: [process.execPath, join(ROOT, "dist/cli/main.js"), ...args], env, cwd: ROOT });
}

async function sluice(stack: Stack, ...args: readonly string[]) {
  const child = start(stack, args);
  const { code } = await child.exited;
  return { code, output: child.output };
}

/** The control API shows a look that may be a second old. */
const SHOWN_SOON = { timeout: 5_000, interval: 100 };

/** Where the control API shows the gate. */
async function gateOf(stack: Stack): Promise<number> {
  return (await stack.control("/v1/gates/probe.task")).activeversion;
}

describe("sluice gate", () => {
  stackTest(
    "moves a gate from where it was seen, and of two at once only one",
    { timeout: 120_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.startAutoscaler(["probe-v1", "probe-v2"]);

      const shown = await sluice(stack, "gate", "get", "probe.task");
      expect(shown).toMatchObject({
        code: 0,
        output: expect.stringContaining("at version 1  (queue probe)"),
      });

      // The load is not measured in the first seconds.
      const raise = ["gate", "raise", "probe.task", "--why", "version 2 is deployed", "--by", "ana"];
      const raised = await sluice(stack, ...raise, "--wait", "--timeout", "60s");
      expect(raised).toMatchObject({ code: 0, output: expect.stringContaining("probe.task  1 -> 2") });
      await expect.poll(() => gateOf(stack), SHOWN_SOON).toBe(2);
      const { events } = await stack.control("/v1/gates/probe.task");
      expect(events.at(-1)).toMatchObject({ by: "ana", change: "gate-raised", why: "version 2 is deployed" });

      const again = await sluice(stack, ...raise);
      expect(again).toMatchObject({ code: 4, output: expect.stringContaining("nothing is above its gate") });
      const unknown = await sluice(stack, ...raise, "7");
      expect(unknown).toMatchObject({ code: 4, output: expect.stringContaining("is not published") });

      const lower = ["gate", "lower", "probe.task", "1", "--why", "version 2 fails", "--expected", "2"];
      const both = await Promise.all([sluice(stack, ...lower), sluice(stack, ...lower)]);
      expect(both.map((it) => it.code).toSorted()).toEqual([0, 4]);
      expect(both.find((it) => it.code === 4)?.output).toContain("Somebody moved it");
      await expect.poll(() => gateOf(stack), SHOWN_SOON).toBe(1);

      const releases = await sluice(stack, "release", "get", "probe-v2");
      expect(releases).toMatchObject({ code: 0, output: expect.stringMatching(/own lanes +probe\.r2/) });
      const lanes = await sluice(stack, "lanes", "list");
      expect(lanes.output).toMatch(/probe\.r1 +written /);
      expect(await sluice(stack, "lanes", "get", "probe.r1")).toMatchObject({
        code: 0,
        output: expect.stringContaining("(live-release)"),
      });
    },
  );
});

describe("sluice lanes migrate", () => {
  stackTest(
    "moves what waits in an older lane, and goes on after ^C",
    { timeout: 90_000 },
    async ({ stack }) => {
      const jobs = 40;
      await stack.publish("probe-v1");
      await stack.startProducer();
      const ids = await Promise.all(
        Array.from({ length: jobs }, (_, index) => stack.enqueue({ n: index, amount: index })),
      );
      await stack.publish("probe-v2");
      await stack.openGate();

      const migrate = [
        "lanes",
        "migrate",
        "probe.r1",
        "--release",
        "probe-v2",
        "--app",
        PROBE_APPS["probe-v2"],
      ];
      // At 2 a second it takes 20 s, so the signal comes in the middle.
      const first = start(stack, [...migrate, "--rate", "2"]);
      await first.said(/probe\.r1 -> probe\.r2: [1-9]/);
      first.kill("SIGINT");
      expect(await first.exited).toMatchObject({ code: 130 });
      expect(first.output).toContain("run it again to go on");

      const second = await sluice(stack, ...migrate);
      expect(second).toMatchObject({ code: 0, output: expect.stringContaining("0 still in probe.r1") });
      const lanes = await Promise.all(ids.map(async (id) => (await stack.job(id)).lane));
      expect(new Set(lanes)).toEqual(new Set(["probe.r2"]));
    },
  );
});

describe("the commands beside a running `sluice dev`", () => {
  devTest("find its Redis by themselves", { timeout: 90_000 }, async ({ dev }) => {
    await dev.start();
    // A leader whose term begins retires what its configuration does not name: it has begun once it has decided.
    const decisions = async () =>
      (await dev.get(`${dev.controlUrl}/v1/scaling/decisions?limit=1`)).decisions.length;
    await expect.poll(decisions, { timeout: 20_000, interval: 100 }).toBe(1);
    const app = join(ROOT, "dist/examples/shop/releases/shop-v1.js");
    const publish = dev.sluice("contracts", "publish", "--release", "shop-v1", "--app", app);
    expect(await publish.exited).toMatchObject({ code: 0 });
    expect(publish.output).toMatch(/^shop-v1 {2}published {2}lanes: /m);
    const list = dev.sluice("release", "list");
    expect(await list.exited).toMatchObject({ code: 0 });
    expect(list.output).toMatch(/^shop-v1 +shop +live/m);
  });
});

describe("a job that was accepted before its gate was lowered", () => {
  stackTest("is still the same job to whoever hands it in again", async ({ stack }) => {
    await stack.publish("probe-v1", "probe-v2");
    await stack.openGate(2);
    await stack.startProducer();
    const job = {
      type: "probe.task",
      schemaversion: 2,
      id: "once",
      data: { n: 1, total: { value: 5, currency: "EUR" } },
    };
    const first = await stack.post(job);
    expect(first.status).toBe(202);
    await stack.openGate(1);
    await expect
      .poll(async () => (await stack.post({ ...job, id: randomUUID() })).status, SHOWN_SOON)
      .toBe(409);
    const again = await stack.post(job);
    expect([again.status, again.body.id]).toEqual([202, first.body.id]);
  });
});
