/** The reference says what the source says: rendered blocks are equal, and names match in both directions. */
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decideAccept } from "#shared/contracts/decide-accept";
import { readSluiceConfig } from "#shared/sluice-config";
import { renderCli } from "./render-cli.ts";
import { renderConfiguration } from "./render-configuration.ts";
import { renderEnvelope } from "./render-envelope.ts";
import { renderErrors, SAMPLED_CLASSES } from "./render-errors.ts";
import { renderExitCodes } from "./render-exit-codes.ts";
import { renderMetrics } from "./render-metrics.ts";
import { documentedNames, expectRendered, ROOT, readDocument } from "./rendered-blocks.ts";
import { codeLiteralsIn, ERROR_SOURCES, errorClassesIn, routesIn, sourcesIn } from "./source-facts.ts";

const ROOMS = ["producer", "worker", "autoscaler", "cli", "shared"];

describe("docs/reference", () => {
  test("configuration.md lists the variables of each process's schema", () => {
    expectRendered("docs/reference/configuration.md", renderConfiguration());
  });

  test("errors.md lists the error classes and the problems that the servers answer", async () => {
    const classes = ERROR_SOURCES.flatMap(errorClassesIn).map(({ name }) => name);
    expect(sortedSet(SAMPLED_CLASSES), "classes that render-errors.ts has a sample of").toEqual(
      sortedSet(classes),
    );
    expectRendered("docs/reference/errors.md", await renderErrors());
  });

  test("exit-codes.md lists the codes of the processes and of the command", () => {
    expectRendered("docs/reference/exit-codes.md", renderExitCodes());
  });

  test("metrics.md lists what the registries hold", async () => {
    expectRendered("docs/reference/metrics.md", await renderMetrics());
  });

  test("envelope.md lists the attributes that a client may set", () => {
    expectRendered("docs/reference/envelope.md", renderEnvelope());
  });

  test("cli.md lists the commands and their options", () => {
    expectRendered("docs/reference/cli.md", renderCli());
  });
});

describe("configuration.md and cli.md together", () => {
  test("name exactly the variables that the sources read", () => {
    const read = sourcesIn(...ROOMS).flatMap((path) => [
      ...readDocument(path).matchAll(/^\s+(SLUICE_[A-Z_]+):/gm),
    ]);
    const documented = [
      ...documentedNames("docs/reference/configuration.md"),
      ...documentedNames("docs/reference/cli.md"),
    ].filter((name) => name.startsWith("SLUICE_"));
    expect(sortedSet(documented)).toEqual(sortedSet(read.map((match) => String(match[1]))));
  });
});

describe("the configuration file in configuration.md", () => {
  test.each(configFileRows())("$field has the default and the range that is documented", async (row) => {
    const pool = { slotsPerWorker: 1, workersMin: 0, workersMax: 1_000, [row.name]: undefined };
    const read = (value: number | undefined) =>
      readSluice({
        queues: { q: { pickupPromiseMs: row.name === "pickupPromiseMs" ? value : 1_000 } },
        pools: { q: row.name === "pickupPromiseMs" ? pool : { ...pool, [row.name]: value } },
      });
    await expect(read(row.min)).resolves.toBeDefined();
    await expect(read(row.max)).resolves.toBeDefined();
    await expect(read(row.min - 1)).rejects.toThrow(row.name);
    await expect(read(row.max + 1)).rejects.toThrow(row.name);
    if (row.default === "required") await expect(read(undefined)).rejects.toThrow(row.name);
    else {
      const value = (await read(undefined)).pools.q?.[row.name as "slotsPerWorker"];
      expect(value === undefined ? "–" : value.toLocaleString("en-US")).toBe(row.default);
    }
  });

  test("names every field of a pool, a queue and a release", () => {
    // Each field stands on a line of its own with its schema behind it.
    const fields = [...readDocument("shared/sluice-config.ts").matchAll(/^ {4,8}(\w+): z\s*[.\n]/gm)];
    const documented = documentedNames("docs/reference/configuration.md").flatMap(
      (name) => /^(?:queues\.\*|pools\.\*|releases\[\])\.(\w+)$/.exec(name)?.[1] ?? [],
    );
    expect(sortedSet(documented)).toEqual(sortedSet(fields.map((match) => String(match[1]))));
  });

  test("is shown by an example that can be used", async () => {
    const [, example = ""] =
      /<!-- sluice\.config\.json -->\n```json\n([^`]+)```/.exec(
        readDocument("docs/reference/configuration.md"),
      ) ?? [];
    const { releases, ...rest } = JSON.parse(example);
    await expect(readSluice(rest)).resolves.toMatchObject({ pools: { shop: { workersMax: 4 } } });
    expect(releases).toHaveLength(1);
  });
});

describe("errors.md", () => {
  test("lists every code that a worker writes into a job's attempts", () => {
    const section = readDocument("docs/reference/errors.md").split("## Codes in a job's attempts")[1] ?? "";
    const [table = ""] = section.split("\n## ");
    const documented = [...table.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map((match) => match[1]);
    const written = codeLiteralsIn(sourcesIn("worker")).map((it) => it.code);
    const thrown = ["DATA_INVALID", "UPCAST_FAILED", "JOB_TIMEOUT", "JOB_TERMINAL"];
    const known = new Set(errorClassesIn("shared/errors.ts").map((it) => it.code));
    expect(thrown.filter((it) => !known.has(it))).toEqual([]);
    expect(sortedSet(documented)).toEqual(sortedSet([...written, ...acceptCodes(), ...thrown]));
  });
});

describe("http-api.md", () => {
  test("has a heading for every route of the servers and for no other", () => {
    const routes = sourcesIn("producer", "autoscaler/control-api", "shared/http").flatMap(routesIn);
    const headings = [...readDocument("docs/reference/http-api.md").matchAll(/^### `([A-Z]+) (\S+)`$/gm)];
    expect(sortedSet(headings.map(([, method, path]) => `${method} ${path}`))).toEqual(
      sortedSet(routes.map(({ method, path }) => `${method} ${path}`)),
    );
  });
});

function sortedSet(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.flatMap((name) => name ?? []))].toSorted();
}

/** Every answer of the accept test but "accept", as it is written into a record. */
function acceptCodes(): readonly string[] {
  const facts = { specversion: "1.0", type: "a.b", minReaderVersion: 2, criticalNames: [] };
  const range = (native: number, oldest: number) => new Map([["a.b", { native, oldest }]]);
  const decisions = [
    decideAccept(facts, range(1, 1), new Set()),
    decideAccept(facts, range(3, 3), new Set()),
    decideAccept(facts, new Map(), new Set()),
    decideAccept({ ...facts, criticalNames: ["x"] }, range(2, 1), new Set()),
  ];
  return decisions.map(({ kind }) => kind.toUpperCase().replaceAll("-", "_"));
}

interface ConfigFileRow {
  readonly field: string;
  readonly name: string;
  readonly default: string;
  readonly min: number;
  readonly max: number;
}

/** The documented fields that are numbers. */
function configFileRows(): readonly ConfigFileRow[] {
  const row = /^\| `((?:queues|pools)\.\*\.(\w+))` +\| (\S+) +\| ([\d,]+) to ([\d,]+) +\|/gm;
  const number = (text: string | undefined) => Number(text?.replaceAll(",", ""));
  return [...readDocument("docs/reference/configuration.md").matchAll(row)].map(
    ([, field = "", name = "", byDefault = "", min, max]) => ({
      field,
      name,
      default: byDefault,
      min: number(min),
      max: number(max),
    }),
  );
}

async function readSluice(file: object) {
  const directory = await mkdtemp(join(tmpdir(), "sluice-docs-"));
  try {
    const path = join(directory, "sluice.config.json");
    writeFileSync(path, JSON.stringify({ releases: [{ id: "r1", app: join(ROOT, "app.js") }], ...file }));
    return await readSluiceConfig(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}
