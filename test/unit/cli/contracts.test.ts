import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { cliHarness, ESC } from "./cli-harness.ts";

const cli = cliHarness();
const TYPE = "receipt.render";

const at = (...names: readonly string[]) => join(cli.directory, ...names);

function version(number: number, schema: object = { type: "object" }) {
  return { version: number, minReaderVersion: 1, schema, samples: [{}] };
}

function writeDocument(directory: string, versions: readonly object[], type = TYPE): void {
  mkdirSync(at(directory), { recursive: true });
  const text = JSON.stringify({ type, queue: "shop", versions }, null, 2);
  writeFileSync(at(directory, `${type}.json`), `${text}\n`);
}

/** A worker that notes what it was given, and answers this. */
function workerAnswers(answer: unknown, more = ""): void {
  cli.workerIs(`
    import { writeFileSync } from "node:fs";
    let input = "";
    for await (const chunk of process.stdin) input += chunk;
    const { SLUICE_APP: app, SLUICE_RELEASE: release, SLUICE_DRAFT: draft, SLUICE_ACTOR: by } = process.env;
    writeFileSync("seen.json", JSON.stringify({ task: process.argv[2], app, release, draft, by, input }));
    ${more}
    console.log(${JSON.stringify(JSON.stringify(answer))});
  `);
}

const seen = () => JSON.parse(readFileSync(at("seen.json"), "utf8"));

const finding = {
  direction: "forward",
  againstVersion: 1,
  path: `/kind${ESC}[2J`,
  code: "ENUM_NARROWED",
  message: 'The writer may send "c".',
  writer: { pointer: "/properties/kind/enum", fragment: ["a", "c"] },
  reader: { pointer: "", fragment: { long: "x".repeat(5_000) } },
  behavioural: false,
  conservative: false,
  counterexample: { document: { kind: `c${ESC}]0;owned` }, rejectedBecause: '/kind must be "a"' },
};

function report(verdict: string, changes: object, findings: readonly object[] = []) {
  const known = {
    version: 1,
    state: "unchanged",
    minReaderVersion: 1,
    kind: null,
    raisedByAuthor: false,
    findings: [],
    upcast: null,
    samplesRead: 3,
  };
  const added = { ...known, version: 2, state: "new", samplesRead: 0, ...changes };
  const type = { type: TYPE, queue: "shop", state: "known", verdict, findings, versions: [known, added] };
  return { verdict, types: [type] };
}

beforeEach(() => {
  for (const name of ["contracts", "other", "seen.json"]) rmSync(at(name), { recursive: true, force: true });
  writeFileSync(at("app.mjs"), "");
  writeDocument("contracts", [version(1)]);
});

describe("contracts check", () => {
  const check = ["contracts", "check", "--app", "app.mjs", "--against", "contracts"];

  test("has the build judge itself against the documents, and exits with 0 when all is allowed", async () => {
    workerAnswers(report("allowed", { kind: "additive" }));
    const { exitCode, stdout, stderr } = await cli.run(check);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^receipt\.render {2}✓ allowed/);
    expect(stdout).toContain("rollout: nothing to do. Readers from version 1 on read it");
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(
      /^✓ allowed {2}1 type against contracts: 1 allowed\. /,
    );
    const { task, app, input } = seen();
    expect({ task, app }).toEqual({ task: "contracts-check", app: at("app.mjs") });
    expect(JSON.parse(input)).toEqual({ against: [{ type: TYPE, queue: "shop", versions: [version(1)] }] });
  });

  test("exits with 10 for a breaking change, with data that shows it and what it means", async () => {
    workerAnswers(report("breaking", { kind: "breaking", minReaderVersion: 2, findings: [finding] }));
    const { exitCode, stdout } = await cli.run(check);
    expect(exitCode).toBe(10);
    expect(stdout).toContain('sluice gate raise receipt.render 2 --why "..."');
    expect(stdout).toMatch(/\/kind\\x1b\[2J {2}ENUM_NARROWED {2}v1 cannot read what v2 writes/);
    expect(stdout).toMatch(/v2 writes +\["a","c"\] {2}at \/properties\/kind\/enum/);
    expect(stdout).toMatch(/v1 reads +\{"long":"x{200,300}… \(--json has all of it\) {2}at the root/);
    expect(stdout).toContain('document     {"kind":"c\\u001b]0;owned"}');
    expect(stdout).toContain('refused      /kind must be "a"');
    expect(stdout).not.toContain(ESC);
    expect((await cli.run([...check, "--allow-breaking"])).exitCode).toBe(0);
  });

  test("says where a finding may be stricter than needed, and shows a bounded number of them", async () => {
    const unproved = { ...finding, counterexample: null, conservative: true };
    workerAnswers(report("breaking", { kind: "breaking", findings: Array(25).fill(unproved) }));
    const { stdout } = await cli.run(check);
    expect(stdout.match(/conservative {1,}no document was found/g)).toHaveLength(20);
    expect(stdout).toContain("and 5 more; --json has all of them");
  });

  test("exits with 11 for what cannot be published, whatever is allowed, and says what to do", async () => {
    const backward = { ...finding, direction: "backward" };
    workerAnswers(report("rejected", { kind: "rejected", findings: [backward] }));
    const { exitCode, stdout } = await cli.run([...check, "--allow-breaking"]);
    expect(exitCode).toBe(11);
    expect(stdout).toContain("v2 cannot read what v1 writes");
    expect(stdout).toContain("what to do: give it an upcast from the version before");
  });

  test("shows what is wrong with an upcaster, and with the type as a whole", async () => {
    const upcast = [
      { code: "UPCAST_THROWS", fromVersion: 1, message: "it throws", counterexample: { n: 1 } },
    ];
    const changed = {
      code: "PUBLISHED_VERSION_CHANGED",
      severity: "rejected",
      version: 1,
      path: null,
      message: "put it back",
    };
    workerAnswers(report("rejected", { kind: "breaking-with-upcaster", upcast }, [changed]));
    const { stdout } = await cli.run(check);
    expect(stdout).toContain("✗ PUBLISHED_VERSION_CHANGED  version 1: put it back");
    expect(stdout).toContain("version 2  rejected: its upcaster is wrong");
    expect(stdout).toMatch(/UPCAST_THROWS {2}it throws\n +v1 data +\{"n":1\}/);
  });

  test("gives the whole report in JSON", async () => {
    const given = report("breaking", { kind: "breaking", findings: [finding], more: 1 });
    workerAnswers(given);
    const { exitCode, stdout } = await cli.run([...check, "--json"]);
    expect(exitCode).toBe(10);
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: "sluice/v1",
      kind: "ContractsCheck",
      against: "contracts",
      allowBreaking: false,
      report: given,
    });
    expect(stdout).not.toContain(ESC);
  });

  test("takes the app from the configuration when it has just one", async () => {
    workerAnswers(report("allowed", { kind: "additive" }));
    const run = async (apps: readonly string[]) => {
      const releases = apps.map((app, index) => ({ id: `v${index}`, app }));
      const config = { queues: {}, pools: {}, releases };
      writeFileSync(at("sluice.config.json"), JSON.stringify(config));
      return cli.run(["contracts", "check", "--against", "contracts"], {
        env: { SLUICE_CONFIG: "sluice.config.json" },
      });
    };
    expect((await run(["app.mjs", "./app.mjs"])).exitCode).toBe(0);
    const two = await run(["app.mjs", "other.mjs"]);
    expect(two.exitCode).toBe(2);
    expect(two.stderr).toContain("the configuration has 2 apps");
  });

  test("tells in the build's own words why there is no report", async () => {
    const problems = Array(2_000).fill("one of many problems");
    const told = { code: "APP_INVALID", message: `The app is wrong${ESC}[2J`, problems };
    cli.workerIs(
      `console.error("noise"); console.error(${JSON.stringify(JSON.stringify(told))}); process.exitCode = 78;`,
    );
    const { exitCode, stdout, stderr } = await cli.run(check);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toBe("✗ The app is wrong\\x1b[2J (exit 2)\n");
    cli.workerIs(`console.error("last words"); process.exitCode = 5;`);
    expect((await cli.run(check)).stderr).toContain("ended with 5:\nlast words");
    cli.workerIs(`console.log("no JSON");`);
    expect((await cli.run(check)).exitCode).toBe(1);
  });

  test("is told where there is nothing to judge against", async () => {
    mkdirSync(at("other"));
    const empty = await cli.run(["contracts", "check", "--app", "app.mjs", "--against", "other"]);
    expect(empty.exitCode).toBe(3);
    expect(empty.stderr).toContain("sluice contracts export");
    expect(
      (await cli.run(["contracts", "check", "--app", "none.mjs", "--against", "contracts"])).exitCode,
    ).toBe(2);
    expect((await cli.run(["contracts", "check", "--app", "app.mjs"])).exitCode).toBe(2);
  });
});

describe("contracts export", () => {
  const run = (...more: readonly string[]) => cli.run(["contracts", "export", "--app", "app.mjs", ...more]);
  const documents = [
    { type: TYPE, queue: "shop", versions: [version(1), version(2)] },
    { type: "thumbnail.make", queue: "media", versions: [version(1)] },
  ];

  test("writes what is new, says so, and writes nothing when it is run again", async () => {
    workerAnswers({ documents, refused: [] });
    const { exitCode, stdout } = await run();
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout:
        "contracts/receipt.render.json  written: added version 2\ncontracts/thumbnail.make.json  written: new\n",
    });
    const text = readFileSync(at("contracts", `${TYPE}.json`), "utf8");
    expect(text).toBe(`${JSON.stringify(documents[0], null, 2)}\n`);
    expect(JSON.parse(seen().input)).toEqual({
      existing: [{ type: TYPE, queue: "shop", versions: [version(1)] }],
    });
    expect((await run()).stdout).toBe("2 documents are up to date in contracts.\n");
  });

  test("--check writes nothing and exits with 4 when something would be written", async () => {
    workerAnswers({ documents, refused: [] });
    const { exitCode, stdout } = await run("--check");
    expect(exitCode).toBe(4);
    expect(stdout).toContain("contracts/receipt.render.json  out of date: added version 2");
    expect(existsSync(at("contracts", "thumbnail.make.json"))).toBe(false);
    await run();
    expect((await run("--check")).exitCode).toBe(0);
  });

  test("makes the directory that is given", async () => {
    workerAnswers({ documents, refused: [] });
    expect((await run("--out", "other/deep")).exitCode).toBe(0);
    expect(existsSync(at("other", "deep", "thumbnail.make.json"))).toBe(true);
  });

  test("writes nothing at all when anything is refused", async () => {
    workerAnswers({
      documents,
      refused: [{ type: TYPE, problems: ["receipt.render version 2: cannot be"] }],
    });
    const { exitCode, stderr } = await run();
    expect(exitCode).toBe(11);
    expect(stderr).toContain("- receipt.render version 2: cannot be");
    expect(existsSync(at("contracts", "thumbnail.make.json"))).toBe(false);
  });

  test("never names a file by anything but a job type", async () => {
    workerAnswers({ documents: [{ ...documents[0], type: "../../escape" }], refused: [] });
    expect((await run()).exitCode).toBe(1);
    expect(existsSync(at("..", "..", "escape.json"))).toBe(false);
  });
});

describe("contracts publish", () => {
  const args = ["contracts", "publish", "--release", "v2", "--app", "app.mjs", "--by", "ana"];
  const env = { SLUICE_REDIS_URL: "redis://127.0.0.1:1" };
  const logged = {
    level: "info",
    release: "v2",
    app: "shop",
    lanes: { shop: { generation: 2 } },
    msg: "done",
  };

  test("has the release's own build enter itself in the registry", async () => {
    workerAnswers(logged);
    const { exitCode, stdout } = await cli.run(args, { env });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "v2  published  lanes: shop.r2\n" });
    expect(seen()).toMatchObject({
      task: "publish",
      release: "v2",
      app: at("app.mjs"),
      draft: "false",
      by: "ana",
    });
    const draft = await cli.run([...args, "--draft", "--json"], { env });
    expect(JSON.parse(draft.stdout)).toMatchObject({ kind: "Published", draft: true, lanes: ["shop.r2"] });
    expect(seen().draft).toBe("true");
  });

  test.for([
    [77, 4],
    [78, 2],
    [69, 6],
  ] as const)("that ends with %d exits with %d and the build's own words", async ([code, exitCode]) => {
    const line = { level: "error", msg: "worker could not run", err: { message: "no such thing" } };
    cli.workerIs(`console.log('${JSON.stringify(line)}'); process.exitCode = ${code};`);
    const told = await cli.run(args, { env });
    expect(told.exitCode).toBe(exitCode);
    expect(told.stderr).toContain("Release v2 was not published: no such thing.");
  });
});
