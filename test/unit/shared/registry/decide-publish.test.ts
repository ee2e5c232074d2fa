import { describe, expect, test } from "vitest";
import { decidePublish, retire, retireLane } from "#shared/registry/decide-publish";
import { EMPTY_REGISTRY, registryDocument } from "#shared/registry/registry-document";
import {
  generationOn,
  PUBLICATION,
  PUBLISHED_AT,
  problemsOf,
  published,
  publishedOn,
  releaseOf,
  typeOf,
  without,
} from "./registry-builder.ts";

const receipt1 = typeOf("receipt.render", [[1, 1]]);
const additive = typeOf("receipt.render", [
  [1, 1],
  [2, 1],
]);
const breaking = typeOf("receipt.render", [
  [1, 1],
  [2, 2],
]);
const breaking3 = typeOf("receipt.render", [
  [1, 1],
  [2, 2],
  [3, 3],
]);
const csv = typeOf("csv.summarise", [[1, 1]]);

const v1 = releaseOf("v1", receipt1);

describe("the first release", () => {
  test("opens generation 1 of its queue and is live", () => {
    expect(decidePublish(EMPTY_REGISTRY, v1, PUBLICATION)).toEqual({
      kind: "published",
      document: {
        revision: 1,
        types: {
          "receipt.render": {
            queue: "shop",
            policy: receipt1.policy,
            versions: receipt1.versions,
            activeVersion: 1,
            drafts: [],
            superseded: {},
            events: [
              { ...PUBLICATION, change: "published", version: 1, why: "release v1" },
              { ...PUBLICATION, change: "gate-raised", version: 1, why: "the first release of the type" },
            ],
          },
        },
        queues: { shop: { app: "shop", generations: [{ generation: 1, reads: ["receipt.render@1"] }] } },
        releases: {
          v1: {
            app: "shop",
            publishedAt: PUBLISHED_AT,
            order: 1,
            state: "live",
            queues: { shop: { generation: 1, reads: ["receipt.render@1"] } },
          },
        },
      },
    });
  });

  test("gets a generation on each queue that its types name", () => {
    const mail = typeOf("mail.send", [[1, 1]], "mail");
    const document = published(releaseOf("v1", receipt1, mail));
    expect([generationOn(document, "v1"), generationOn(document, "v1", "mail")]).toEqual([1, 1]);
  });
});

describe("a further release", () => {
  test("shares a generation with one that reads the same", () => {
    const document = published(v1, releaseOf("v2", receipt1));
    expect([generationOn(document, "v1"), generationOn(document, "v2")]).toEqual([1, 1]);
    expect(document.queues.shop?.generations).toHaveLength(1);
  });

  test("shares it whatever the order of its types", () => {
    const document = published(releaseOf("v1", receipt1, csv), releaseOf("v2", csv, receipt1));
    expect(generationOn(document, "v2")).toBe(1);
  });

  test("stays in it with an additive version, which every reader of the group reads", () => {
    const document = published(v1, releaseOf("v2", additive));
    expect(generationOn(document, "v2")).toBe(1);
    expect(document.types["receipt.render"]?.versions.map((it) => it.version)).toEqual([1, 2]);
  });

  test.each([
    ["a breaking version", releaseOf("v2", breaking)],
    ["a new type", releaseOf("v2", receipt1, csv)],
    ["another type instead", releaseOf("v2", csv)],
  ])("opens the next with %s", (_what, descriptor) => {
    expect(generationOn(published(v1, descriptor), "v2")).toBe(2);
  });

  test("opens the next when it drops something", () => {
    const document = published(
      releaseOf("v1", breaking),
      releaseOf("v2", typeOf("receipt.render", [[2, 2]])),
    );
    expect(generationOn(document, "v2")).toBe(2);
    expect(document.types["receipt.render"]?.versions.map((it) => it.version)).toEqual([1, 2]);
  });

  test("opens the next only on the queue where it reads something else", () => {
    const mail = typeOf("mail.send", [[1, 1]], "mail");
    const document = published(releaseOf("v1", receipt1, mail), releaseOf("v2", breaking, mail));
    expect([generationOn(document, "v2"), generationOn(document, "v2", "mail")]).toEqual([2, 1]);
  });

  test("goes back to an earlier generation whose set it reads", () => {
    const document = published(v1, releaseOf("v2", breaking), releaseOf("v3", receipt1));
    expect(generationOn(document, "v3")).toBe(1);
  });

  test("has a larger order than all before it, retired ones included", () => {
    const document = publishedOn(
      without(published(v1, releaseOf("v2", breaking)), "v2"),
      releaseOf("v3", breaking),
    );
    expect(Object.values(document.releases).map((it) => it.order)).toEqual([1, 2, 3]);
  });

  test("brings its policy into force", () => {
    const policy = { ...receipt1.policy, attempts: 2 };
    const document = published(v1, releaseOf("v2", { ...receipt1, policy }));
    expect(document.types["receipt.render"]?.policy.attempts).toBe(2);
  });
});

describe("publishing again", () => {
  test("changes nothing when nothing changed, also after Redis has kept it", () => {
    const stored = registryDocument.parse(
      JSON.parse(JSON.stringify(published(v1, releaseOf("v2", breaking)))),
    );
    const later = { at: "2027-01-01T00:00:00.000Z", by: "somebody else" };
    expect(decidePublish(stored, v1, later)).toEqual({ kind: "unchanged" });
    expect(decidePublish(stored, releaseOf("v2", breaking), later)).toEqual({ kind: "unchanged" });
  });

  test("makes a retired release live again, with its order and its generation", () => {
    const both = published(v1, releaseOf("v2", breaking));
    const back = publishedOn(without(both, "v1"), v1);
    expect(back.releases.v1).toEqual(both.releases.v1);
    expect(back.revision).toBe(4);
  });
});

describe("a release is refused", () => {
  const three = published(v1, releaseOf("v2", breaking));

  test("when a third generation of a queue would be live", () => {
    expect(problemsOf(three, releaseOf("v3", breaking3))).toEqual([
      "queue shop would have 3 live reader generations (1, 2, 3); retire the releases of generation 1 first, " +
        "so that every build reads its own lane and the one before",
    ]);
    expect(generationOn(publishedOn(without(three, "v1"), releaseOf("v3", breaking3)), "v3")).toBe(3);
  });

  test("when a retired one came back as the third", () => {
    const later = publishedOn(without(three, "v1"), releaseOf("v3", breaking3));
    expect(problemsOf(later, v1)).toEqual([expect.stringContaining("(1, 2, 3)")]);
  });

  test("naming generations in the order of their numbers", () => {
    const pairs = Array.from({ length: 11 }, (_, index): [number, number] => [index + 1, index + 1]);
    let document = EMPTY_REGISTRY;
    for (let k = 1; k <= 10; k += 1) {
      document = publishedOn(
        without(document, `v${k - 2}`),
        releaseOf(`v${k}`, typeOf("a.b", pairs.slice(0, k))),
      );
    }
    expect(problemsOf(document, releaseOf("v11", typeOf("a.b", pairs)))).toEqual([
      expect.stringMatching(/\(9, 10, 11\); retire the releases of generation 9 first/),
    ]);
  });

  test.each([
    ["schema", { ...receipt1, versions: [{ version: 1, minReaderVersion: 1, schema: { type: "object" } }] }],
    ["minimum reader", typeOf("receipt.render", [[2, 1]])],
  ])("when it publishes a version with another %s", (_what, type) => {
    const document = published(releaseOf("v1", breaking));
    const { version } = type.versions[0] ?? { version: 0 };
    expect(problemsOf(document, releaseOf("v2", type))).toEqual([
      `receipt.render version ${version} is published with another schema or minReaderVersion; ` +
        "a published version never changes: add a version instead",
    ]);
  });

  test("not because the names of a schema come in another order", () => {
    const schema = { properties: { v1: { type: "string" } }, type: "object" };
    const same = { ...receipt1, versions: [{ schema, minReaderVersion: 1, version: 1 }] };
    expect(generationOn(published(v1, releaseOf("v2", same)), "v2")).toBe(1);
  });

  test("because the order of a schema's list is another", () => {
    const withKind = (kinds: string[]) => ({
      ...receipt1,
      versions: [{ version: 1, minReaderVersion: 1, schema: { enum: kinds } }],
    });
    const document = published(releaseOf("v1", withKind(["a", "b"])));
    expect(problemsOf(document, releaseOf("v2", withKind(["b", "a"])))).toHaveLength(1);
  });

  test("when its id belongs to a build that reads other versions", () => {
    expect(problemsOf(published(v1), releaseOf("v1", breaking))).toEqual([
      "the release id v1 was published by a build that reads other versions; give this build an id of its own",
    ]);
    expect(problemsOf(without(published(v1), "v1"), releaseOf("v1", csv))).toHaveLength(1);
  });

  test("when its id belongs to another app", () => {
    const mail = typeOf("mail.send", [[1, 1]], "mail");
    expect(problemsOf(published(v1), { release: "v1", app: "mail", types: [mail] })).toEqual([
      "the release id v1 belongs to the app shop; choose another id",
    ]);
  });

  test("when its queue belongs to another app", () => {
    expect(
      problemsOf(published(v1), { release: "m1", app: "mail", types: [typeOf("mail.send", [[1, 1]])] }),
    ).toEqual(["queue shop belongs to the app shop; choose another queue name"]);
  });

  test("when a type changes its queue", () => {
    const moved = typeOf("receipt.render", [[1, 1]], "receipts");
    expect(problemsOf(published(v1), releaseOf("v2", moved))).toEqual([
      "receipt.render is published on queue shop; a type keeps its queue",
    ]);
  });

  test("with all its problems at once", () => {
    const moved = { ...typeOf("receipt.render", [[1, 1]], "receipts"), versions: breaking.versions.slice(1) };
    const changed = { ...csv, versions: [{ version: 1, minReaderVersion: 1, schema: {} }] };
    const document = published(releaseOf("v1", receipt1, csv));
    expect(problemsOf(document, { release: "v1", app: "shop", types: [moved, changed] })).toEqual([
      expect.stringContaining("a type keeps its queue"),
      expect.stringContaining("csv.summarise version 1 is published with another schema"),
      expect.stringContaining("the release id v1 was published by a build that reads other versions"),
    ]);
  });

  test("not for a name that only JavaScript's own objects have", () => {
    const odd = { release: "constructor", app: "shop", types: [typeOf("a.b", [[1, 1]], "constructor")] };
    const document = publishedOn(published(v1), odd);
    expect(generationOn(document, "constructor", "constructor")).toBe(1);
  });
});

describe("retire", () => {
  test("marks a release and nothing else", () => {
    const document = published(v1);
    expect(retire(document, "v1")).toEqual({
      ...document,
      revision: 2,
      releases: { v1: { ...document.releases.v1, state: "retired" } },
    });
  });

  test("changes nothing when the release is unknown or retired already", () => {
    const document = without(published(v1), "v1");
    expect(retire(document, "v1")).toBe(document);
    expect(retire(document, "v9")).toBe(document);
  });

  test("leaves the document it was given as it was", () => {
    const document = published(v1);
    const before = structuredClone(document);
    retire(document, "v1");
    decidePublish(document, releaseOf("v2", breaking), PUBLICATION);
    expect(document).toEqual(before);
  });
});

describe("retireLane", () => {
  const lane = { queue: "shop", generation: 1, at: "2026-02-01T00:00:00.000Z", by: "autoscaler" };
  const both = published(v1, releaseOf("v2", breaking));
  const risen = without(both, "v1");

  test("marks a lane that is nobody's own, and nothing else", () => {
    const retired = retireLane(risen, lane);
    expect(retired).toEqual({
      ...risen,
      revision: risen.revision + 1,
      queues: {
        shop: {
          app: "shop",
          generations: [
            {
              generation: 1,
              reads: ["receipt.render@1"],
              retired: { at: "2026-02-01T00:00:00.000Z", by: "autoscaler" },
            },
            risen.queues.shop?.generations[1],
          ],
        },
      },
    });
    expect(risen.queues.shop?.generations[0]).toEqual({ generation: 1, reads: ["receipt.render@1"] });
  });

  test.each([
    ["is a live release's own", both, lane],
    ["is retired already", retireLane(risen, lane), { ...lane, at: "2027-01-01T00:00:00.000Z" }],
    ["is not known", risen, { ...lane, generation: 9 }],
    ["is of a queue that is not known", risen, { ...lane, queue: "mail" }],
    ["is of a queue called like something every object has", risen, { ...lane, queue: "constructor" }],
  ])("changes nothing when the lane %s", (_which, document, asked) => {
    expect(retireLane(document, asked)).toBe(document);
  });

  test("ends when a release that has the lane for its own comes back", () => {
    const back = publishedOn(retireLane(risen, lane), v1);
    expect(back.queues).toEqual(both.queues);
    expect(generationOn(back, "v1")).toBe(1);
  });

  test("ends when another build takes the lane for its own", () => {
    const other = publishedOn(retireLane(risen, lane), releaseOf("v1b", receipt1));
    expect(generationOn(other, "v1b")).toBe(1);
    expect(other.queues).toEqual(both.queues);
  });

  test("lasts when a release of another lane is published", () => {
    const retired = retireLane(risen, lane);
    const more = publishedOn(retired, releaseOf("v2b", breaking));
    expect(more.queues).toEqual(retired.queues);
  });
});
