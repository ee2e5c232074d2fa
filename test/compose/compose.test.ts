/**
 * The compose stack on a real Docker engine: built, started, used, hurt, and taken down to nothing.
 *
 * The tests of this file are one story and run in order, on one stack. What it prints at the end are its measures.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBaseImages } from "./base-images.ts";
import { Engine } from "./engine.ts";
import { handIn, statesOf, until } from "./jobs.ts";
import { ComposeStack, PORTS, PROJECT, RELEASES, ROOT, run } from "./stack.ts";

/** Outside what is built from, and short: a socket's path has 107 characters at most. */
const DIRECTORY = join("/tmp", `sluice-compose-${process.pid}`);
/** Kept between runs. */
const KEPT = join(ROOT, ".sluice/test-compose");

const HEALTHY_MS_MAX = 90_000;
const DRAINED_MS_MAX = 150_000;
const ALL_PORTS = [...PORTS.producers, ...PORTS.autoscalers];
const FILES = ["-f", "docker-compose.yml", "-f", "test/compose/build.yml"];

let engine: Engine;
let stack: ComposeStack;
/** Every job that was accepted. */
const ledger: string[] = [];
const measures: Record<string, string> = {};

beforeAll(async () => {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  mkdirSync(KEPT, { recursive: true });
  engine = await Engine.start(join(DIRECTORY, "engine"));
  stack = new ComposeStack(engine, DIRECTORY, statSync(engine.socket).gid);
  await run(process.execPath, ["ops/compose/init.mjs", stack.secrets, join(DIRECTORY, ".env")]);
  stack.configure(["probe-1"]);
  await timed("base images", () => makeBaseImages(engine, KEPT));
  await timed("build", () => stack.compose([...FILES, "build", "setup"]));
  await timed("app images", () => appImages());
});

afterAll(async () => {
  const lines = Object.entries(measures).map(([name, value]) => `${name}: ${value}`);
  process.stdout.write(`${lines.join("\n")}\n`);
  await stack?.compose(["down", "--volumes", "--timeout", "5"]).catch(() => undefined);
  await engine?.stop();
  await run("rm", ["-rf", DIRECTORY]);
});

async function timed<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  const startedAtMs = performance.now();
  try {
    return await act();
  } finally {
    measures[what] = `${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`;
  }
}

/** As a user makes an image: the app's files on top of Sluice's. Two tags of it, and two digests. */
async function appImages(): Promise<void> {
  for (const { image } of Object.values(RELEASES)) {
    const tar = await import("node:child_process").then(({ spawn }) =>
      spawn("tar", ["-C", join(ROOT, "test/compose/app"), "-c", "."], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    const label = encodeURIComponent(JSON.stringify({ image }));
    const answer = await engine.ask("POST", `/build?t=${image}&labels=${label}`, tar.stdout);
    if (String(answer.body).includes("errorDetail"))
      throw new Error(`${image}: ${String(answer.body).slice(-1_000)}`);
  }
}

function settled(states: Record<string, number>): boolean {
  return Object.keys(states).every((state) => state === "succeeded");
}

async function allSucceed(ms: number): Promise<void> {
  const askedAtMs = Date.now();
  await until("an empty backlog", ms, async () => {
    const { body } = await stack.ask(7701, "/v1/lanes");
    // What was seen before the last jobs came says nothing of them.
    if (Date.parse(body.observedAt) <= askedAtMs) return null;
    const lanes: { waiting: number; inFlight: number; scheduled: number }[] = body.queues[0].lanes;
    return lanes.every((it) => it.waiting + it.inFlight + it.scheduled === 0) ? true : null;
  });
  const states = await statesOf(stack, ledger);
  expect(states, "states of all jobs that were accepted").toEqual({ succeeded: ledger.length });
  expect(settled(states)).toBe(true);
}

async function leaderContainer(): Promise<{ id: string; service: string; port: number }> {
  const port = PORTS.autoscalers[0] ?? 0;
  const { body } = await stack
    .ask(port, "/v1/leader")
    .catch(() => stack.ask(PORTS.autoscalers[1] ?? 0, "/v1/leader"));
  for (const [index, service] of ["autoscaler-1", "autoscaler-2"].entries()) {
    const { Id } = await stack.service(service);
    if (Id.startsWith(body.leader.host)) return { id: Id, service, port: PORTS.autoscalers[index] ?? 0 };
  }
  throw new Error("nobody leads");
}

describe("the stack", () => {
  test("is healthy within 90 s, all of it", async () => {
    const startedAtMs = performance.now();
    await timed("docker-compose up", () => stack.compose(["up", "-d"]));
    await until("every port ready", HEALTHY_MS_MAX, async () => {
      const found = await Promise.all(ALL_PORTS.map((port) => stack.health(port)));
      return found.every((status) => status === 200) ? true : null;
    });
    await until("every container healthy", HEALTHY_MS_MAX, async () => {
      const containers = await engine.containers(`com.docker.compose.project=${PROJECT}`);
      const states = containers.map((it) => it.State.Health?.Status ?? it.State.Status);
      return states.every((it) => it === "healthy" || it === "exited") ? true : null;
    });
    const tookMs = performance.now() - startedAtMs;
    measures["up until healthy"] = `${(tookMs / 1_000).toFixed(1)} s`;
    expect(tookMs).toBeLessThan(HEALTHY_MS_MAX);
    for (const name of ["setup", "publish"]) {
      expect((await stack.service(name)).State, name).toMatchObject({ Status: "exited", ExitCode: 0 });
    }
  });

  test("publishes exactly the documented ports, on this machine only", async () => {
    const containers = await engine.containers();
    const bound = containers.flatMap((it) =>
      Object.values(it.NetworkSettings.Ports ?? {}).flatMap(
        (places) => (places as { HostIp: string; HostPort: string }[]) ?? [],
      ),
    );
    const places = bound.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`);
    expect(places.toSorted()).toEqual(ALL_PORTS.map((it) => `127.0.0.1:${it}`).toSorted());
  });

  test("asks everybody for a key", async () => {
    for (const port of ALL_PORTS) {
      const path = port === 7700 || port === 7702 ? "/v1/jobs" : "/v1/fleet";
      const { status } = await fetch(`http://127.0.0.1:${port}${path}`);
      expect(status, `${port}${path}`).toBe(401);
    }
  });

  test("has one leader and one standby", async () => {
    const { body } = await stack.ask(7701, "/v1/leader");
    expect(body.leader).not.toBeNull();
    expect(body.standbys).toHaveLength(1);
  });

  test("runs every container without root, with a read-only root file system, capabilities and new privileges", async () => {
    await until("a worker", 60_000, async () => ((await stack.workers()).length > 0 ? true : null));
    const containers = await engine.containers();
    for (const { Name, Config, HostConfig } of containers) {
      expect(Config.User, `user of ${Name}`).toMatch(/^[1-9]\d*:[1-9]\d*$/);
      expect(HostConfig, Name).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ["ALL"] });
      expect(HostConfig.SecurityOpt.join(), Name).toMatch(/^no-new-privileges(:true)?$/);
      expect(HostConfig.Memory, `memory of ${Name}`).toBeGreaterThan(0);
      expect(HostConfig.PidsLimit, `processes of ${Name}`).toBeGreaterThan(0);
      expect(HostConfig.LogConfig.Config, `log of ${Name}`).toMatchObject({ "max-size": "10m" });
      expect(JSON.stringify(Config.Env), `environment of ${Name}`).not.toContain("redis://:");
    }
    const withSocket = containers.filter((it) =>
      it.Mounts.some((mount: { Source: string }) => mount.Source === engine.socket),
    );
    expect(withSocket.map((it) => it.Config.Labels["com.docker.compose.service"])).toEqual(["executor"]);
  });
});

describe("the executor", () => {
  /** From inside the stack, where alone it can be reached: by an autoscaler's own secret, or another. */
  async function command(body: object, token = "$(cat /run/secrets/executor-token)"): Promise<string> {
    const script = `fetch("http://executor:7710/v1/desired", { method: "POST", body: process.argv[1], headers: {
      "content-type": "application/json", authorization: "Bearer " + process.argv[2] } })
      .then(async (it) => console.log(it.status, await it.text()))`;
    const shell = `node -e '${script}' '${JSON.stringify(body)}' "${token}"`;
    return stack.compose(["exec", "-T", "autoscaler-1", "sh", "-c", shell]);
  }

  const wanted = {
    epoch: 1_000,
    sequence: 1,
    queue: "probe",
    release: "probe-1",
    desired: 1,
    leaving: [],
    heard: [],
  };

  test.each([
    ["an image", { image: "redis:7.4-bookworm" }, 400],
    ["a mount", { mounts: [{ source: "/", target: "/host" }] }, 400],
    ["a privilege", { privileged: true }, 400],
    ["a release that is not declared", { release: "redis" }, 403],
    ["a pool that is not declared", { queue: "other" }, 403],
  ])("refuses a command with %s, and notes it", async (_what, field, status) => {
    const before = (await stack.workers()).length;
    expect(await command({ ...wanted, ...field })).toContain(`${status} `);
    const noted = await stack.compose([
      "exec",
      "-T",
      "executor",
      "sh",
      "-c",
      "cat /data/docker-executor/*/journal.jsonl",
    ]);
    expect(noted.trim().split("\n").at(-1)).toContain('"what":"refused"');
    expect((await stack.workers()).length).toBe(before);
  });

  test("refuses whoever has another secret", async () => {
    expect(await command(wanted, "x".repeat(43))).toContain("401 ");
  });

  test("refuses a leader of the past", async () => {
    const script = await command({ ...wanted, epoch: 1, sequence: 0, desired: 4 });
    expect(script).toContain("409 ");
  });
});

describe("jobs", () => {
  test("5,000 handed in over HTTP are run by a fleet that grows as containers, and shrinks again", async () => {
    const startedAtMs = performance.now();
    ledger.push(...(await timed("5,000 jobs accepted in", () => handIn(stack, { count: 5_000, ms: 100 }))));
    // 5,000 jobs of 100 ms on 8 slots are 62 s of one worker; 5 s are promised.
    const most = await until("a larger fleet", 60_000, async () => {
      const { length } = await stack.workers();
      return length >= 3 ? length : null;
    });
    measures["workers at most"] = String(most);
    await allSucceed(DRAINED_MS_MAX);
    measures["5,000 jobs of 100 ms done in"] = `${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`;
    await until("the fleet at its minimum", 120_000, async () =>
      (await stack.workers()).length === 1 ? true : null,
    );
  });

  test("none is lost with a worker's container, the leader's, or a restart of Redis", async () => {
    ledger.push(...(await handIn(stack, { count: 1_500, ms: 200 })));
    const [victim] = await until("workers", 30_000, async () => {
      const found = await stack.workers();
      return found.length >= 2 ? found : null;
    });
    await stack.signal(victim.Id, "SIGKILL");
    ledger.push(...(await handIn(stack, { count: 500, ms: 100 })));

    const leader = await leaderContainer();
    const { body: before } = await stack.ask(leader.port, "/v1/leader");
    await stack.signal(leader.id, "SIGKILL");
    await timed("another leads after", () =>
      until("another leader", 30_000, async () => {
        const port = PORTS.autoscalers.find((it) => it !== leader.port) ?? 0;
        const { body } = await stack.ask(port, "/v1/leader");
        return body.leader !== null && body.leader.epoch > before.leader.epoch ? true : null;
      }),
    );
    await stack.compose(["up", "-d", "--no-deps", leader.service]);

    const handingIn = handIn(stack, { count: 1_000, ms: 50 });
    await delay(300);
    await timed("Redis restarted in", () => stack.compose(["restart", "redis"]));
    ledger.push(...(await handingIn));
    await allSucceed(DRAINED_MS_MAX);
  });

  test("an executor that is killed and started again takes its containers over and starts none twice", async () => {
    ledger.push(...(await handIn(stack, { count: 500, ms: 200 })));
    const before = await until("workers", 30_000, async () => {
      const found = await stack.workers();
      return found.length >= 2 ? found.map((it) => it.Id) : null;
    });
    await stack.signal((await stack.service("executor")).Id, "SIGKILL");
    await delay(1_000);
    expect((await stack.workers()).map((it) => it.Id)).toEqual(expect.arrayContaining(before));
    await stack.compose(["up", "-d", "--no-deps", "executor"]);
    await allSucceed(DRAINED_MS_MAX);
    expect((await stack.workers()).length).toBeLessThanOrEqual(4);
  });
});

describe("a release as another image", () => {
  test("takes over from the one before with no job lost", async () => {
    ledger.push(...(await handIn(stack, { count: 600, ms: 100 })));
    stack.configure(["probe-1", "probe-2"]);
    await stack.compose(["kill", "-s", "SIGHUP", "executor"]);
    // One after the other, so that one leads at any time.
    for (const service of ["autoscaler-1", "autoscaler-2"]) await stack.compose(["restart", service]);
    await until("both ready", 60_000, async () => {
      const found = await Promise.all(PORTS.autoscalers.map((port) => stack.health(port)));
      return found.every((status) => status === 200) ? true : null;
    });
    // Last: a leader that does not have the release in its configuration would retire it.
    await stack.publish("probe-2");
    await until("version 2 to be written", 90_000, async () => {
      const { status, body } = await stack.ask(7701, "/v1/gates/probe.work", {
        version: 2,
        why: "it is deployed",
      });
      if (status === 200) return true;
      throw new Error(JSON.stringify(body));
    });
    ledger.push(...(await handIn(stack, { count: 600, ms: 100, schemaversion: 2 })));
    ledger.push(...(await handIn(stack, { count: 300, ms: 100 })));
    await allSucceed(DRAINED_MS_MAX);
    const images = await until("a worker of the new image", 60_000, async () => {
      const found = (await stack.workers()).filter((it) => it.Config.Labels["sluice.release"] === "probe-2");
      return found.length > 0 ? found.map((it) => it.Image) : null;
    });
    const { body } = await engine.ask("GET", "/images/probe:2/json");
    expect(new Set(images)).toEqual(new Set([body.Id]));
  });
});

describe("down", () => {
  test("leaves no container, no volume and no network", async () => {
    for (const image of ["sluice:local", "probe:1", "node:20.19-bookworm-slim", "redis:7.4-bookworm"]) {
      const { body } = await engine.ask("GET", `/images/${image}/json`);
      measures[`image ${image}`] = `${(body.Size / 1e6).toFixed(0)} MB`;
    }
    await timed("down", () => stack.compose(["down", "--volumes"]));
    expect(await engine.containers()).toEqual([]);
    expect((await engine.ask("GET", "/volumes")).body.Volumes ?? []).toEqual([]);
    const { body } = await engine.ask("GET", "/networks");
    const names = (body as { Name: string }[]).map((it) => it.Name);
    expect(names.toSorted()).toEqual(["bridge", "host", "none"]);
  });
});
