/** House rules that no linter can say. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesBelow } from "./docs/source-facts.ts";

const ROOT = join(import.meta.dirname, "../..");
const ROOMS = ["producer", "worker", "autoscaler", "cli"];
const SOURCES = [...ROOMS, "shared", "examples", "bench"];

const sources = SOURCES.flatMap(filesBelow).filter((path) => path.endsWith(".ts"));
const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...filesBelow("docs")].filter((path) =>
  path.endsWith(".md"),
);

describe("a room", () => {
  test.each(ROOMS)("%s has one main.ts of at most 80 lines", (room) => {
    expect(filesBelow(room).filter((path) => basename(path) === "main.ts")).toEqual([`${room}/main.ts`]);
    expect(linesOf(`${room}/main.ts`).length).toBeLessThanOrEqual(80);
  });

  test("has no file whose name says nothing", () => {
    const empty = /(^|-)(utils?|helpers?|common|types|constants|managers?|misc)(-|\.)/;
    const named = [...sources, ...filesBelow("test"), ...filesBelow("ops")].filter((path) =>
      empty.test(basename(path)),
    );
    // What `GET /v1/types` answers.
    expect(named).toEqual(["producer/routes/types.ts"]);
  });
});

describe("a decision or an estimate", () => {
  const pure = sources.filter((path) => /\/(decide|estimate)-[^/]+\.ts$/.test(path));
  const tests = filesBelow("test").filter((path) => path.endsWith(".test.ts"));
  const tested = withTheirParts(new Set(tests.flatMap(importsOf)), pure);

  test("exists where they are looked for", () => {
    expect(pure.length).toBeGreaterThan(15);
  });

  test.each(pure)("%s is imported by a test, or is a part of one that is", (path) => {
    expect(tested.has(path), `${path} has no test`).toBe(true);
  });
});

describe("a document", () => {
  test.each(documents)("%s links to files and headings that are there", (path) => {
    const broken = linksOf(path).filter(({ file, heading }) => {
      const target = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== "" && !headingsOf(target).includes(heading);
    });
    expect(broken).toEqual([]);
  });

  test.each(documents)("%s names npm scripts that are there", (path) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const named = [...text(path).matchAll(/\bnpm (?:run ([a-z:-]+)|(start|test)\b)/g)];
    const missing = named.map((match) => match[1] ?? match[2] ?? "").filter((name) => !(name in scripts));
    expect(missing).toEqual([]);
  });

  test("README.md has at most 300 lines", () => {
    expect(linesOf("README.md").length).toBeLessThanOrEqual(300);
  });

  test("of every decision is numbered without a gap", () => {
    const numbers = filesBelow("docs/decisions").map((path) => Number(basename(path).slice(0, 4)));
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
  });
});

describe("a dependency", () => {
  test("has its reason written down, and none is written down that is gone", () => {
    const { dependencies, devDependencies } = JSON.parse(text("package.json"));
    const rows = [...text("docs/decisions/0005-dependencies.md").matchAll(/^\| (`[^|]+`[^|]*) \|/gm)];
    const named = rows.flatMap((row) => [...String(row[1]).matchAll(/`([^`]+)`/g)].map((match) => match[1]));
    expect(named.toSorted()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).toSorted());
  });
});

describe("the architecture's invariants", () => {
  test("name boundary rules that are there", () => {
    const rules = [...text(".dependency-cruiser.cjs").matchAll(/name: "([a-z-]+)"/g)].map(
      (match) => match[1],
    );
    const named = [...text("docs/architecture.md").matchAll(/Boundary:\s+`([a-z-]+)`/g)].map(
      (match) => match[1],
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !rules.includes(name))).toEqual([]);
  });

  test("name lint rules that are switched on", () => {
    const [, ...afterLint] = text("docs/architecture.md").split(/[Ll]int:\s/);
    const named = afterLint.flatMap((part) => [
      ...(part.split(/[.;]/)[0] ?? "").matchAll(/`(no[A-Za-z]+)`/g),
    ]);
    expect(named.length).toBeGreaterThan(3);
    expect(
      named.map((match) => String(match[1])).filter((name) => !text("biome.json").includes(`"${name}"`)),
    ).toEqual([]);
  });

  test("name files that are there", () => {
    const named = [...text("docs/architecture.md").matchAll(/`((?:test|ops|shared)\/[\w./-]+\.\w+)`/g)];
    expect(named.length).toBeGreaterThan(5);
    expect(named.map((match) => String(match[1])).filter((path) => !existsSync(join(ROOT, path)))).toEqual(
      [],
    );
  });
});

function text(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function linesOf(path: string): readonly string[] {
  return text(path).trimEnd().split("\n");
}

/** Paths from the root of what a file imports, as far as they are the house's own. */
function importsOf(path: string): readonly string[] {
  return [...text(path).matchAll(/(?:import|from)\s*\(?\s*"([#.])([^"]+)"/g)].map(([, kind, rest = ""]) =>
    kind === "#" ? `${rest}.ts` : join(dirname(path), `.${rest}`),
  );
}

/** The tested files, and of the pure ones among them what they are made of. */
function withTheirParts(tested: Set<string>, pure: readonly string[]): ReadonlySet<string> {
  const open = pure.filter((path) => tested.has(path));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const part of importsOf(path).filter((it) => pure.includes(it) && !tested.has(it))) {
      tested.add(part);
      open.push(part);
    }
  }
  return tested;
}

interface Link {
  /** Relative to the document; "" for the document itself. */
  readonly file: string;
  readonly heading: string;
}

/** The relative links of a document, those in its code left out. */
function linksOf(path: string): readonly Link[] {
  const prose = text(path).replace(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => String(match[1]))
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = "", heading = ""] = target.split("#");
      return { file, heading };
    });
}

/** The anchors of a document's headings, as GitHub makes them. */
function headingsOf(path: string): readonly string[] {
  const headings = [...text(path).matchAll(/^#+ (.+)$/gm)].map((match) => String(match[1]));
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );
}
