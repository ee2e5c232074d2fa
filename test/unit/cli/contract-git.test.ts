import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocuments } from "#cli/commands/contracts/read-documents";

const root = realpathSync(mkdtempSync(join(tmpdir(), "sluice-git-")));
const clone = join(root, "clone");
const env = { PATH: process.env.PATH, HOME: root };

function git(cwd: string, ...args: readonly string[]): string {
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...who, ...args], { cwd, env, encoding: "utf8", stdio: "pipe" });
}

function document(type: string, versions = 1): string {
  const numbers = Array.from({ length: versions }, (_, index) => index + 1);
  return JSON.stringify({
    type,
    queue: "shop",
    versions: numbers.map((version) => ({ version, minReaderVersion: 1, schema: {}, samples: [{}] })),
  });
}

beforeAll(() => {
  mkdirSync(join(clone, "app", "contracts"), { recursive: true });
  git(clone, "init", "-q", "-b", "main");
  writeFileSync(join(clone, "app", "contracts", "a.b.json"), document("a.b"));
  writeFileSync(join(clone, "app", "contracts", "README.md"), "not a document");
  symlinkSync("a.b.json", join(clone, "app", "contracts", "link.json"));
  git(clone, "add", "-A");
  git(clone, "commit", "-q", "-m", "one");
  git(clone, "tag", "v1");
  writeFileSync(join(clone, "app", "contracts", "a.b.json"), document("a.b", 2));
  writeFileSync(join(clone, "app", "contracts", "c.d.json"), document("c.d"));
  writeFileSync(join(clone, "app", "contracts", "x.y.json"), document("other.name"));
  git(clone, "add", "-A");
  git(clone, "commit", "-q", "-m", "two");
  git(clone, "tag", "v2");
});
afterAll(() => rmSync(root, { recursive: true }));

const read = (name: string, contracts = "contracts", cwd = join(clone, "app")) =>
  readDocuments({ name, contracts }, { cwd, env });

const failure = (facts: object) => ({ failure: expect.objectContaining(facts) });

describe("contract documents of a git ref", () => {
  test("are those of the commit, whatever lies in the working tree", async () => {
    const documents = await read("v1");
    expect(documents.map((it) => [it.type, it.versions.length])).toEqual([["a.b", 1]]);
  });

  test("are found from anywhere in the clone, by a path from there", async () => {
    expect(await read("v1", "app/contracts", clone)).toHaveLength(1);
    expect(await read("v1", join(clone, "app/contracts"), clone)).toHaveLength(1);
    expect(await read("v1", "../contracts", join(clone, "app", "contracts"))).toHaveLength(1);
    expect(await read("v1", ".", join(clone, "app", "contracts"))).toHaveLength(1);
  });

  test("must have the name of their type", async () => {
    await expect(read("v2")).rejects.toMatchObject(
      failure({
        exitCode: 4,
        code: "DOCUMENT_INVALID",
        message: expect.stringContaining("name it other.name.json"),
      }),
    );
  });

  test("are missed with what to do about it", async () => {
    await expect(read("v1", "elsewhere")).rejects.toMatchObject(
      failure({ exitCode: 3, code: "NO_DOCUMENTS", message: expect.stringContaining("v1:elsewhere") }),
    );
    await expect(read("v1", "../../outside")).rejects.toMatchObject(failure({ exitCode: 2 }));
  });
});

describe("a git ref", () => {
  test.for(["--upload-pack=touch", "-v1", ""])("is never taken for an option: %j", async (name) => {
    // An empty name is the working directory itself, which has no documents.
    const cwd = join(root, "empty");
    mkdirSync(cwd, { recursive: true });
    await expect(read(name, "contracts", cwd)).rejects.toMatchObject(
      failure({ exitCode: name === "" ? 3 : 2 }),
    );
  });

  test.for(["v1; touch stolen", "$(touch stolen)", "v1:app", "nope", "v1^{tree}"])(
    "is a commit that is there, and no command: %j",
    async (name) => {
      await expect(read(name)).rejects.toMatchObject(failure({ exitCode: 3, code: "REF_NOT_FOUND" }));
    },
  );

  test("gives way to a directory of its name", async () => {
    mkdirSync(join(clone, "app", "v1"));
    writeFileSync(join(clone, "app", "v1", "e.f.json"), document("e.f"));
    expect((await read("v1")).map((it) => it.type)).toEqual(["e.f"]);
    rmSync(join(clone, "app", "v1"), { recursive: true });
  });

  test("that only the remote has is named as what it is there", async () => {
    const other = join(root, "other");
    git(root, "clone", "-q", clone, other);
    git(other, "checkout", "-q", "--detach");
    git(other, "branch", "-q", "-D", "main");
    await expect(read("main", "app/contracts", other)).rejects.toMatchObject(
      failure({ hint: "origin/main is there: use that." }),
    );
  });

  test("that a shallow clone does not have is told with how to get it", async () => {
    const shallow = join(root, "shallow");
    git(root, "clone", "-q", "--depth", "1", "--no-tags", `file://${clone}`, shallow);
    await expect(read("v1", "app/contracts", shallow)).rejects.toMatchObject(
      failure({ exitCode: 3, hint: expect.stringContaining("fetch-depth: 0") }),
    );
  });

  test("needs a repository, and git", async () => {
    await expect(read("v1", "contracts", root)).rejects.toMatchObject(
      failure({ exitCode: 2, message: expect.stringContaining("not in a git repository") }),
    );
    const without = { cwd: clone, env: { PATH: join(root, "empty") } };
    await expect(readDocuments({ name: "v1", contracts: "contracts" }, without)).rejects.toMatchObject(
      failure({ exitCode: 2, message: expect.stringContaining("git is not installed") }),
    );
  });
});
