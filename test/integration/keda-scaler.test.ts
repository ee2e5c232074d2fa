/** The scaler for KEDA over a real Redis, asked by a real gRPC client over loopback. */
import { type Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { Redis } from "ioredis";
import { describe, expect, onTestFinished } from "vitest";
import { DesiredNumbers } from "#autoscaler/keda/desired-numbers";
import { externalScaler } from "#autoscaler/keda/scaler-protocol";
import { startKeda } from "#autoscaler/keda/start-keda";
import type { Authentication } from "#shared/http/authenticate";
import { createLog } from "#shared/log";
import { type DesiredReading, DesiredStore } from "#shared/redis/desired-store";
import { keysOf } from "#shared/redis/keys";
import { systemClock } from "#shared/system-clock";
import { keysOnly, testKey } from "#test/support/api-keys";
import { redisTest } from "#test/support/redis-test";

const config = {
  pools: {
    mail: {
      slotsPerWorker: 10,
      workersMin: 0,
      workersMax: 9,
      scaleInHoldMs: 60_000,
      executor: "external" as const,
    },
  },
  releases: [
    { id: "v1", app: "/app.mjs", command: null },
    { id: "v2", app: "/app.mjs", command: null },
  ],
};

interface Served {
  readonly store: DesiredStore;
  readonly client: Client;
  ask(method: string, request: unknown, metadata?: Metadata): Promise<unknown>;
  stream(scalerMetadata: Record<string, string>): Heard;
}

interface Heard {
  readonly said: boolean[];
  readonly ended: Promise<ServiceError | null>;
}

interface Changes {
  readonly authentication?: Authentication;
  readonly read?: () => Promise<DesiredReading>;
}

/** A scaler on a free port, and a client of it. */
async function serve(redis: Redis, prefix: string, changes: Changes = {}): Promise<Served> {
  const store = new DesiredStore(redis, keysOf(prefix));
  const read = changes.read ?? (() => store.read());
  const numbers = new DesiredNumbers({ store: { read }, config, clock: systemClock });
  const settings = { host: "127.0.0.1", port: 0, tls: null };
  const authentication = changes.authentication ?? "off";
  const log = createLog("autoscaler", "silent");
  const started = await startKeda(settings, { numbers, authentication, clock: systemClock, log });
  const stop = new AbortController();
  const running = started.run(stop.signal);
  const client = new (externalScaler())(`127.0.0.1:${started.port}`, credentials.createInsecure());
  onTestFinished(async () => {
    client.close();
    stop.abort();
    await running;
  });
  type Call = (...args: unknown[]) => unknown;
  const methods = client as unknown as Record<string, Call>;
  const call = (method: string, ...args: unknown[]) => methods[method]?.call(client, ...args);
  return {
    store,
    client,
    ask: (method, request, metadata = new Metadata()) =>
      new Promise((resolve, reject) => {
        const deadline = { deadline: systemClock.nowMs() + 5_000 };
        const done = (error: ServiceError | null, answer: unknown) =>
          error ? reject(error) : resolve(answer);
        call(method, request, metadata, deadline, done);
      }),
    stream: (scalerMetadata) => heardFrom(call("StreamIsActive", { name: "mail", scalerMetadata })),
  };
}

function heardFrom(stream: unknown): Heard {
  const said: boolean[] = [];
  const readable = stream as NodeJS.ReadableStream;
  readable.on("data", ({ result }: { result: boolean }) => said.push(result));
  const ended = new Promise<ServiceError | null>((resolve) => {
    readable.on("error", resolve);
    readable.on("end", () => resolve(null));
  });
  return { said, ended };
}

function trigger(scalerMetadata: Record<string, string>) {
  return { name: "mail-workers", namespace: "shop", scalerMetadata };
}

function metricsOf(scalerMetadata: Record<string, string>) {
  return { scaledObjectRef: trigger(scalerMetadata), metricName: "" };
}

const MAIL = { pool: "mail" };
const decided = { decisionId: "mail~3-7", desired: { v1: 1, v2: 4 } };

describe("the scaler", () => {
  redisTest("tells a pool's desired workers with a target of one", async ({ redis, prefix }) => {
    const { store, ask } = await serve(redis, prefix);
    await store.show("mail", decided, 3);
    const metricName = "sluice-desired-workers-mail";
    expect(await ask("GetMetricSpec", trigger(MAIL))).toEqual({
      metricSpecs: [{ metricName, targetSize: 1, targetSizeFloat: 1 }],
    });
    // Both releases together: 1 + 4.
    expect(await ask("GetMetrics", metricsOf(MAIL))).toEqual({
      metricValues: [{ metricName, metricValue: 5, metricValueFloat: 5 }],
    });
    expect(await ask("IsActive", trigger(MAIL))).toEqual({ result: true });
  });

  redisTest("tells those of one release", async ({ redis, prefix }) => {
    const { store, ask } = await serve(redis, prefix);
    await store.show("mail", { ...decided, desired: { v1: 0, v2: 4 } }, 3);
    expect(await ask("GetMetrics", metricsOf({ ...MAIL, release: "v2" }))).toEqual({
      metricValues: [{ metricName: "sluice-desired-workers-mail-v2", metricValue: 4, metricValueFloat: 4 }],
    });
    expect(await ask("IsActive", trigger({ ...MAIL, release: "v1" }))).toEqual({ result: false });
  });

  redisTest("pushes whether there is work at once, and again when it changes", async ({ redis, prefix }) => {
    const { store, stream } = await serve(redis, prefix);
    await store.show("mail", { decisionId: null, desired: { v1: 0 } }, 3);
    const { said } = stream(MAIL);
    await expect.poll(() => said, { timeout: 5_000 }).toEqual([false]);
    await store.show("mail", decided, 3);
    await expect.poll(() => said, { timeout: 5_000 }).toEqual([false, true]);
    // The same again is no change; the next one after it is.
    await store.show("mail", { ...decided, desired: { v1: 3 } }, 3);
    await store.show("mail", { ...decided, desired: { v1: 0 } }, 3);
    await expect.poll(() => said, { timeout: 5_000 }).toEqual([false, true, false]);
  });

  redisTest.for<[string, Record<string, string>, string]>([
    ["no pool", {}, "scalerMetadata.pool: is required"],
    ["a pool's name that is none", { pool: "Mail!" }, "scalerMetadata.pool: must be"],
    ["a pool that is not there", { pool: "post" }, "scalerMetadata.pool: no pool of this name"],
    ["a release's id that is none", { pool: "mail", release: "V 1" }, "scalerMetadata.release: must be"],
    ["a release that is not there", { pool: "mail", release: "v9" }, "scalerMetadata.release: no release"],
  ])(
    "refuses a trigger with %s, and names the field",
    async ([, scalerMetadata, details], { redis, prefix }) => {
      const { store, ask, stream } = await serve(redis, prefix);
      await store.show("mail", decided, 3);
      const refused = { code: status.INVALID_ARGUMENT, details: expect.stringContaining(details) };
      for (const method of ["IsActive", "GetMetricSpec"])
        await expect(ask(method, trigger(scalerMetadata))).rejects.toMatchObject(refused);
      await expect(ask("GetMetrics", metricsOf(scalerMetadata))).rejects.toMatchObject(refused);
      expect(await stream(scalerMetadata).ended).toMatchObject(refused);
    },
  );
});

describe("a number that is not known", () => {
  const unavailable = { code: status.UNAVAILABLE };

  redisTest("is unavailable and never zero, before the first decision", async ({ redis, prefix }) => {
    const { ask } = await serve(redis, prefix);
    await expect(ask("GetMetrics", metricsOf(MAIL))).rejects.toMatchObject(unavailable);
    await expect(ask("IsActive", trigger(MAIL))).rejects.toMatchObject(unavailable);
    // The target is known all the same, so that the HPA can be made.
    expect(await ask("GetMetricSpec", trigger(MAIL))).toMatchObject({ metricSpecs: [{ targetSize: 1 }] });
  });

  redisTest("is unavailable once the leader has been gone for half a minute", async ({ redis, prefix }) => {
    const store = new DesiredStore(redis, keysOf(prefix));
    let laterMs = 0;
    const read = async () => {
      const reading = await store.read();
      return { ...reading, redisNowMs: reading.redisNowMs + laterMs };
    };
    const { ask, stream } = await serve(redis, prefix, { read });
    await store.show("mail", decided, 3);
    const { said, ended } = stream(MAIL);
    await expect.poll(() => said, { timeout: 5_000 }).toEqual([true]);
    laterMs = 31_000;
    expect(await ended).toMatchObject({ ...unavailable, details: expect.stringContaining("31 s old") });
    await expect(ask("GetMetrics", metricsOf(MAIL))).rejects.toMatchObject(unavailable);
  });

  redisTest("is unavailable while Redis is away, and told without what failed", async ({ redis, prefix }) => {
    const read = () => Promise.reject(new Error("connect ECONNREFUSED /secret/redis.sock"));
    const { ask, stream } = await serve(redis, prefix, { read });
    const told = { ...unavailable, details: expect.not.stringContaining("secret") };
    await expect(ask("GetMetrics", metricsOf(MAIL))).rejects.toMatchObject(told);
    expect(await stream(MAIL).ended).toMatchObject(told);
  });

  redisTest("of a release that is not published yet is unavailable", async ({ redis, prefix }) => {
    const { store, ask } = await serve(redis, prefix);
    await store.show("mail", { ...decided, desired: { v1: 1 } }, 3);
    await expect(ask("IsActive", trigger({ ...MAIL, release: "v2" }))).rejects.toMatchObject(unavailable);
  });
});

describe("where keys are asked for", () => {
  redisTest("only a key with ops:read gets a number", async ({ redis, prefix }) => {
    const reader = testKey(["ops:read"]);
    const writer = testKey(["jobs:write"]);
    const { store, ask } = await serve(redis, prefix, { authentication: keysOnly([reader, writer]) });
    await store.show("mail", decided, 3);
    const bearer = (text: string) => {
      const metadata = new Metadata();
      metadata.set("authorization", text);
      return metadata;
    };
    expect(await ask("IsActive", trigger(MAIL), bearer(`Bearer ${reader.text}`))).toEqual({ result: true });
    await expect(ask("IsActive", trigger(MAIL))).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(ask("IsActive", trigger(MAIL), bearer("Bearer nonsense"))).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    await expect(ask("IsActive", trigger(MAIL), bearer(`Bearer ${writer.text}`))).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  });
});

describe("what a leader shows", () => {
  redisTest("is not shown by one whose term is over", async ({ redis, prefix }) => {
    const store = new DesiredStore(redis, keysOf(prefix));
    expect(await store.show("mail", decided, 5)).toBe(true);
    expect(await store.show("mail", { ...decided, desired: { v1: 0 } }, 4)).toBe(false);
    expect((await store.read()).pools.get("mail")?.desired).toEqual(decided.desired);
    expect(await store.show("mail", { ...decided, desired: { v1: 2 } }, 5)).toBe(true);
    expect((await store.read()).pools.get("mail")?.desired).toEqual({ v1: 2 });
  });

  redisTest("is left out when it is not to be understood", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.hset(keys.desired, {
      a: "nonsense",
      b: "1|2|{",
      c: '1|2|{"decisionId":null,"desired":{"v":-1}}',
    });
    expect((await new DesiredStore(redis, keys).read()).pools.size).toBe(0);
  });
});
