/** The whole platform by one command: start, use, stop, start again. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { devTest } from "#test/support/dev-run";

const WAIT = { timeout: 30_000, interval: 200 };

const receipt = {
  type: "receipt.render",
  schemaversion: 1,
  data: { orderId: "o-1001", email: "ana@example.com", amount: 1299 },
};

describe("sluice dev", () => {
  devTest(
    "runs the sample app's jobs, stops whole on ^C, and keeps the jobs for the next start",
    { timeout: 90_000 },
    async ({ dev }) => {
      const first = await dev.start();
      const types = (await dev.get(`${dev.apiUrl}/v1/types`)).types.map((it: { type: string }) => it.type);
      expect(types).toEqual(["csv.summarise", "receipt.render", "thumbnail.render"]);
      const accepted = await dev.post(receipt);
      const csv = await dev.post({ type: "csv.summarise", schemaversion: 1, data: { file: "nyc_taxi.csv" } });
      const thumbnail = await dev.post({
        type: "thumbnail.render",
        schemaversion: 1,
        data: { source: "harbour.png", width: 200 },
      });
      const job = (id: string) => dev.get(`${dev.apiUrl}/v1/jobs/${id}`);
      await expect
        .poll(() => job(accepted.id), WAIT)
        .toMatchObject({ state: "succeeded", release: "shop-v2" });
      await expect
        .poll(() => job(thumbnail.id), WAIT)
        .toMatchObject({ state: "succeeded", result: { width: 200 } });
      await expect
        .poll(() => job(csv.id), WAIT)
        .toMatchObject({
          state: "succeeded",
          result: { rows: 10_320, columns: { value: { min: 8, max: 39_197 } } },
        });

      const pids = (await dev.get(`${dev.controlUrl}/v1/fleet`)).workers.map((it: { pid: number }) => it.pid);
      expect(pids.length).toBeGreaterThan(0);
      first.kill("SIGINT");
      expect(await first.exited).toEqual({ code: 0, signal: null });
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
      expect(existsSync(join(dev.directory, "data/redis.sock"))).toBe(false);

      const second = await dev.start();
      expect(await job(accepted.id)).toMatchObject({ state: "succeeded" });
      second.kill("SIGINT");
      expect((await second.exited).code).toBe(0);
    },
  );

  devTest("serves the commands beside it", { timeout: 90_000 }, async ({ dev }) => {
    await dev.start();
    const enqueue = dev.sluice(
      "enqueue",
      "receipt.render",
      "--data",
      JSON.stringify({ orderId: "o-7", email: "ana@example.com", total: { value: 500, currency: "JPY" } }),
      "--wait",
      "--json",
    );
    expect((await enqueue.exited).code, enqueue.output).toBe(0);
    const answer = JSON.parse(enqueue.output);
    expect(answer).toMatchObject({ apiVersion: "sluice/v1" });
    const id = /shop~[a-z2-7]{52}/.exec(enqueue.output)?.[0] ?? "";

    const get = dev.sluice("job", "get", id);
    expect((await get.exited).code).toBe(0);
    expect(get.output).toContain("succeeded");
    const missing = dev.sluice("job", "get", `shop~${"a".repeat(52)}`, "--json");
    expect((await missing.exited).code).toBe(3);
    expect(JSON.parse(missing.output)).toMatchObject({ kind: "Error" });
    const status = dev.sluice("status", "--json");
    expect((await status.exited).code).toBe(0);
    expect(JSON.parse(status.output)).toMatchObject({ apiVersion: "sluice/v1" });
    const refused = dev.sluice("enqueue", "receipt.render", "--data", '{"orderId":1}');
    expect((await refused.exited).code).toBe(4);
    const elsewhere = dev.sluice(
      "status",
      "--url",
      "http://127.0.0.1:9",
      "--control-url",
      "http://127.0.0.1:9",
    );
    expect((await elsewhere.exited).code).toBe(6);

    const page = await (await fetch(`${dev.controlUrl}/`)).text();
    expect(page).toContain("shop.r1");
    expect(page).not.toContain("<script");
  });
});
