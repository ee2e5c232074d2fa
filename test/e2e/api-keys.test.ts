/** A producer that asks for keys, and the commands that make and end them, as real processes. */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished } from "vitest";
import { systemClock } from "#shared/system-clock";
import { Child } from "../support/child.ts";
import { type Stack, stackTest } from "../support/stack.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** A server's copy of the keys is at most a second old; the rest is the request's own time. */
const FOLLOWED = { timeout: 2_000, interval: 50 };

async function sluice(stack: Stack, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const command = [process.execPath, join(ROOT, "dist/cli/main.js"), ...args];
  const child = new Child({ args: command, env: { ...stack.environment, ...env }, cwd: ROOT });
  const { code } = await child.exited;
  return { code, output: child.output };
}

/** What a `sluice keys` command says with `--json`. */
async function keys(stack: Stack, ...args: readonly string[]) {
  const { code, output } = await sluice(stack, ["keys", ...args, "--json"]);
  if (code !== 0) throw new Error(`sluice keys ${args.join(" ")} ended with ${code}: ${output}`);
  return JSON.parse(output);
}

async function createKey(stack: Stack, tenant: string, scope: string) {
  const { apiKey, key } = await keys(stack, "create", "--name", "ci", "--tenant", tenant, "--scope", scope);
  return { text: String(apiKey), keyId: String(key.keyId) };
}

function startProducer(stack: Stack, env: Readonly<Record<string, string>>): Child {
  const args = [process.execPath, join(ROOT, "dist/producer/main.js")];
  const child = new Child({ args, env: { ...stack.environment, SLUICE_API_PORT: "0", ...env }, cwd: ROOT });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await child.exited;
  });
  return child;
}

const secretOf = (text: string) => text.slice(-43);

describe("a producer with SLUICE_AUTH=keys", () => {
  stackTest(
    "lets in by key, scope and tenant, follows rotation and revocation, and tells no secret",
    { timeout: 120_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      const writer = await createKey(stack, "acme", "jobs:write,jobs:read");
      const stranger = await createKey(stack, "rival", "jobs:read");
      const producer = startProducer(stack, { SLUICE_AUTH: "keys", SLUICE_LOG_LEVEL: "debug" });
      const [, port] = await producer.said(/"port":(\d+)/);
      const url = `http://127.0.0.1:${port}`;
      const ask = (path: string, key: string | null, init: RequestInit = {}) =>
        stack.request(`${url}${path}`, {
          ...init,
          headers: {
            "content-type": "application/json",
            ...(key !== null && { authorization: `Bearer ${key}` }),
          },
        });
      const enqueue = (key: string | null) =>
        ask("/v1/jobs", key, {
          method: "POST",
          body: JSON.stringify({ type: "probe.task", schemaversion: 1, data: { n: 1 } }),
        });

      expect((await ask("/livez", null)).status).toBe(200);
      expect((await enqueue(null)).status).toBe(401);
      const wrong = `slk_${writer.keyId}_${secretOf(stranger.text)}`;
      expect(await enqueue(wrong)).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
      expect(await enqueue(stranger.text)).toMatchObject({ status: 403, body: { code: "SCOPE_MISSING" } });

      const accepted = await enqueue(writer.text);
      expect(accepted.status).toBe(202);
      const path = `/v1/jobs/${accepted.body.id}`;
      expect((await ask(path, writer.text)).status).toBe(200);
      expect(await ask(path, stranger.text)).toMatchObject({ status: 404, body: { code: "JOB_NOT_FOUND" } });

      // A key made while the producer runs is good at once, and so is a new secret.
      const late = await createKey(stack, "acme", "jobs:read");
      expect((await ask(path, late.text)).status).toBe(200);

      // The command shows the environment's key.
      const env = { SLUICE_URL: url, SLUICE_API_KEY: writer.text };
      expect((await sluice(stack, ["job", "get", accepted.body.id], env)).code).toBe(0);
      expect((await sluice(stack, ["job", "get", accepted.body.id], { SLUICE_URL: url })).code).toBe(5);

      const rotated = await keys(stack, "rotate", writer.keyId, "--overlap", "1h");
      expect((await ask(path, rotated.apiKey)).status).toBe(200);
      expect((await ask(path, writer.text)).status).toBe(200);
      const again = await keys(stack, "rotate", writer.keyId, "--overlap", "0m");
      expect((await ask(path, again.apiKey)).status).toBe(200);
      // The first is beyond the overlap's two, the second was ended at once.
      expect((await ask(path, writer.text)).status).toBe(401);
      expect((await ask(path, rotated.apiKey)).status).toBe(401);

      await keys(stack, "revoke", writer.keyId);
      const revokedAtMs = systemClock.monotonicMs();
      await expect.poll(async () => (await ask(path, again.apiKey)).status, FOLLOWED).toBe(401);
      expect(systemClock.monotonicMs() - revokedAtMs).toBeLessThan(2_000);

      const known = [writer.text, stranger.text, late.text, rotated.apiKey, again.apiKey].map(secretOf);
      const stored = JSON.stringify(await stack.redis.hgetall("sluice:apikeys"));
      const audit = (await stack.redis.lrange("sluice:audit", 0, -1)).join();
      for (const secret of known) {
        expect(producer.output).not.toContain(secret);
        expect(stored).not.toContain(secret);
        expect(audit).not.toContain(secret);
      }
      expect(producer.output).toContain("a credential was refused");
      const { output } = await sluice(stack, ["keys", "list"]);
      expect(output).toMatch(new RegExp(`${writer.keyId} +ci +acme .*revoked`));
    },
  );

  stackTest(
    "does not start without a key, nor beyond loopback with authentication off",
    async ({ stack }) => {
      const keyless = startProducer(stack, { SLUICE_AUTH: "keys" });
      expect((await keyless.exited).code).toBe(78);
      expect(keyless.output).toContain("sluice keys create");
      // No name of the variable is needed for it there.
      const everywhere = startProducer(stack, { SLUICE_HOST: "0.0.0.0" });
      expect((await everywhere.exited).code).toBe(78);
      const open = startProducer(stack, { SLUICE_HOST: "0.0.0.0", SLUICE_AUTH: "off" });
      expect((await open.exited).code).toBe(78);
      expect(open.output).toMatch(/SLUICE_AUTH: is off/);
    },
  );
});
