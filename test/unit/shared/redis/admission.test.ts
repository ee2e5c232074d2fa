/** What the admission script is told and what it says, without Redis. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AdmissionRequest, answerOf, argumentsOf } from "#shared/redis/admission";
import { roomyTerms } from "#test/support/add-job";

const call = { prefix: "p", revision: 7, isAtomic: false };

const anyTerms = fc.record({
  queue: fc.constantFrom("shop", "mail"),
  place: fc.option(fc.constantFrom("shop.r1", "shop.r2")),
  priority: fc.nat(4),
  depthMax: fc.nat(100),
  tenant: fc.constantFrom("acme", "other"),
  tenantMax: fc.nat(100),
});
const anyKinds = fc.array(anyTerms, { minLength: 1, maxLength: 5 });
const anyJobs = fc.array(
  fc.record({
    kind: fc.nat(4),
    name: fc.constantFrom("receipt.render", "mail.send"),
    delayMs: fc.nat(1_000),
    records: fc.subarray(["key:a", "id:b"]),
    dedup: fc.constantFrom("", "d"),
  }),
  { minLength: 1, maxLength: 20 },
);

type Told = Record<string, unknown>;

/** Reads the arguments as the script does. */
function readBack(args: readonly string[]): { head: readonly string[]; queues: Told[]; jobs: Told[] } {
  let at = 4;
  const take = () => args[at++] ?? "";
  const queues = Array.from({ length: Number(take()) }, () => {
    const [queue, scheduledMax, lanes] = [take(), Number(take()), Number(take())];
    return { queue, scheduledMax, lanes: Array.from({ length: lanes }, take) };
  });
  const terms = Array.from({ length: Number(take()) }, () => ({
    queue: queues[Number(take()) - 1]?.queue,
    place: take() || null,
    name: take(),
    priority: Number(take()),
    depthMax: Number(take()),
    tenant: take(),
    tenantMax: Number(take()),
  }));
  const jobs: Told[] = [];
  while (at < args.length) {
    jobs.push({
      ...terms[Number(take()) - 1],
      jobId: take(),
      acceptedAtMs: Number(take()),
      delayMs: Number(take()),
      records: [take(), take()].filter(Boolean),
      fingerprint: take(),
      dedup: take(),
      dataText: take(),
    });
  }
  return { head: args.slice(0, 4), queues, jobs };
}

describe("what the script is told", () => {
  test("is every job with the terms it asked under, in order", () => {
    fc.assert(
      fc.property(anyKinds, anyJobs, (kinds, asked) => {
        const terms = kinds.map((kind) => roomyTerms("shop.r1", { ...kind, lanes: [`${kind.queue}.r1`] }));
        const jobs = asked.map(
          ({ kind, ...it }, n): AdmissionRequest => ({
            ...it,
            terms: terms[kind % terms.length] ?? roomyTerms("shop.r1"),
            jobId: `shop~${n}`,
            acceptedAtMs: 1_000 + n,
            dataText: `{"n":${n}}`,
            revision: 7,
            fingerprint: "-",
          }),
        );
        const told = readBack(argumentsOf(jobs, call));
        const wanted = jobs.map(({ terms: of, revision: _revision, ...job }) => {
          const { lanes: _lanes, scheduledMax: _scheduledMax, ...rest } = of;
          return { ...rest, ...job };
        });
        expect(told.jobs).toEqual(wanted);
        expect(new Set(told.queues.map((it) => it.queue))).toEqual(new Set(jobs.map((it) => it.terms.queue)));
      }),
    );
  });

  test("begins with the prefix, the revision, 24 hours, and whether it is all or none", () => {
    const jobs = [{ ...base(), terms: roomyTerms("shop.r1") }];
    expect(readBack(argumentsOf(jobs, call)).head).toEqual(["p", "7", "86400000", ""]);
    const atomic = argumentsOf(jobs, { prefix: "p", revision: null, isAtomic: true });
    expect(readBack(atomic).head).toEqual(["p", "", "86400000", "1"]);
  });

  test("names shared terms once", () => {
    const terms = roomyTerms("shop.r1");
    const jobs = Array.from({ length: 100 }, () => ({ ...base(), terms }));
    // 4 of the call, 1 + 4 of the queue with its lane, 1 + 7 of the terms, 9 a job.
    expect(argumentsOf(jobs, call)).toHaveLength(4 + 5 + 8 + 100 * 9);
  });
});

describe("what the script says", () => {
  test.each([
    ["c", { kind: "created" }],
    ["rshop~1", { kind: "replayed", jobId: "shop~1" }],
    ["dshop~1", { kind: "deduplicated", jobId: "shop~1" }],
    ["x", { kind: "conflict" }],
    ["u", { kind: "unroutable" }],
    ["a", { kind: "aborted" }],
    ["b", { kind: "refused", reason: "backlog" }],
    ["s", { kind: "refused", reason: "scheduled" }],
    ["t", { kind: "refused", reason: "tenant" }],
    ["m", { kind: "refused", reason: "memory" }],
  ])("as %s is an outcome", (said, outcome) => {
    expect(answerOf([said], 1)).toEqual({ outcomes: [outcome], queues: [] });
  });

  test("is one outcome a job, and then what was seen of each queue", () => {
    expect(answerOf(["c", "b", "shop", 5, 12, "mail", "0", "3"], 2)).toEqual({
      outcomes: [{ kind: "created" }, { kind: "refused", reason: "backlog" }],
      queues: [
        { queue: "shop", depth: 5, admitted: 12 },
        { queue: "mail", depth: 0, admitted: 3 },
      ],
    });
  });

  test("is stale for every job at once", () => {
    expect(answerOf(["stale"], 3)).toEqual({
      outcomes: [{ kind: "stale" }, { kind: "stale" }, { kind: "stale" }],
      queues: [],
    });
  });
});

function base() {
  return {
    jobId: "shop~1",
    name: "receipt.render",
    dataText: "{}",
    acceptedAtMs: 1,
    delayMs: 0,
    revision: 7,
    records: [],
    fingerprint: "-",
    dedup: "",
  };
}
