import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { decidePairs } from "#cli/commands/contracts/decide-pairs";
import { cliHarness } from "./cli-harness.ts";

const cli = cliHarness();

function schema(values: readonly string[], more: object = {}) {
  return {
    type: "object",
    properties: { kind: { type: "string", enum: values }, ...more },
    required: ["kind"],
  };
}

const two = schema(["a", "b"]);
const twoAndNote = schema(["a", "b"], { note: { type: "string" } });
const three = schema(["a", "b", "c"]);

function documented(type: string, ...schemas: readonly object[]) {
  const versions = schemas.map((it, index) => ({
    version: index + 1,
    minReaderVersion: 1,
    schema: it as Record<string, unknown>,
    samples: [{ kind: "a" }],
  }));
  return { type, queue: "shop", versions };
}

function write(directory: string, ...documents: readonly ReturnType<typeof documented>[]): void {
  mkdirSync(join(cli.directory, directory), { recursive: true });
  for (const document of documents) {
    writeFileSync(join(cli.directory, directory, `${document.type}.json`), JSON.stringify(document));
  }
}

describe("the versions that are compared", () => {
  const numbers = (a: readonly ReturnType<typeof documented>[], b: typeof a) =>
    decidePairs(a, b).pairs.map((it) => [it.a.type, it.a.version, it.b.version]);

  test("are the newest of each type that both have", () => {
    const a = [documented("a.b", two, three), documented("c.d", two)];
    const b = [documented("a.b", two, three, twoAndNote), documented("e.f", two)];
    expect(numbers(a, b)).toEqual([["a.b", 2, 3]]);
    expect(decidePairs(a, b)).toMatchObject({ onlyA: ["c.d"], onlyB: ["e.f"] });
  });

  test("are also those that one number means two schemas by", () => {
    expect(numbers([documented("a.b", two, three)], [documented("a.b", three, three)])).toEqual([
      ["a.b", 1, 1],
      ["a.b", 2, 2],
    ]);
  });
});

describe("contracts diff", () => {
  beforeAll(() => {
    write("contracts", documented("a.b", two, twoAndNote, three));
    write("old", documented("a.b", two), documented("gone.type", two));
    write("additive", documented("a.b", two, twoAndNote));
  });

  test("of two versions that read each other's data exits with 0", async () => {
    const { exitCode, stdout } = await cli.run(["contracts", "diff", "a.b@1", "a.b@2"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/v2 reads what v1 writes +yes\n +v1 reads what v2 writes +yes\n/);
  });

  test("of two that do not exits with 10, and shows data of the direction that fails", async () => {
    const { exitCode, stdout } = await cli.run(["contracts", "diff", "a.b@1", "a.b@3"]);
    expect(exitCode).toBe(10);
    expect(stdout).toMatch(/v3 reads what v1 writes +yes\n +v1 reads what v3 writes +no\n/);
    expect(stdout).toMatch(/\/kind {2}ENUM_NARROWED {2}v1 cannot read what v3 writes/);
    expect(stdout).toMatch(/document +\{"kind":"c"\}/);
    const json = JSON.parse((await cli.run(["contracts", "diff", "a.b@3", "a.b@1", "--json"])).stdout);
    expect(json).toMatchObject({
      kind: "ContractsDiff",
      compared: [
        { a: { type: "a.b", version: 3 }, findings: [{ direction: "backward", code: "ENUM_NARROWED" }] },
      ],
    });
  });

  test("of directories and documents compares the newest of each type", async () => {
    const additive = await cli.run(["contracts", "diff", "old", "additive"]);
    expect(additive.exitCode).toBe(0);
    expect(additive.stdout).toContain("gone.type  only in old");
    const file = await cli.run(["contracts", "diff", "old/a.b.json", "contracts/a.b.json"]);
    expect(file.exitCode).toBe(10);
    const same = await cli.run(["contracts", "diff", "old", "old"]);
    expect(same.stdout).toContain("have the same schema");
  });

  test("needs what it compares", async () => {
    expect((await cli.run(["contracts", "diff", "a.b@1", "a.b@9"])).exitCode).toBe(3);
    expect((await cli.run(["contracts", "diff", "a.b@1", "old"])).exitCode).toBe(2);
    expect((await cli.run(["contracts", "diff", "old", "nothing"])).exitCode).toBe(2);
  });
});
