/**
 * Judges a demo's ledger: what was accepted, against what the handlers wrote down and what each job came to.
 *
 * Pure. Three sources that do not know of each other are held together: the ids that the API (or Redis, for a
 * handler's children) has answered, the lines that the handlers wrote at each start and end, and the final state of each
 * job. No counter of Sluice's is among them.
 */

export interface AcceptedJob {
  readonly id: string;
  /** What it was made to come to. */
  readonly made: "to-succeed" | "to-fail";
}

/** A line that a handler wrote. */
export interface RunLine {
  readonly event: "start" | "end" | "child";
  readonly jobId: string;
  /** Starts of the job so far, this one included. */
  readonly starts: number;
  readonly release: string;
  /** The version that the data was written as. */
  readonly schemaVersion: number;
  readonly worker: string;
  readonly how?: "done" | "failed" | "aborted" | undefined;
  readonly childId?: string | undefined;
  /** By the worker's clock, in milliseconds since 1970. */
  readonly atMs: number;
}

/** What the API says of a job at the end. */
export interface JobEnd {
  readonly id: string;
  /** `null`: it knows no such job. */
  readonly state: string | null;
  /** Attempts that counted and failed. */
  readonly failures: number;
  /** Starts whose worker was lost. */
  readonly crashes: number;
  /** The newest starts that ended without success, newest last. */
  readonly entries: readonly { readonly release: string; readonly outcome: string; readonly code: string }[];
}

export interface LedgerCount {
  readonly accepted: number;
  readonly succeeded: number;
  /** Ended failed or quarantined, by why. */
  readonly failed: {
    /** Made to fail, and did. */
    readonly asMade: number;
    /** No release could read them. */
    readonly unreadable: number;
    /** By the release that ran them last. */
    readonly byRelease: Readonly<Record<string, number>>;
  };
  /** Neither ended nor lost: still waiting, running, scheduled or parked. */
  readonly unfinished: number;
  /** Accepted, and unknown to the API, or called succeeded although no handler has come to its end. */
  readonly lost: number;
  /** Jobs whose work was done more than once. */
  readonly runTwice: {
    /** A worker was lost, or had to hand the job back, while its handler went on. */
    readonly explained: number;
    readonly unexplained: number;
  };
  /** Attempts that were counted although no handler has failed one. */
  readonly burnt: number;
  /** Starts whose worker was lost. */
  readonly stalls: number;
  /** Handlers' starts and ends by release. */
  readonly releases: Readonly<Record<string, ReleaseRuns>>;
  /** The ids of what should not be, each with a sentence; the first twenty. */
  readonly oddities: readonly { readonly id: string; readonly what: string }[];
}

export interface ReleaseRuns {
  readonly starts: number;
  readonly done: number;
  readonly failed: number;
  readonly aborted: number;
  readonly firstAtMs: number;
  readonly lastEndMs: number | null;
}

const ODDITIES_MAX = 20;

/** Codes of what ends a job because nobody can read it. */
const UNREADABLE = new Set([
  "TOO_NEW",
  "TOO_OLD",
  "FOREIGN",
  "UNKNOWN_CRIT",
  "UPCAST_FAILED",
  "DATA_INVALID",
]);

const JOB_TIMEOUT = "JOB_TIMEOUT";

/** Ways a start ends that leave a handler behind which may still come to its end. */
const GIVEN_UP = new Set(["DRAINING", JOB_TIMEOUT]);

export function decideLedger(ledger: {
  readonly accepted: readonly AcceptedJob[];
  readonly runs: readonly RunLine[];
  readonly ends: readonly JobEnd[];
}): LedgerCount {
  const jobs = withChildren(ledger.accepted, ledger.runs);
  const linesOf = grouped(ledger.runs);
  const endOf = new Map(ledger.ends.map((it) => [it.id, it]));
  const judged = jobs.map((job) => judge(job, linesOf.get(job.id) ?? [], endOf.get(job.id) ?? null));
  const count = (verdict: Verdict) => judged.filter((it) => it.verdict === verdict).length;
  const failures = judged.filter((it) => it.verdict === "failed");
  const byRelease: Record<string, number> = {};
  for (const { lastRelease } of failures) byRelease[lastRelease] = (byRelease[lastRelease] ?? 0) + 1;
  return {
    accepted: jobs.length,
    succeeded: count("succeeded"),
    failed: { asMade: count("failed-as-made"), unreadable: count("unreadable"), byRelease },
    unfinished: count("unfinished"),
    lost: count("lost"),
    runTwice: {
      explained: judged.filter((it) => it.twice === "explained").length,
      unexplained: judged.filter((it) => it.twice === "unexplained").length,
    },
    burnt: judged.reduce((sum, it) => sum + it.burnt, 0),
    stalls: judged.reduce((sum, it) => sum + it.stalls, 0),
    releases: runsByRelease(ledger.runs),
    oddities: judged.flatMap(oddityOf).slice(0, ODDITIES_MAX),
  };
}

/** Whether everything that was accepted came to what it was made for, once, and is accounted for. */
export function isClean({ failed, unfinished, lost, runTwice }: LedgerCount): boolean {
  const wrong = failed.unreadable + Object.values(failed.byRelease).reduce((sum, it) => sum + it, 0);
  return wrong + unfinished + lost + runTwice.unexplained === 0;
}

type Verdict = "succeeded" | "failed-as-made" | "failed" | "unreadable" | "unfinished" | "lost";

interface Judged {
  readonly id: string;
  readonly verdict: Verdict;
  readonly twice: "explained" | "unexplained" | null;
  readonly burnt: number;
  readonly stalls: number;
  readonly lastRelease: string;
  readonly why: string;
}

const NOTHING_KNOWN = { entries: [], failures: 0, crashes: 0 } satisfies Omit<JobEnd, "id" | "state">;

function judge(job: AcceptedJob, lines: readonly RunLine[], end: JobEnd | null): Judged {
  const done = lines.filter((it) => it.event === "end" && it.how === "done").length;
  const failedRuns = lines.filter((it) => it.event === "end" && it.how === "failed").length;
  const { entries, failures: counted, crashes } = end ?? NOTHING_KNOWN;
  const givenUp = crashes > 0 || entries.some((it) => GIVEN_UP.has(it.code));
  const last = entries.at(-1);
  const timeouts = entries.filter((it) => it.code === JOB_TIMEOUT).length;
  return {
    id: job.id,
    verdict: verdictOn(job, { done, end, lastCode: last?.code ?? null }),
    twice: done < 2 ? null : givenUp ? "explained" : "unexplained",
    burnt: Math.max(0, counted - failedRuns - timeouts),
    stalls: crashes,
    lastRelease: last?.release ?? lines.at(-1)?.release ?? "(none)",
    why: `${end?.state ?? "unknown to the API"}${last === undefined ? "" : `, ${last.code} on ${last.release}`}`,
  };
}

function verdictOn(
  { made }: AcceptedJob,
  { done, end, lastCode }: { done: number; end: JobEnd | null; lastCode: string | null },
): Verdict {
  switch (end?.state ?? null) {
    case null:
    case "cancelled":
    case "expired":
      return "lost";
    case "succeeded":
      return done > 0 ? "succeeded" : "lost";
    case "failed":
    case "quarantined":
      if (UNREADABLE.has(lastCode ?? "")) return "unreadable";
      return made === "to-fail" ? "failed-as-made" : "failed";
    default:
      return "unfinished";
  }
}

function oddityOf({ id, verdict, twice, why, burnt }: Judged): { id: string; what: string }[] {
  const fine = verdict === "succeeded" || verdict === "failed-as-made";
  return [
    ...(fine ? [] : [{ id, what: `${verdict}: ${why}` }]),
    ...(twice === "unexplained" ? [{ id, what: "its work was done twice and nothing says why" }] : []),
    ...(burnt > 0 ? [{ id, what: `${burnt} of its counted failures are none of a handler's` }] : []),
  ];
}

/** What handlers enqueued is as accepted as what came over HTTP. */
function withChildren(accepted: readonly AcceptedJob[], runs: readonly RunLine[]): readonly AcceptedJob[] {
  const known = new Map(accepted.map((it) => [it.id, it]));
  for (const { childId } of runs) {
    if (childId !== undefined && !known.has(childId)) known.set(childId, { id: childId, made: "to-succeed" });
  }
  return [...known.values()];
}

function grouped(runs: readonly RunLine[]): ReadonlyMap<string, readonly RunLine[]> {
  const lines = new Map<string, RunLine[]>();
  for (const line of runs) {
    const own = lines.get(line.jobId);
    if (own === undefined) lines.set(line.jobId, [line]);
    else own.push(line);
  }
  return lines;
}

function runsByRelease(runs: readonly RunLine[]): Readonly<Record<string, ReleaseRuns>> {
  const lines: Record<string, RunLine[]> = {};
  for (const line of runs) {
    lines[line.release] ??= [];
    lines[line.release]?.push(line);
  }
  return Object.fromEntries(Object.entries(lines).map(([release, own]) => [release, runsIn(own)]));
}

function runsIn(lines: readonly RunLine[]): ReleaseRuns {
  const ended = (how: RunLine["how"]) => lines.filter((it) => it.event === "end" && it.how === how).length;
  const last = (latest: number | null, { event, atMs }: RunLine) =>
    event === "end" ? Math.max(latest ?? atMs, atMs) : latest;
  return {
    starts: lines.filter((it) => it.event === "start").length,
    done: ended("done"),
    failed: ended("failed"),
    aborted: ended("aborted"),
    firstAtMs: lines.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY),
    lastEndMs: lines.reduce(last, null),
  };
}
