/** Golden samples on a real Redis: what was kept first stays. */
import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { SampleStore, sampleName } from "#shared/redis/sample-store";
import { redisTest } from "#test/support/redis-test";

const first = [{ orderId: "o-1" }, { orderId: "\u2028 ü", nested: { list: [1, null, true] } }];

describe("the samples of a version", () => {
  redisTest("are those that were kept first, whatever comes later", async ({ redis, prefix }) => {
    const store = new SampleStore(redis, keysOf(prefix));
    const [one, two] = [sampleName("receipt.render", 1), sampleName("receipt.render", 2)];
    await store.keep(new Map([[one, first]]));
    await store.keep(
      new Map([
        [one, [{ orderId: "changed" }]],
        [two, []],
      ]),
    );
    expect(await store.all()).toEqual(
      new Map<string, unknown>([
        [one, first],
        [two, []],
      ]),
    );
  });

  redisTest("are those of one writer when many keep theirs at once", async ({ redis, prefix }) => {
    const name = sampleName("receipt.render", 1);
    const stores = Array.from({ length: 10 }, () => new SampleStore(redis, keysOf(prefix)));
    await Promise.all(stores.map((store, n) => store.keep(new Map([[name, [{ n }, { n }]]]))));
    const kept = (await stores[0]?.all())?.get(name) as readonly { readonly n: number }[];
    expect(kept).toHaveLength(2);
    expect(kept[0]?.n).toBe(kept[1]?.n);
  });

  redisTest("are none before any were kept, and keeping none is nothing", async ({ redis, prefix }) => {
    const store = new SampleStore(redis, keysOf(prefix));
    await store.keep(new Map());
    expect(await store.all()).toEqual(new Map());
  });

  redisTest("are not said to be kept when Redis refuses them", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.set(keys.samples, "no hash");
    const store = new SampleStore(redis, keys);
    await expect(store.keep(new Map([[sampleName("a.b", 1), first]]))).rejects.toThrow(/WRONGTYPE/);
  });

  redisTest("lie apart from the registry and from other prefixes", async ({ redis, prefix }) => {
    await new SampleStore(redis, keysOf(prefix)).keep(new Map([[sampleName("a.b", 1), first]]));
    expect(await redis.keys(`${prefix}*`)).toEqual([keysOf(prefix).samples]);
    expect(await new SampleStore(redis, keysOf(`${prefix}-other`)).all()).toEqual(new Map());
  });
});
