/** A team's pipeline: contracts in a git repository of its own, judged by the command as it is shipped. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Child } from "../support/child.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** A repository whose app can be changed. */
class Repository {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(ROOT, join(directory, "node_modules", "sluice"));
    symlinkSync(join(ROOT, "node_modules", "zod"), join(directory, "node_modules", "zod"));
    writeFileSync(join(directory, ".gitignore"), "node_modules\n");
    this.git("init", "-q", "-b", "main");
  }

  /** `versions`: the source text of a contract's versions. */
  writeApp(versions: string): void {
    const text = `
      import { defineApp, defineContract, defineJob } from "sluice/worker";
      import { z } from "zod";
      console.log("an app may print while it is loaded");
      const v1 = z.looseObject({ orderId: z.string().min(1), kind: z.enum(["a", "b"]).optional() });
      const contract = defineContract({ type: "receipt.render", queue: "shop", versions: [${versions}] });
      export const app = defineApp({ name: "shop", jobs: [defineJob(contract, () => null)] });
    `;
    writeFileSync(join(this.directory, "app.mjs"), text);
  }

  git(...args: readonly string[]): void {
    const who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    execFileSync("git", [...who, ...args], { cwd: this.directory, stdio: "pipe" });
  }

  commit(): void {
    this.git("add", "-A");
    this.git("commit", "-q", "-m", "contracts");
  }

  read(path: string): string {
    return readFileSync(join(this.directory, path), "utf8");
  }

  async sluice(...args: readonly string[]) {
    const program = [process.execPath, join(ROOT, "dist/cli/main.js")];
    const child = new Child({ args: [...program, ...args], cwd: this.directory });
    const { code } = await child.exited;
    return { code, output: child.output };
  }

  check(...more: readonly string[]) {
    return this.sluice("contracts", "check", "--app", "app.mjs", "--against", "main", ...more);
  }
}

const FIRST = "{ version: 1, schema: v1 }";
const ADDITIVE = `${FIRST}, { version: 2, schema: v1.extend({ note: z.string().optional() }) }`;
const BREAKING = `${FIRST}, { version: 2, schema: v1.extend({ kind: z.enum(["a", "b", "c"]).optional() }) }`;
const REJECTED = `${FIRST}, { version: 2, schema: v1.extend({ orderId: z.int() }) }`;
const EDITED = "{ version: 1, schema: v1.extend({ note: z.string().optional() }) }";

/** Its branch has version 1 and the document of it. */
let repository: Repository;

beforeAll(async () => {
  repository = new Repository(await mkdtemp(join(tmpdir(), "sluice-contracts-")));
  repository.writeApp(FIRST);
  await repository.sluice("contracts", "export", "--app", "app.mjs");
  repository.commit();
}, 60_000);
afterAll(() => rm(repository.directory, { recursive: true }));

describe("sluice contracts check against a branch", { timeout: 60_000 }, () => {
  test("ends with 0 for an additive change", async () => {
    repository.writeApp(ADDITIVE);
    const { code, output } = await repository.check();
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringContaining("version 2  additive"),
    });
  });

  test("ends with 10 for a breaking change, shows data that is refused, and with 0 where it is allowed", async () => {
    repository.writeApp(BREAKING);
    const { code, output } = await repository.check();
    expect(code).toBe(10);
    // What version 2 may write and version 1 refuses has the new value in it.
    expect(output).toMatch(/document +\{.*"kind":"c".*\}\n +refused +\/kind must be one of "a", "b"/);
    expect(output).toContain("sluice gate raise receipt.render 2");
    expect((await repository.check("--allow-breaking")).code).toBe(0);
  });

  test("ends with 11 for a change that stored jobs do not survive, whatever is allowed", async () => {
    repository.writeApp(REJECTED);
    const { code, output } = await repository.check("--allow-breaking", "--json");
    expect(code).toBe(11);
    const [, version] = JSON.parse(output).report.types[0].versions;
    expect(version).toMatchObject({ version: 2, kind: "rejected" });
    expect(version.findings[0].counterexample.document).toMatchObject({ orderId: expect.any(String) });
  });

  test("ends with 11 for a published version that was edited", async () => {
    repository.writeApp(EDITED);
    const { code, output } = await repository.check();
    expect({ code, output }).toMatchObject({
      code: 11,
      output: expect.stringContaining("PUBLISHED_VERSION_CHANGED"),
    });
  });
});

describe("sluice contracts export", { timeout: 60_000 }, () => {
  test("adds to the documents and leaves what is published as it is", async () => {
    const run = (...more: readonly string[]) =>
      repository.sluice("contracts", "export", "--app", "app.mjs", ...more);
    const before = JSON.parse(repository.read("contracts/receipt.render.json"));
    repository.writeApp(ADDITIVE);
    expect((await run("--check")).code).toBe(4);
    expect(await run()).toMatchObject({ code: 0, output: expect.stringContaining("added version 2") });
    const after = JSON.parse(repository.read("contracts/receipt.render.json"));
    expect(after.versions[0]).toEqual(before.versions[0]);
    expect(after.versions[1]).toMatchObject({ version: 2, minReaderVersion: 1 });
    expect((await run("--check")).code).toBe(0);
    const diff = await repository.sluice("contracts", "diff", "main", "contracts");
    expect(diff).toMatchObject({ code: 0, output: expect.stringContaining("v2 reads what v1 writes  yes") });
  });
});
