/** What a container of a worker may be: exactly this, whatever the configuration says. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { containerSpecOf } from "#autoscaler/executor-service/container-spec";
import type { PoolTemplate, ReleaseTemplate } from "#autoscaler/executor-service/templates";
import { containerLimits } from "#shared/sluice-config";

const pool: PoolTemplate = {
  queue: "shop",
  workersMin: 0,
  workersMax: 4,
  slots: 8,
  drainDeadlineMs: 20_000,
  container: { memoryMb: 256, cpus: 0.5, pids: 128, user: "1000:1000" },
};
const release: ReleaseTemplate = { release: "shop-1", image: "shop:1", app: "/app/app.js", command: null };
const facts = {
  stack: "sluice",
  network: "sluice-jobs",
  secretPath: "/srv/secrets/redis-url",
  environment: { SLUICE_DURABILITY: "disk" },
  workerId: "w-1",
  epoch: 7,
  imageId: "sha256:abc",
};

test("a worker's container has what its templates say and no more", () => {
  expect(containerSpecOf(pool, release, facts)).toEqual({
    Image: "sha256:abc",
    Cmd: ["worker"],
    User: "1000:1000",
    Env: [
      "SLUICE_DURABILITY=disk",
      "SLUICE_REDIS_URL_FILE=/run/secrets/redis-url",
      "SLUICE_RELEASE=shop-1",
      "SLUICE_APP=/app/app.js",
      "SLUICE_QUEUE=shop",
      "SLUICE_SLOTS=8",
      "SLUICE_WORKER_ID=w-1",
      "SLUICE_DRAIN_DEADLINE_MS=20000",
    ],
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      "sluice.stack": "sluice",
      "sluice.pool": "shop",
      "sluice.release": "shop-1",
      "sluice.worker": "w-1",
      "sluice.epoch": "7",
    },
    HostConfig: {
      Privileged: false,
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Init: true,
      NetworkMode: "sluice-jobs",
      // 256 MiB of 1,048,576 bytes, and no swap beside them.
      Memory: 268_435_456,
      MemorySwap: 268_435_456,
      NanoCpus: 500_000_000,
      PidsLimit: 128,
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,size=64m" },
      Mounts: [
        {
          Type: "bind",
          Source: "/srv/secrets/redis-url",
          Target: "/run/secrets/redis-url",
          ReadOnly: true,
        },
      ],
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
  });
});

test("a release with a command of its own is started by it alone", () => {
  const spec = containerSpecOf(pool, { ...release, command: ["node", "w.js"] }, facts);
  expect(spec).toMatchObject({ Entrypoint: ["node", "w.js"], Cmd: [] });
});

test("no user that the configuration takes is root", () => {
  fc.assert(
    fc.property(fc.oneof(fc.stringMatching(/^[0-9:]{1,8}$/), fc.string()), (user) => {
      const parsed = containerLimits.safeParse({ user });
      const [uid, gid, ...more] = user.split(":");
      const isAllowed = more.length === 0 && [uid, gid].every((it) => /^[1-9]\d{0,9}$/.test(it ?? ""));
      expect(parsed.success).toBe(isAllowed);
    }),
  );
});
