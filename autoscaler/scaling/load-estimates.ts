/**
 * Arrival rates by lane, service times by type and waits by queue, followed from counters that only rise.
 *
 * Holds state between looks and decides nothing: the arithmetic is in estimate-*.ts. A lane's service
 * time is that of its types weighted by their arrivals, so that a lane of long jobs is not sized by the
 * queue's mean.
 */
import { parseArrivalCounterName } from "#shared/lane";
import { type ArrivalRateEstimate, estimateArrivalRate } from "./estimate-arrival-rate.ts";
import { estimateServiceTime, type ServiceTimeEstimate } from "./estimate-service-time.ts";
import type { SpreadEstimate } from "./estimate-spread.ts";
import { type RunHistogram, RunHistory } from "./run-history.ts";

type Counters = ReadonlyMap<string, number>;

/** One tick: an arrival rate of less than that says little. */
const FOLLOWED_MS_MIN = 5_000;

/** Load of a type that has stopped coming fades for hours; this little is none. */
const IDLE_SLOTS = 0.05;

interface QueueLoad {
  readonly firstReadAtMs: number;
  readAtMs: number;
  arrivals: Counters;
  service: Counters;
  readonly rates: Map<string, ArrivalRateEstimate>;
  readonly times: Map<string, ServiceTimeEstimate>;
  readonly runs: RunHistory;
}

/** How a queue's jobs waited and ran in the last ten minutes; `null` for what none did in them. */
export interface QueueSpread {
  /** From due to taken. */
  readonly pickup: SpreadEstimate | null;
  /** From taken to settled. */
  readonly run: SpreadEstimate | null;
}

export interface CounterReading {
  /** When the counters were read, in milliseconds of any one clock. */
  readonly readAtMs: number;
  /** Jobs accepted, by `<type>|r<k>`. */
  readonly arrivals: Counters;
  /** What the fleet has run, by the names in `shared/run-counters.ts`. */
  readonly service: Counters;
}

export class LoadEstimates {
  readonly #queues = new Map<string, QueueLoad>();

  /** Takes in one reading of a queue's counters. The first only sets the base. */
  read(queue: string, reading: CounterReading): void {
    const load = this.#queues.get(queue);
    if (load === undefined) {
      const times = firstTimes(reading.service);
      const runs = new RunHistory();
      runs.read(reading.service, reading.readAtMs);
      this.#queues.set(queue, { ...reading, firstReadAtMs: reading.readAtMs, rates: new Map(), times, runs });
      return;
    }
    const elapsedMs = reading.readAtMs - load.readAtMs;
    if (elapsedMs <= 0) return;
    for (const [counter, jobs] of reading.arrivals) {
      const arrivals = jobs - (load.arrivals.get(counter) ?? 0);
      const rate = estimateArrivalRate(load.rates.get(counter) ?? null, { arrivals, elapsedMs });
      if (rate !== null) load.rates.set(counter, rate);
    }
    for (const type of typesOf(reading.service)) followTime(load, reading.service, type);
    load.runs.read(reading.service, reading.readAtMs);
    load.readAtMs = reading.readAtMs;
    load.arrivals = reading.arrivals;
    load.service = reading.service;
  }

  /** Jobs accepted per second into the lane, `null` while not known. */
  arrivalRatePerSec(queue: string, generation: number): number | null {
    const rates = this.#ratesOf(queue, generation);
    return rates.length === 0 ? null : rates.reduce((total, { perSec }) => total + perSec, 0);
  }

  /** Jobs accepted into the lane, ever rising; `null` for a queue that was not read. */
  arrivedTotal(queue: string, generation: number): number | null {
    const load = this.#queues.get(queue);
    if (load === undefined) return null;
    let total = 0;
    for (const [counter, jobs] of load.arrivals) {
      if (parseArrivalCounterName(counter)?.generation === generation) total += jobs;
    }
    return total;
  }

  /** Mean slot time of a job of the lane, in milliseconds, `null` while not known. */
  serviceTimeMs(queue: string, generation: number): number | null {
    const times = this.#queues.get(queue)?.times ?? new Map<string, ServiceTimeEstimate>();
    const known = this.#ratesOf(queue, generation).flatMap(({ type, perSec }) => {
      const timeMs = times.get(type)?.serviceTimeMs;
      return timeMs === undefined ? [] : [{ perSec, timeMs }];
    });
    const arriving = known.reduce((total, { perSec }) => total + perSec, 0);
    if (arriving > 0)
      return known.reduce((total, { perSec, timeMs }) => total + perSec * timeMs, 0) / arriving;
    const all = [...times.values()];
    return all.length === 0 ? null : all.reduce((total, it) => total + it.serviceTimeMs, 0) / all.length;
  }

  /** Jobs started whose wait is known, ever rising; `null` for a queue that was not read. */
  started(queue: string): number | null {
    return this.#queues.get(queue)?.runs.started ?? null;
  }

  /** Those of them that waited longer than `promiseMs`. Ever rising; where buckets do not tell, more rather than fewer. */
  late(queue: string, promiseMs: number): number | null {
    return this.#queues.get(queue)?.runs.late(promiseMs) ?? null;
  }

  /** How jobs waited and ran lately. */
  spread(queue: string): QueueSpread {
    const runs = this.#queues.get(queue)?.runs;
    return { pickup: runs?.lately("pickup") ?? null, run: runs?.lately("run") ?? null };
  }

  /** Everything that was counted of waits and runs, by queue and type. */
  histograms(): readonly (RunHistogram & { readonly queue: string })[] {
    return [...this.#queues].flatMap(([queue, { runs }]) =>
      runs.histograms().map((it) => ({ queue, ...it })),
    );
  }

  /**
   * Slots that the type's jobs keep busy, all lanes together: arrivals a second times slot seconds. None
   * once it has faded to a twentieth of a slot. `null` until arrivals were followed for long
   * enough, or while jobs arrive and none has finished yet.
   */
  loadSlots(queue: string, type: string): number | null {
    const load = this.#queues.get(queue);
    if (load === undefined || load.readAtMs - load.firstReadAtMs < FOLLOWED_MS_MIN) return null;
    const perSec = [...load.rates]
      .filter(([counter]) => parseArrivalCounterName(counter)?.type === type)
      .reduce((total, [, rate]) => total + rate.arrivalRatePerSec, 0);
    if (perSec === 0) return 0;
    const timeMs = load.times.get(type)?.serviceTimeMs;
    if (timeMs === undefined) return null;
    const slots = (perSec * timeMs) / 1_000;
    return slots < IDLE_SLOTS ? 0 : slots;
  }

  #ratesOf(queue: string, generation: number): { readonly type: string; readonly perSec: number }[] {
    return [...(this.#queues.get(queue)?.rates ?? [])].flatMap(([counter, estimate]) => {
      const name = parseArrivalCounterName(counter);
      if (name === null || name.generation !== generation) return [];
      return [{ type: name.type, perSec: estimate.arrivalRatePerSec }];
    });
  }
}

/** What was measured before this process started counts as one sample. */
function firstTimes(service: Counters): Map<string, ServiceTimeEstimate> {
  const times = new Map<string, ServiceTimeEstimate>();
  for (const type of typesOf(service)) {
    const time = estimateServiceTime(null, sampleOf(service, new Map(), type));
    if (time !== null) times.set(type, time);
  }
  return times;
}

function followTime(load: QueueLoad, service: Counters, type: string): void {
  const time = estimateServiceTime(load.times.get(type) ?? null, sampleOf(service, load.service, type));
  if (time !== null) load.times.set(type, time);
}

function sampleOf(now: Counters, before: Counters, type: string) {
  const difference = (counter: string) => (now.get(counter) ?? 0) - (before.get(counter) ?? 0);
  return { finished: difference(`${type}|finished`), busyMs: difference(`${type}|busyms`) };
}

function typesOf(service: Counters): string[] {
  return [...service.keys()].flatMap((name) => (name.endsWith("|finished") ? [name.slice(0, -9)] : []));
}
