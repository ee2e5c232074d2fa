/** The producer's task `keys` and what a server makes of its keys at its start, on a real Redis. */
import { Readable } from "node:stream";
import { pino } from "pino";
import { describe, expect, inject } from "vitest";
import type { KeysAnswer } from "#producer/key-office";
import { runKeysTask } from "#producer/keys-task";
import { parseApiKey } from "#shared/auth/api-key";
import { ConfigInvalidError } from "#shared/errors";
import { EXIT } from "#shared/exit-codes";
import { startAuthentication } from "#shared/http/start-authentication";
import { AuditStore } from "#shared/redis/audit-store";
import { KeyStore } from "#shared/redis/key-store";
import { keysOf } from "#shared/redis/keys";
import { testKey } from "#test/support/api-keys";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";

const silent = pino({ level: "silent" });
const by = "ana@ops1";
const DAY_MS = 86_400_000;

async function runTask(prefix: string, request: unknown, clock = new FakeClock()) {
  const said = { stdout: "", stderr: "" };
  const code = await runKeysTask(
    {
      env: { SLUICE_REDIS_URL: `unix://${inject("redisSocketPath")}`, SLUICE_REDIS_PREFIX: prefix },
      stdin: Readable.from([typeof request === "string" ? request : JSON.stringify(request)]),
      stdout: {
        write: (text, done) => {
          said.stdout += text;
          done();
        },
      },
      stderr: { write: (text) => (said.stderr += text) },
    },
    clock,
  );
  return { code, ...said, answer: said.stdout === "" ? null : (JSON.parse(said.stdout) as KeysAnswer) };
}

const create = { act: "create", name: "ci", tenant: "acme", scopes: ["jobs:write"], lifetimeMs: null, by };

async function createKey(prefix: string, changes: object = {}) {
  const { answer } = await runTask(prefix, { ...create, ...changes });
  if (answer?.kind !== "created") throw new Error(JSON.stringify(answer));
  return answer;
}

describe("the task keys", () => {
  redisTest("makes a key that its text proves, and keeps no secret anywhere", async ({ redis, prefix }) => {
    const { code, stderr, answer } = await runTask(prefix, { ...create, lifetimeMs: 90 * DAY_MS });
    if (answer?.kind !== "created") throw new Error(JSON.stringify(answer));
    const key = parseApiKey(answer.apiKey);
    expect([code, key?.keyId]).toEqual([EXIT.ok, answer.key.keyId]);
    // The clock stands at 2026-01-31T12:00Z; ninety days on it is the first of May.
    expect(answer.key).toMatchObject({ name: "ci", tenant: "acme", expiresAt: "2026-05-01T12:00:00.000Z" });
    const stored = await redis.hgetall(keysOf(prefix).apiKeys);
    const recorded = await redis.lrange(keysOf(prefix).audit, 0, -1);
    expect(recorded).toHaveLength(1);
    for (const text of [JSON.stringify(stored), ...recorded, stderr])
      expect(text).not.toContain(key?.secret ?? "no secret was made");
  });

  redisTest("rotates and revokes, and every act is in the audit list", async ({ redis, prefix }) => {
    const { key, apiKey } = await createKey(prefix);
    const { keyId } = key;
    const rotated = (await runTask(prefix, { act: "rotate", keyId, overlapMs: DAY_MS, by })).answer;
    if (rotated?.kind !== "rotated") throw new Error(JSON.stringify(rotated));
    expect(rotated.apiKey).not.toBe(apiKey);
    expect(rotated.key.secrets.map((it) => it.expiresAt)).toEqual([null, "2026-02-01T12:00:00.000Z"]);
    const revoked = (await runTask(prefix, { act: "revoke", keyId, by })).answer;
    expect(revoked).toMatchObject({ kind: "revoked", key: { revokedAt: "2026-01-31T12:00:00.000Z" } });
    expect((await runTask(prefix, { act: "list" })).answer).toMatchObject({
      kind: "keys",
      keys: [{ keyId }],
    });

    const audit = new AuditStore({ redis, keys: keysOf(prefix), clock: new FakeClock(), log: silent });
    const acts = (await audit.page(10, null)).entries.map(({ action, target, name }) => [
      action,
      target,
      name,
    ]);
    expect(acts).toEqual([
      ["key.revoke", keyId, by],
      ["key.rotate", keyId, by],
      ["key.create", keyId, by],
    ]);
  });

  redisTest(
    "takes a key that was made elsewhere, once, and leaves a revoked one revoked",
    async ({ prefix, redis }) => {
      const made = testKey(["admin"]);
      const { keyId } = made.document;
      const apiKey = made.text;
      const request = { act: "import", apiKey, name: "operator", tenant: "default", scopes: ["admin"], by };
      const first = await runTask(prefix, request);
      expect(first.answer).toEqual({ kind: "imported", keyId, isNew: true });
      expect(first.stderr).not.toContain(made.secret);
      await runTask(prefix, { act: "revoke", keyId, by });
      expect((await runTask(prefix, request)).answer).toEqual({ kind: "imported", keyId, isNew: false });
      const [stored] = Object.values(await redis.hgetall(keysOf(prefix).apiKeys));
      expect(JSON.parse(String(stored)).revokedAt).not.toBeNull();
      const wrong = await runTask(prefix, { ...request, apiKey: "slk_short" });
      expect(wrong.answer).toBeNull();
      expect(wrong.stderr).toContain("must be an API key");
    },
  );

  redisTest("refuses what is not there and what has ended", async ({ prefix }) => {
    const keyId = "abcdefghijkl";
    const missing = await runTask(prefix, { act: "revoke", keyId, by });
    expect([missing.code, missing.answer]).toMatchObject([
      EXIT.ok,
      { kind: "refused", code: "KEY_NOT_FOUND" },
    ]);
    const { key } = await createKey(prefix);
    await runTask(prefix, { act: "revoke", keyId: key.keyId, by });
    const rotated = await runTask(prefix, { act: "rotate", keyId: key.keyId, overlapMs: 0, by });
    expect(rotated.answer).toMatchObject({ kind: "refused", code: "KEY_REVOKED" });
    // Revoking again changes nothing and is no mistake.
    const again = await runTask(prefix, { act: "revoke", keyId: key.keyId, by });
    expect(again.answer).toMatchObject({ kind: "revoked" });
  });

  redisTest("does nothing for a request that it does not understand", async ({ prefix, redis }) => {
    const { name: _name, ...nameless } = create;
    for (const request of ["", "{", [], nameless, { ...create, more: 1 }, { ...create, scopes: ["root"] }]) {
      const told = await runTask(prefix, request);
      expect([told.code, told.stdout]).toEqual([EXIT.configInvalid, ""]);
      expect(JSON.parse(told.stderr)).toMatchObject({ code: "CONFIG_INVALID" });
    }
    expect(await redis.exists(keysOf(prefix).apiKeys)).toBe(0);
  });
});

describe("a server's start", () => {
  const start = (redis: Parameters<typeof startAuthentication>[1]["redis"], prefix: string) =>
    startAuthentication("keys", { redis, keys: keysOf(prefix), clock: new FakeClock(), log: silent });

  redisTest(
    "is refused without a key that anybody could show, and told how to make one",
    async ({ redis, prefix }) => {
      const refused = async () => {
        await expect(start(redis, prefix)).rejects.toThrow(ConfigInvalidError);
        await expect(start(redis, prefix)).rejects.toThrow(/SLUICE_AUTH.*sluice keys create --name/s);
      };
      await refused();
      const store = new KeyStore(redis, keysOf(prefix));
      await store.create(testKey(["admin"], { revokedAt: "2026-01-01T00:00:00.000Z" }).document);
      await store.create(testKey(["admin"], { expiresAt: "2026-01-31T12:00:00.000Z" }).document);
      await refused();
    },
  );

  redisTest("goes on with one that can be used", async ({ redis, prefix }) => {
    const { apiKey, key } = await createKey(prefix);
    const { authentication } = await start(redis, prefix);
    if (authentication === "off") throw new Error("authentication is off");
    expect(authentication.keys.find(key.keyId)?.caller).toMatchObject({ tenant: "acme", name: "ci" });
    expect(parseApiKey(apiKey)).not.toBeNull();
  });

  redisTest("says aloud when nobody is asked, and asks Redis nothing", async ({ redis, prefix }) => {
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const ports = { redis, keys: keysOf(prefix), clock: new FakeClock(), log };
    const { authentication, run } = await startAuthentication("off", ports);
    expect(authentication).toBe("off");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 40 }]);
    await run(new AbortController().signal);
  });
});
