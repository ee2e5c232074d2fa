import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { enterRelease } from "#cli/commands/release/config-release";
import { cliHarness, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();

/** A configuration with one release, in a directory of its own, and a second build beside it. */
function setUp(name: string) {
  const directory = join(cli.directory, name);
  mkdirSync(directory);
  const path = join(directory, "sluice.config.json");
  const config = {
    releases: [{ id: "mail-1", app: "./v1.mjs" }],
    queues: { mail: { pickupPromiseMs: 1_000 }, bulk: { pickupPromiseMs: 1_000 } },
    pools: { mail: { takeover: "rollout" }, bulk: {} },
  };
  const text = `${JSON.stringify(config, null, "\t")}\n`;
  writeFileSync(path, text);
  const app = join(directory, "v2.mjs");
  writeFileSync(app, "export const app = {};\n");
  return { directory, path, app, text };
}

const release = { id: "mail-2", command: null, image: null };

describe("a release in the configuration file", () => {
  test("is entered last, with the order and the indent of the rest as they were", () => {
    const { path, app, directory } = setUp("entered");
    expect(enterRelease(path, { ...release, app, command: ["node", "w.js"] })).toMatchObject({
      kind: "added",
      atOncePools: ["bulk"],
    });
    const after = readFileSync(path, "utf8");
    expect(Object.keys(JSON.parse(after))).toEqual(["releases", "queues", "pools"]);
    expect(JSON.parse(after).releases).toEqual([
      { id: "mail-1", app: "./v1.mjs" },
      { id: "mail-2", app: "./v2.mjs", command: ["node", "w.js"] },
    ]);
    expect(after).toContain('\n\t"releases"');
    expect(readdirSync(directory).toSorted()).toEqual(["sluice.config.json", "v2.mjs"]);
  });

  test("is taken out again, unless somebody has changed the file since", () => {
    const { path, app, text } = setUp("undone");
    enterRelease(path, { ...release, app }).undo();
    expect(readFileSync(path, "utf8")).toBe(text);
    const entered = enterRelease(path, { ...release, app });
    writeFileSync(path, "{}");
    entered.undo();
    expect(readFileSync(path, "utf8")).toBe("{}");
  });

  test("may be entered twice, and not with another build under the same id", () => {
    const { path, app } = setUp("twice");
    enterRelease(path, { ...release, app });
    const once = readFileSync(path, "utf8");
    expect(enterRelease(path, { ...release, app }).kind).toBe("there");
    expect(readFileSync(path, "utf8")).toBe(once);
    expect(() => enterRelease(path, { ...release, app: `${app}x` })).toThrow("another app, command or image");
    expect(() => enterRelease(path, { ...release, app, command: ["node"] })).toThrow(
      "another app, command or image",
    );
  });

  test("is refused where the file is none", () => {
    const { path, app } = setUp("broken");
    writeFileSync(path, '{"releases": 1}');
    expect(() => enterRelease(path, { ...release, app })).toThrow("it has no list of releases");
  });
});

describe("release add", () => {
  const env = { SLUICE_REDIS_URL: "unix:///nowhere.sock" };

  test("enters the build and has it publish itself", async () => {
    const { directory, path, app } = setUp("added");
    const said = join(directory, "said.json");
    cli.workerIs(`import { writeFileSync } from "node:fs";
      const { SLUICE_RELEASE, SLUICE_APP, SLUICE_REDIS_URL, SLUICE_API_KEY } = process.env;
      writeFileSync(${JSON.stringify(said)}, JSON.stringify([process.argv[2], SLUICE_RELEASE, SLUICE_APP, SLUICE_REDIS_URL, SLUICE_API_KEY]));`);
    const { exitCode, stdout } = await cli.run(["release", "add", "mail-2", "--app", app], {
      env: { ...env, SLUICE_CONFIG: path },
    });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("mail-2  added and published\n")]);
    expect(stdout).toContain('in the pools without "takeover": "rollout": bulk');
    expect(JSON.parse(readFileSync(said, "utf8"))).toEqual([
      "publish",
      "mail-2",
      app,
      env.SLUICE_REDIS_URL,
      null,
    ]);
    expect(JSON.parse(readFileSync(path, "utf8")).releases).toHaveLength(2);
  });

  test("leaves the file as it was when the build cannot be published, and passes its words on", async () => {
    const { path, app, text } = setUp("refused");
    cli.workerIs('console.error("a third generation"); process.exit(4);');
    const { exitCode, stderr } = await cli.run(["release", "add", "mail-2", "--app", app, "--config", path], {
      env,
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("mail-2 was not published");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("only enters what is in an image, and says how that publishes itself", async () => {
    const { path } = setUp("image");
    const args = ["release", "add", "mail-2", "--app", "/app/v2.mjs", "--image", "mail:2", "--config", path];
    const { exitCode, stdout } = await cli.run(args, { env });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("mail-2  added, not published\n")]);
    expect(stdout).toContain(
      "SLUICE_RELEASE=mail-2 SLUICE_APP_IMAGE=mail:2 SLUICE_APP=/app/v2.mjs docker compose run --rm publish",
    );
    expect(JSON.parse(readFileSync(path, "utf8")).releases[1]).toEqual({
      id: "mail-2",
      app: "/app/v2.mjs",
      image: "mail:2",
    });
    const other = await cli.run(args.with(6, "mail:3"), { env });
    expect([other.exitCode, other.stderr]).toEqual([
      4,
      expect.stringContaining("another app, command or image"),
    ]);
  });

  test.each([
    [["mail-2", "--app", "v2.mjs", "--image", "mail:2", "--config", "x.json"], "absolute path inside"],
    [["mail-2", "--app", "/v2.mjs", "--image", "mail 2; id", "--config", "x.json"], "--image must be"],
    [["Mail 2", "--app", "v2.mjs"], "A release's id"],
    [["mail-2", "--app", "none.mjs", "--config", "x.json"], "There is no file"],
    [["mail-2", "--app", "v2.mjs", "--command", "[1]"], "--command must be"],
    [["mail-2", "--app", "v2.mjs"], "not known which configuration"],
  ])("%j is a mistake", async (args, words) => {
    const { exitCode, stderr } = await cli.run(["release", "add", ...args], { env });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe("release retire", () => {
  const args = ["release", "retire", "mail-1", "--why", "mail-2 is current", "--by", "ada"];

  test("says that it is done", async () => {
    const { exitCode, stdout } = await cli.run(args, {
      answers: {
        "POST /v1/releases/mail-1/retire": ok({ release: "mail-1", state: "retired", retired: true }),
      },
    });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("mail-1  retired")]);
    expect(cli.received).toEqual([{ why: "mail-2 is current", by: "ada" }]);
  });

  test("exits with 4 and names everything that is in the way", async () => {
    const errors = [{ pointer: "", rule: "jobs-in-flight", message: "worker w-1 has 2 jobs in flight" }];
    const { exitCode, stderr } = await cli.run(args, {
      answers: { "POST /v1/releases/mail-1/retire": problem(409, "RELEASE_NEEDED", { errors }) },
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("\n  - worker w-1 has 2 jobs in flight  (jobs-in-flight)\n");
  });
});
