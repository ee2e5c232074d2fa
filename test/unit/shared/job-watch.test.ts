import { describe, expect, test } from "vitest";
import { RedisUnavailableError } from "#shared/errors";
import type { JobState } from "#shared/job-state";
import type { JobView } from "#shared/redis/job-lookup";
import { GLANCE_JOBS_MAX } from "#shared/redis/job-reader";
import { type JobNews, JobWatch, WATCHERS_MAX } from "#shared/redis/job-watch";
import { FakeClock, settled } from "#test/support/fake-clock";

/** Looks are this far apart. */
const LOOK_MS = 150;

/** A reader of jobs that a test keeps; it counts what it is asked. */
class Jobs {
  readonly states = new Map<string, JobState>();
  isAway = false;
  glances: number[] = [];
  finds = 0;

  async glance(jobIds: readonly string[]) {
    this.glances.push(jobIds.length);
    if (this.isAway) throw new RedisUnavailableError();
    return jobIds.map((id) => {
      const state = this.states.get(id);
      return state === undefined ? null : { state, mark: state };
    });
  }

  async find(id: string) {
    this.finds += 1;
    if (this.isAway) throw new RedisUnavailableError();
    const state = this.states.get(id);
    return state === undefined ? null : ({ id, state } as JobView);
  }
}

function started() {
  const clock = new FakeClock();
  const jobs = new Jobs();
  const watch = new JobWatch({ reader: jobs, clock });
  const wait = (id: string, timeoutMs = 60_000) =>
    watch.untilEnded(id, { timeoutMs, signal: new AbortController().signal });
  return { clock, jobs, watch, wait };
}

describe("whoever waits for a job's end", () => {
  test.each(["succeeded", "failed", "quarantined", "cancelled", "expired"] as const)(
    "is told when it has %s, at the next look",
    async (state) => {
      const { clock, jobs, wait, watch } = started();
      jobs.states.set("a", "running");
      const ended = wait("a");
      await clock.advance(LOOK_MS * 3);
      jobs.states.set("a", state);
      await clock.advance(LOOK_MS);
      expect(await ended).toEqual({ id: "a", state });
      expect(watch.size).toBe(0);
      expect(clock.waiting).toBe(0);
    },
  );

  test("is told nothing when the time is up, and its place is free", async () => {
    const { clock, jobs, wait, watch } = started();
    jobs.states.set("a", "waiting");
    const ended = wait("a", 1_000);
    await clock.advance(1_000);
    expect(await ended).toBeNull();
    expect(watch.size).toBe(0);
    await clock.advance(LOOK_MS);
    expect(clock.waiting).toBe(0);
  });

  test("frees its place at once when it goes away", async () => {
    const { jobs, watch } = started();
    jobs.states.set("a", "waiting");
    const client = new AbortController();
    const ended = watch.untilEnded("a", { timeoutMs: 60_000, signal: client.signal });
    expect(watch.size).toBe(1);
    client.abort();
    expect(watch.size).toBe(0);
    expect(await ended).toBeNull();
    expect(await watch.untilEnded("a", { timeoutMs: 60_000, signal: client.signal })).toBeNull();
  });

  test("is told nothing while Redis is away, and the end when it is back", async () => {
    const { clock, jobs, wait } = started();
    jobs.states.set("a", "running");
    jobs.isAway = true;
    const ended = wait("a");
    jobs.states.set("a", "succeeded");
    await clock.advance(LOOK_MS * 10);
    jobs.isAway = false;
    await clock.advance(LOOK_MS);
    expect(await ended).toMatchObject({ state: "succeeded" });
  });

  test("is not told at once that a job is gone which another process may know", async () => {
    const { clock, wait } = started();
    const ended = wait("a");
    let done = false;
    void ended.then(() => {
      done = true;
    });
    await clock.advance(LOOK_MS * 20);
    expect(done).toBe(false);
    await clock.advance(LOOK_MS);
    expect(await ended).toBeNull();
  });

  test("is told nothing more once the watch is stopped", async () => {
    const { clock, jobs, wait, watch } = started();
    jobs.states.set("a", "running");
    const ended = wait("a");
    watch.stop();
    expect(await ended).toBeNull();
    expect(await wait("a")).toBeNull();
    expect(watch.hasRoom).toBe(false);
    await settled();
    expect(clock.waiting).toBe(0);
  });
});

describe("a look", () => {
  test("is one for all who watch, in calls of at most 200, and none while nobody does", async () => {
    const { clock, jobs, wait } = started();
    await clock.advance(10_000);
    expect(jobs.glances).toEqual([]);
    for (let n = 0; n < 450; n += 1) {
      jobs.states.set(`job ${n}`, "waiting");
      void wait(`job ${n}`);
      void wait(`job ${n}`);
    }
    await clock.advance(LOOK_MS);
    expect(jobs.glances).toEqual([GLANCE_JOBS_MAX, GLANCE_JOBS_MAX, 50]);
    // Nobody wants to know anything but the end.
    expect(jobs.finds).toBe(0);
  });

  test("is taken less often when it takes long, but once a second at least", async () => {
    const { clock, jobs, wait } = started();
    jobs.states.set("a", "waiting");
    const glance = jobs.glance.bind(jobs);
    let tookMs = 40;
    jobs.glance = async (ids) => {
      await clock.sleep(tookMs);
      return glance(ids);
    };
    void wait("a");
    // At 150 ms; it takes 40 ms, so the next is 360 ms later.
    await clock.advance(150 + 40 + 359);
    expect(jobs.glances).toHaveLength(1);
    tookMs = 500;
    await clock.advance(1 + 500 + 999);
    expect(jobs.glances).toHaveLength(2);
    await clock.advance(1 + 500);
    expect(jobs.glances).toHaveLength(3);
  });

  test("is taken again after the last one has left and another comes", async () => {
    const { clock, jobs, wait } = started();
    jobs.states.set("a", "succeeded");
    for (const round of [1, 2]) {
      const ended = wait("a");
      await clock.advance(LOOK_MS);
      expect(await ended, `round ${round}`).not.toBeNull();
      await clock.advance(LOOK_MS * 5);
    }
    expect(jobs.glances).toEqual([1, 1]);
  });
});

describe("whoever listens to a job", () => {
  test("hears how it is, then each change once, and reads it in full only then", async () => {
    const { clock, jobs, watch } = started();
    const heard: JobNews[] = [];
    jobs.states.set("a", "waiting");
    const leave = watch.subscribe("a", (news) => heard.push(news));
    for (const state of ["waiting", "waiting", "running", "running", "succeeded", "succeeded"] as const) {
      jobs.states.set("a", state);
      await clock.advance(LOOK_MS);
    }
    expect(heard.map((news) => news.kind === "changed" && news.job.state)).toEqual([
      "waiting",
      "running",
      "succeeded",
    ]);
    expect(jobs.finds).toBe(3);
    leave?.();
    leave?.();
    expect(watch.size).toBe(0);
    jobs.states.set("a", "failed");
    await clock.advance(LOOK_MS);
    expect(heard).toHaveLength(3);
  });

  test("hears of a change that came while Redis was away", async () => {
    const { clock, jobs, watch } = started();
    const heard: JobNews[] = [];
    jobs.states.set("a", "waiting");
    watch.subscribe("a", (news) => heard.push(news));
    await clock.advance(LOOK_MS);
    jobs.isAway = true;
    jobs.states.set("a", "running");
    await clock.advance(LOOK_MS * 4);
    expect(heard).toHaveLength(1);
    jobs.isAway = false;
    await clock.advance(LOOK_MS);
    expect(heard).toHaveLength(2);
  });

  test("hears the present state when it comes after others", async () => {
    const { clock, jobs, watch } = started();
    jobs.states.set("a", "waiting");
    watch.subscribe("a", () => undefined);
    await clock.advance(LOOK_MS);
    const heard: JobNews[] = [];
    watch.subscribe("a", (news) => heard.push(news));
    await clock.advance(LOOK_MS);
    expect(heard).toHaveLength(1);
  });
});

test("no more may wait than there are places, and a place that is left is free", async () => {
  const { watch, wait } = started();
  const leaves = Array.from({ length: WATCHERS_MAX }, (_, n) =>
    watch.subscribe(`job ${n % 7}`, () => undefined),
  );
  expect(watch.hasRoom).toBe(false);
  expect(watch.subscribe("a", () => undefined)).toBeNull();
  expect(await wait("a")).toBeNull();
  leaves[0]?.();
  expect(watch.subscribe("a", () => undefined)).not.toBeNull();
  watch.stop();
});
