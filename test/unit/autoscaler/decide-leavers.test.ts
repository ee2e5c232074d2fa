import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideLeavers, type FleetWorker } from "#autoscaler/scaling/decide-leavers";

/** An idle, healthy worker. */
function worker(workerId: string, changes: Partial<FleetWorker> = {}): FleetWorker {
  return { workerId, state: "ok", busy: 0, startedAtMs: 1_000, drained: false, ...changes };
}

const nothing = { kind: "stay", start: 0, drain: [], undrain: [], stop: [], forget: [] };

describe("decideLeavers", () => {
  test("changes nothing when the number is right", () => {
    expect(decideLeavers({ desired: 2, workers: [worker("a"), worker("b")] })).toEqual(nothing);
  });

  test("starts what is missing", () => {
    const plan = decideLeavers({ desired: 3, workers: [worker("a")] });
    expect(plan).toEqual({ ...nothing, kind: "scale-out", start: 2 });
  });

  test("counts a starting worker as present", () => {
    expect(decideLeavers({ desired: 1, workers: [worker("a", { state: "starting" })] })).toEqual(nothing);
  });

  test("takes draining workers back before it starts any, the longest running first", () => {
    const plan = decideLeavers({
      desired: 2,
      workers: [
        worker("young", { state: "draining", busy: 1, startedAtMs: 3_000 }),
        worker("old", { state: "draining", busy: 1, startedAtMs: 1_000 }),
        worker("middle", { state: "draining", busy: 1, startedAtMs: 2_000 }),
      ],
    });
    expect(plan).toEqual({ ...nothing, kind: "scale-out", undrain: ["old", "middle"] });
  });

  test("takes back a drained worker rather than stop it and start another", () => {
    const plan = decideLeavers({ desired: 1, workers: [worker("a", { state: "draining", drained: true })] });
    expect(plan).toMatchObject({ undrain: ["a"], stop: [], start: 0 });
  });

  test("drains idle workers first, then the most recently started", () => {
    const plan = decideLeavers({
      desired: 1,
      workers: [
        worker("busy-new", { busy: 1, startedAtMs: 4_000 }),
        worker("idle-old", { startedAtMs: 1_000 }),
        worker("idle-new", { startedAtMs: 3_000 }),
        worker("busy-old", { busy: 2, startedAtMs: 1_000 }),
      ],
    });
    expect(plan).toEqual({ ...nothing, kind: "scale-in", drain: ["idle-new", "idle-old", "busy-new"] });
  });

  test("stops a draining worker only when it says it is drained and holds no job", () => {
    const plan = decideLeavers({
      desired: 0,
      workers: [
        worker("done", { state: "draining", drained: true }),
        worker("between-jobs", { state: "draining" }),
        worker("contradicting", { state: "draining", drained: true, busy: 1 }),
        worker("not-told-to-leave", { drained: true }),
      ],
    });
    expect(plan.stop).toEqual(["done"]);
    expect(plan.drain).toEqual(["not-told-to-leave"]);
  });

  test("does not replace a suspect worker", () => {
    const workers = [worker("a"), worker("b", { state: "suspect" })];
    expect(decideLeavers({ desired: 2, workers })).toEqual(nothing);
  });

  test("lets no healthy worker leave on account of a suspect one", () => {
    // Two workers too many, but three of the five may be dead: the two healthy ones stay.
    const suspects = ["c", "d", "e"].map((id) => worker(id, { state: "suspect" }));
    expect(decideLeavers({ desired: 3, workers: [worker("a"), worker("b"), ...suspects] })).toEqual(nothing);
  });

  test("replaces a dead worker and strikes it off", () => {
    const plan = decideLeavers({
      desired: 2,
      workers: [worker("a"), worker("b", { state: "dead", busy: 3 })],
    });
    expect(plan).toEqual({ ...nothing, kind: "scale-out", start: 1, forget: ["b"] });
  });

  describe("for any fleet", () => {
    const anyFleet = fc
      .array(
        fc.record({
          state: fc.constantFrom("starting", "ok", "suspect", "dead", "draining"),
          busy: fc.nat(3),
          startedAtMs: fc.nat(5),
          drained: fc.boolean(),
        }),
        { maxLength: 20 },
      )
      .map((workers): FleetWorker[] => workers.map((any, index) => ({ ...any, workerId: `w${index}` })));
    const anyDesired = fc.nat(25);
    const inState = (workers: FleetWorker[], ...states: string[]) =>
      workers.filter(({ state }) => states.includes(state)).length;
    const find = (workers: FleetWorker[], id: string) => workers.find(({ workerId }) => workerId === id);

    test("what is there, taken back and started makes up the number and no more", () => {
      fc.assert(
        fc.property(anyDesired, anyFleet, (desired, workers) => {
          const plan = decideLeavers({ desired, workers });
          const present = inState(workers, "starting", "ok", "suspect");
          expect(present + plan.undrain.length + plan.start).toBe(Math.max(desired, present));
        }),
      );
    });

    test("nothing is started while a worker still drains", () => {
      fc.assert(
        fc.property(anyDesired, anyFleet, (desired, workers) => {
          const plan = decideLeavers({ desired, workers });
          if (plan.start > 0) expect(plan.undrain).toHaveLength(inState(workers, "draining"));
        }),
      );
    });

    test("as many healthy workers as are wanted stay", () => {
      fc.assert(
        fc.property(anyDesired, anyFleet, (desired, workers) => {
          const { drain } = decideLeavers({ desired, workers });
          const healthy = inState(workers, "starting", "ok");
          expect(healthy - drain.length).toBe(Math.min(healthy, desired));
        }),
      );
    });

    test("no busy worker drains while an idle one stays, and none is stopped", () => {
      fc.assert(
        fc.property(anyDesired, anyFleet, (desired, workers) => {
          const { drain, stop } = decideLeavers({ desired, workers });
          const staying = workers.filter(
            ({ workerId, state }) => (state === "ok" || state === "starting") && !drain.includes(workerId),
          );
          const drainsBusy = drain.some((id) => (find(workers, id)?.busy ?? 0) > 0);
          if (drainsBusy) expect(staying.every(({ busy }) => busy > 0)).toBe(true);
          expect(stop.every((id) => find(workers, id)?.busy === 0)).toBe(true);
        }),
      );
    });

    test("no worker gets two orders, and the order of the list does not matter", () => {
      fc.assert(
        fc.property(anyDesired, anyFleet, (desired, workers) => {
          const plan = decideLeavers({ desired, workers });
          const named = [...plan.drain, ...plan.undrain, ...plan.stop, ...plan.forget];
          expect(new Set(named).size).toBe(named.length);
          const again = decideLeavers({ desired, workers: workers.toReversed() });
          expect({ ...again, stop: again.stop.toSorted(), forget: again.forget.toSorted() }).toEqual({
            ...plan,
            stop: plan.stop.toSorted(),
            forget: plan.forget.toSorted(),
          });
        }),
      );
    });
  });
});
