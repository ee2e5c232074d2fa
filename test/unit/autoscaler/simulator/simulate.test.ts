/** What happens to a few jobs, told by hand; and to very many, told by queueing theory. */
import { describe, expect, test } from "vitest";
import { randomFrom } from "#autoscaler/simulator/random";
import { simulate } from "#autoscaler/simulator/simulate";
import { fleet, policy, simulation, workload } from "./simulation-builder.ts";

const always = (workers: number) => policy(() => workers);

describe("a simulated pool", () => {
  test("takes jobs in their order, one for each free slot", () => {
    const jobs = workload([
      [0, 10],
      [1, 10],
      [2, 10],
    ]);
    const two = simulate(
      simulation({ workload: jobs, policy: always(2), fleet: fleet({ workersInitially: 2 }) }),
    );
    // The first two at once; the third when the first ends, at 10 s, 8 s after it came.
    expect([...two.pickupMs]).toEqual([0, 0, 8_000]);
    const wide = {
      workload: jobs,
      policy: always(1),
      fleet: fleet({ workersInitially: 1, slotsPerWorker: 2 }),
    };
    expect([...simulate(simulation(wide)).pickupMs]).toEqual([0, 0, 8_000]);
  });

  test("waits a start delay for a worker, from the look at which it was wanted", () => {
    const { pickupMs } = simulate(simulation({ fleet: fleet({ startDelayMs: 15_000 }) }));
    // The phase of the first look is drawn from the first 5 s.
    expect(pickupMs[0]).toBeGreaterThan(15_000);
    expect(pickupMs[0]).toBeLessThan(20_000);
  });

  test("looks early when a job comes that nobody takes and the policy asks for it", () => {
    const wakes = policy(() => 1, { wakes: ({ readyWorkers }) => readyWorkers === 0 });
    const { pickupMs } = simulate(simulation({ policy: wakes, fleet: fleet({ startDelayMs: 2_000 }) }));
    expect(pickupMs[0]).toBe(2_000);
  });

  test("pays from the start of a worker to its exit, and for the work left over at the end", () => {
    const constant = { policy: always(2), fleet: fleet({ workersInitially: 2 }) };
    const idle = simulate(simulation({ ...constant, workload: workload([[0, 1]], 600) }));
    expect(idle.paidWorkerMs).toBe(2 * 600_000);
    // Two jobs of 100 s come 10 s before the end: 90 s of each are owed.
    const late = workload(
      [
        [590, 100],
        [590, 100],
      ],
      600,
    );
    expect(simulate(simulation({ ...constant, workload: late })).paidWorkerMs).toBe(2 * 600_000 + 2 * 90_000);
  });

  test("lets a busy worker finish what it has before it leaves, and takes it back before it starts another", () => {
    // Wanted: 2, from 20 s on 1, from 40 s on 2 again. Both run for 100 s, so one drains and is taken back.
    const jobs = workload([
      [0, 100],
      [0, 100],
      [60, 10],
    ]);
    const wanted = policy(({ nowMs }) => (nowMs > 20_000 && nowMs < 40_000 ? 1 : 2));
    const outcome = simulate(
      simulation({ workload: jobs, policy: wanted, fleet: fleet({ workersInitially: 2 }) }),
    );
    expect(outcome).toMatchObject({ workersStarted: 2, killedJobs: 0, workersPeak: 2 });
    expect([...outcome.starts]).toEqual([1, 1, 1]);
  });

  test("kills what a victim still runs after its grace, and runs it again when its lease is over", () => {
    const jobs = workload([[0, 100]], 600);
    // Wanted: none from 20 s to 40 s on, then one.
    const wanted = policy(({ nowMs }) => (nowMs > 20_000 && nowMs < 40_000 ? 0 : 1), {
      scaleIn: "kill-random",
      victimGraceMs: 30_000,
    });
    const outcome = simulate(
      simulation({
        workload: jobs,
        policy: wanted,
        fleet: fleet({ workersInitially: 1, startDelayMs: 1_000 }),
      }),
    );
    expect(outcome.killedJobs).toBe(1);
    expect([...outcome.starts]).toEqual([2]);
    expect([...outcome.settled]).toEqual([1]);
    // Told to go at a look between 20 s and 25 s, killed 30 s later.
    expect(outcome.wastedMs).toBeGreaterThanOrEqual(50_000);
    expect(outcome.wastedMs).toBeLessThanOrEqual(55_000);
  });

  test("reaches a worker that is to drain with its next heartbeat, and until then it takes jobs", () => {
    // Wanted: 2, from 20 s on 1. The order takes up to 20 s; a job that comes 1 s after the look may still be taken.
    const jobs = workload(Array.from({ length: 40 }, (_, second) => [20 + second / 2, 1]));
    const wanted = policy(({ nowMs }) => (nowMs > 20_000 ? 1 : 2));
    const slow = { workload: jobs, policy: wanted };
    const at = (orderDelayMsMax: number) =>
      simulate(simulation({ ...slow, fleet: fleet({ workersInitially: 2, orderDelayMsMax }) }));
    expect(at(20_000).paidWorkerMs).toBeGreaterThan(at(0).paidWorkerMs);
  });

  test("counts starts that fail, and goes on trying", () => {
    const outcome = simulate(simulation({ fleet: fleet({ startDelayMs: 1_000, startFailureShare: 0.9 }) }));
    expect(outcome.workersStarted).toBeGreaterThan(1);
    expect([...outcome.settled]).toEqual([1]);
  });
});

describe("many jobs with exponential gaps and durations", () => {
  const [workers, loadSlots, horizonSec] = [10, 8, 7_200];

  /** Share of jobs that wait, and that wait for longer than a mean duration of 1 s. */
  function waits(seed: number): readonly [number, number] {
    const random = randomFrom(seed, "M/M/c");
    const jobs: [number, number][] = [];
    for (
      let atSec = random.exponential() / loadSlots;
      atSec < horizonSec;
      atSec += random.exponential() / loadSlots
    ) {
      jobs.push([atSec, random.exponential()]);
    }
    const { pickupMs } = simulate(
      simulation({
        seed,
        workload: workload(jobs, horizonSec),
        policy: always(workers),
        fleet: fleet({ workersInitially: workers }),
      }),
    );
    const longer = (ms: number) => pickupMs.filter((it) => it > ms).length / pickupMs.length;
    return [longer(0), longer(1_000)];
  }

  /** Erlang's C: B(0) = 1, B(k) = R B(k-1) / (k + R B(k-1)), C = B / (1 - rho (1 - B)). */
  function erlangC(): number {
    let blocked = 1;
    for (let k = 1; k <= workers; k += 1) blocked = (loadSlots * blocked) / (k + loadSlots * blocked);
    return blocked / (1 - (loadSlots / workers) * (1 - blocked));
  }

  test("wait as often and as long as Erlang's C says", () => {
    const seeds = Array.from({ length: 12 }, (_, at) => waits(at + 1));
    // P(wait > t) = C exp(-(n - R) t / s); with n - R = 2 and t = s: C / e^2.
    const theory = [erlangC(), erlangC() * Math.exp(-(workers - loadSlots))];
    for (const [at, expected] of theory.entries()) {
      const shares = seeds.map((it) => it[at] as number);
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
      const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1);
      // Student's t with 11 degrees of freedom, 99.9 %: 4.44.
      expect(Math.abs(mean - expected)).toBeLessThan(4.44 * Math.sqrt(variance / shares.length));
    }
    expect(theory[0]).toBeCloseTo(0.409, 3);
  });
});
