/** Code in the documents works: it type-checks, and the README's app can be published and run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";
import { TerminalJobError } from "#shared/errors";
import { readSluiceConfig } from "#shared/sluice-config";
import { type App, describeApp } from "#worker/app";
import { ROOT, readDocument } from "./rendered-blocks.ts";

const WITH_CODE = [
  "README.md",
  "docs/guides/add-a-job-type.md",
  "docs/guides/change-a-payload.md",
  "docs/guides/client.md",
];

describe("a TypeScript block of the documents", () => {
  test("type-checks as it stands", { timeout: 60_000 }, () => {
    const blocks = WITH_CODE.flatMap((path) =>
      [...readDocument(path).matchAll(/^```ts\n(.*?)^```$/gms)].map((match, index) => ({
        // As files of the root, so that `sluice/worker` resolves to this package.
        file: join(ROOT, `${path.replaceAll("/", "-")}-block-${index + 1}.ts`),
        text: String(match[1]),
      })),
    );
    expect(blocks.length).toBeGreaterThanOrEqual(5);
    expect(typeProblems(new Map(blocks.map(({ file, text }) => [file, text])))).toEqual([]);
  });
});

describe("the README's app", () => {
  const directory = makeDirectory();
  afterAll(() => rmSync(directory, { recursive: true }));

  test("has at most 30 lines, and is one that can be published", async () => {
    const text = example("hello/app.mjs", "ts");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
    const app = await load(text);
    expect(describeApp(app, "hello-1")).toMatchObject({ app: "hello", types: [{ type: "greeting.send" }] });
  });

  test("greets, and fails for good where no retry can help", async () => {
    const app = await load(example("hello/app.mjs", "ts"));
    const run = (name: string) =>
      app.jobs[0]?.handler(
        { jobId: "hello~x", type: "greeting.send", data: { name }, schemaVersion: 1, attributes: {} },
        {
          signal: new AbortController().signal,
          fence: { jobId: "hello~x", starts: 1 },
          attempt: 1,
          release: "hello-1",
          progress: () => undefined,
          enqueue: () => Promise.reject(new Error("nothing is enqueued here")),
          log: () => undefined,
        },
      );
    await expect(run("Ada")).resolves.toEqual({ greeting: "Hello, Ada" });
    await expect(run("nobody")).rejects.toMatchObject({ retryability: "terminal" });
    expect(new TerminalJobError("x").retryability).toBe("terminal");
  });

  test("comes with a configuration that can be used", async () => {
    const path = join(directory, "sluice.config.json");
    writeFileSync(path, example("hello/sluice.config.json", "json"));
    const config = await readSluiceConfig(path);
    expect(config.releases).toEqual([{ id: "hello-1", app: join(directory, "app.mjs"), command: null }]);
  });

  async function load(text: string): Promise<App> {
    const path = join(directory, "app.mjs");
    writeFileSync(path, text);
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)).app;
  }
});

/** The block of the README that is marked as this file. */
function example(name: string, language: string): string {
  const mark = `<!-- example: ${name} -->\n\`\`\`${language}\n`;
  const from = readDocument("README.md").indexOf(mark);
  expect(from, `the README's block of ${name}`).toBeGreaterThan(-1);
  return (
    readDocument("README.md")
      .slice(from + mark.length)
      .split("```")[0] ?? ""
  );
}

/** Within the package, so that its own name resolves; in a folder that git ignores. */
function makeDirectory(): string {
  mkdirSync(join(ROOT, "coverage"), { recursive: true });
  return mkdtempSync(join(ROOT, "coverage", "readme-"));
}

/** What the compiler says of files that exist only here, under the options of tsconfig.json. */
function typeProblems(files: ReadonlyMap<string, string>): readonly string[] {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, language, ...rest) => {
    const text = files.get(path);
    if (text === undefined) return getSourceFile(path, language, ...rest);
    return ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const where = file === undefined ? "" : file.fileName.slice(dirname(file.fileName).length + 1);
    return `${where}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
