import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ReleaseList, withReleases } from "#autoscaler/releases/release-list";
import { readSluiceConfig } from "#shared/sluice-config";

const WHOLE = { queues: { mail: { pickupPromiseMs: 1_000 } }, pools: { mail: {} } };

let directory = "";
let path = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "release-list-"));
  path = join(directory, "sluice.json");
});

afterEach(() => rm(directory, { recursive: true }));

function write(...releases: readonly string[]): Promise<void> {
  return writeFile(
    path,
    JSON.stringify({ ...WHOLE, releases: releases.map((id) => ({ id, app: "./app.js" })) }),
  );
}

async function aList() {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => lines.push(line) });
  const config = await readSluiceConfig(path);
  const list = new ReleaseList({ config, log });
  return { list, lines, live: withReleases(config, list) };
}

describe("the releases of the configuration", () => {
  test("are those of the file as it is now, wherever the configuration has been handed to", async () => {
    await write("v1");
    const { list, live } = await aList();
    expect(await list.look()).toBe(false);
    await write("v1", "v2-longer");
    expect(await list.look()).toBe(true);
    expect(live.releases.map(({ id }) => id)).toEqual(["v1", "v2-longer"]);
    expect(await list.look()).toBe(false);
  });

  test("are told to have changed by whoever asks that, also when they were read before", async () => {
    await write("v1");
    const { list, live } = await aList();
    await list.look();
    await write("v1", "v2-longer");
    await list.refresh();
    expect(live.releases.map(({ id }) => id)).toEqual(["v1", "v2-longer"]);
    expect([await list.look(), await list.look()]).toEqual([true, false]);
  });

  test("stay as they were while the file is not valid, which is told once", async () => {
    await write("v1");
    const { list, lines, live } = await aList();
    await writeFile(path, "{");
    expect([await list.look(), await list.look()]).toEqual([false, false]);
    await rm(path);
    expect([await list.look(), await list.look()]).toEqual([false, false]);
    expect(live.releases.map(({ id }) => id)).toEqual(["v1"]);
    // Once for the invalid file, once for the missing one.
    expect(lines).toHaveLength(2);
    await write("v1", "v2");
    expect(await list.look()).toBe(true);
  });
});
