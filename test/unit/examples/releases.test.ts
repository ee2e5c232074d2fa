import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { app as shopV1 } from "#examples/shop/releases/shop-v1";
import { app as shopV2 } from "#examples/shop/releases/shop-v2";
import { compileStrictCheck } from "#shared/contracts/strict-check";
import { decidePublish } from "#shared/registry/decide-publish";
import { readSluiceConfig } from "#shared/sluice-config";
import { describeApp } from "#worker/app";

const EXAMPLE = new URL("../../../examples/shop/", import.meta.url);

describe("the releases of the shop", () => {
  it("are described without a problem", () => {
    const described = [describeApp(shopV1, "shop-v1"), describeApp(shopV2, "shop-v2")];
    const carried = described.map(({ types }) =>
      types.map(({ type, queue, versions }) => `${queue}: ${type} to version ${versions.length}`),
    );
    expect(carried).toEqual([
      ["shop: receipt.render to version 1", "shop: csv.summarise to version 1"],
      [
        "shop: receipt.render to version 2",
        "shop: csv.summarise to version 1",
        "media: thumbnail.render to version 1",
      ],
    ]);
  });

  it("publish version 1 of receipt.render with the same schema and the same policy", () => {
    const [first, second] = [describeApp(shopV1, "shop-v1"), describeApp(shopV2, "shop-v2")].map(
      ({ types }) => types.find(({ type }) => type === "receipt.render"),
    );
    expect(second?.versions[0]).toEqual(first?.versions[0]);
    expect(second?.policy).toEqual(first?.policy);
  });

  it("can be published one after the other", () => {
    const empty = { revision: 0, types: {}, queues: {}, releases: {} };
    const by = "ana@ops1";
    const first = decidePublish(empty, describeApp(shopV1, "shop-v1"), { at: "2026-01-01T00:00:00Z", by });
    if (first.kind !== "published") throw new Error(JSON.stringify(first));
    const later = { at: "2026-01-02T00:00:00Z", by };
    const second = decidePublish(first.document, describeApp(shopV2, "shop-v2"), later);
    expect(second.kind).toBe("published");
  });
});

describe("the configurations of the shop", () => {
  it.each([
    ["sluice.config.json", ["shop-v2"]],
    ["sluice.two-releases.config.json", ["shop-v1", "shop-v2"]],
  ])("%s is valid and names the releases that are there", async (file, releases) => {
    const config = await readSluiceConfig(fileURLToPath(new URL(file, EXAMPLE)));
    const built = fileURLToPath(new URL("../../dist/examples/shop/releases/", EXAMPLE));
    expect(config.releases).toEqual(releases.map((id) => ({ id, app: `${built}${id}.js`, command: null })));
    const queues = describeApp(shopV2, "shop-v2").types.map(({ queue }) => queue);
    expect(Object.keys(config.pools)).toEqual([...new Set(queues)]);
  });
});

describe("the README of the shop", () => {
  it("shows one job of each type and version, and the strict check takes them all", async () => {
    const readme = await readFile(new URL("README.md", EXAMPLE), "utf8");
    const shown = [...readme.matchAll(/-d '(\{.*?\})'$/gms)].map(([, body]) => JSON.parse(body ?? ""));
    const versions = describeApp(shopV2, "shop-v2").types.flatMap(({ type, versions: all }) =>
      all.map(({ version, schema }) => ({ type, version, check: compileStrictCheck(schema, "/data") })),
    );
    for (const { type, version, check } of versions) {
      const job = shown.find((it) => it.type === type && it.schemaversion === version);
      expect(check(job?.data), `${type} version ${version}`).toEqual([]);
    }
    expect(shown).toHaveLength(versions.length);
  });
});
