import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "#shared/exit-codes";
import { printContractTask } from "#worker/contract-tasks";

const ROOT = join(import.meta.dirname, "../../..");

const APP = `
import { defineApp, defineContract, defineJob } from "sluice/worker";
import { z } from "zod";
const contract = defineContract({
  type: "label.print",
  queue: "warehouse",
  versions: [{ version: 1, schema: z.looseObject({ parcelId: z.string() }) }],
});
export const app = defineApp({ name: "warehouse", jobs: [defineJob(contract, () => undefined)] });
`;

const DOCUMENT = {
  type: "label.print",
  queue: "warehouse",
  versions: [{ version: 1, minReaderVersion: 1, schema: { type: "object" }, samples: [{}] }],
};

describe("a task for contracts", () => {
  // Within the package, so that its own name resolves.
  mkdirSync(join(ROOT, "coverage"), { recursive: true });
  const directory = mkdtempSync(join(ROOT, "coverage", "contract-tasks-"));
  const path = join(directory, "app.mjs");
  beforeAll(() => writeFileSync(path, APP));
  afterAll(() => rmSync(directory, { recursive: true }));

  async function run(
    name: "check" | "export",
    input: unknown,
    env: Record<string, string> = { SLUICE_APP: path },
  ) {
    const told = { stdout: "", stderr: "" };
    const channel = (to: "stdout" | "stderr") => ({
      write: (text: string | Uint8Array, done?: unknown) => {
        told[to] += String(text);
        if (typeof done === "function") done();
        return true;
      },
    });
    const text = typeof input === "string" ? input : JSON.stringify(input);
    const exitCode = await printContractTask(name, {
      env,
      stdin: chunksOf(text),
      stdout: channel("stdout"),
      stderr: channel("stderr"),
    });
    return { ...told, exitCode };
  }

  test("exports documents, by which the same app is allowed", async () => {
    const exported = await run("export", { existing: [] });
    expect(exported.exitCode).toBe(EXIT.ok);
    const { documents, refused } = JSON.parse(exported.stdout);
    expect(refused).toEqual([]);
    expect(documents).toMatchObject([
      { type: "label.print", queue: "warehouse", versions: [{ version: 1 }] },
    ]);
    const checked = await run("check", { against: documents });
    expect(checked.exitCode).toBe(EXIT.ok);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      verdict: "allowed",
      types: [{ type: "label.print" }],
    });
  });

  test("answers ok for a report that rejects: what it means is for the command to say", async () => {
    const { exitCode, stdout } = await run("check", { against: [DOCUMENT] });
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(stdout).verdict).toBe("rejected");
  });

  test("answers nothing but JSON, whatever the app prints while it is loaded", async () => {
    const talkative = join(directory, "talkative.mjs");
    writeFileSync(talkative, `console.log("hello"); process.stdout.write("there"); ${APP}`);
    const { stdout, stderr } = await runProcess("contracts-export", talkative, { existing: [] });
    expect(JSON.parse(stdout).documents).toHaveLength(1);
    expect(stderr).toBe("hello\nthere");
  });

  test.each([
    ["a module that is not there", "CONFIG_INVALID", { against: [] }, {}],
    ["an app that cannot be loaded", "APP_INVALID", { against: [] }, { SLUICE_APP: "/none.mjs" }],
    ["input that is no JSON", "CONFIG_INVALID", "{", undefined],
    ["documents that are none", "CONFIG_INVALID", { against: [{ type: "label.print" }] }, undefined],
    ["two documents of one type", "CONFIG_INVALID", { against: [DOCUMENT, DOCUMENT] }, undefined],
  ])("says in one line of standard error what is wrong with %s", async (_what, code, input, env) => {
    const { exitCode, stdout, stderr } = await run("check", input, env as Record<string, string> | undefined);
    expect([exitCode, stdout]).toEqual([EXIT.configInvalid, ""]);
    const failure = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
    expect(failure).toMatchObject({ code, message: expect.any(String) });
    expect(failure.problems.length).toBeGreaterThan(0);
  });
});

/** The worker's own process, from its source. */
function runProcess(task: string, app: string, input: unknown) {
  return new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve, reject) => {
    const args = ["--import", "tsx", "--conditions=source", join(ROOT, "worker/main.ts"), task];
    const env = { ...process.env, SLUICE_APP: app };
    const child = execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
      error === null ? resolve({ stdout, stderr }) : reject(error),
    );
    child.stdin?.end(JSON.stringify(input));
  });
}

async function* chunksOf(text: string) {
  yield text.slice(0, 5);
  yield Buffer.from(text.slice(5));
}

describe("what a running worker loads", () => {
  test("is without the generator of documents, which only these tasks load", () => {
    const loaded = modulesFrom("worker/main.ts");
    expect(loaded.size).toBeGreaterThan(50);
    expect([...loaded].filter((name) => name === "fast-check")).toEqual([]);
    expect(modulesFrom("worker/contract-check.ts")).toContain("fast-check");
  });
});

/** Files and packages that are loaded with `entry`, what is imported only when it is asked for left out. */
function modulesFrom(entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (path.endsWith(".ts")) open.push(...importsOf(path));
  }
  return seen;
}

function importsOf(path: string): readonly string[] {
  const source = ts.createSourceFile(path, readFileSync(join(ROOT, path), "utf8"), ts.ScriptTarget.ES2023);
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const typesOnly = ts.isImportDeclaration(statement)
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly;
    const target = statement.moduleSpecifier;
    return !typesOnly && target !== undefined && ts.isStringLiteral(target)
      ? [resolved(path, target.text)]
      : [];
  });
}

function resolved(from: string, name: string): string {
  if (name.startsWith(".")) return join(from, "..", name);
  return name.startsWith("#") ? `${name.slice(1)}.ts` : name;
}
