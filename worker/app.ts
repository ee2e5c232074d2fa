/**
 * An app: the contracts and handlers a team brings, as one module that exports `app`.
 *
 * Nothing here runs anything. `describeApp` turns an app into what the registry keeps, and lists
 * every problem of a malformed one.
 */
import { z } from "zod";
import type { Contract } from "#shared/contracts/contract";
import { type ResolvedContract, resolveContract, resolved } from "#shared/contracts/resolve-contract";
import { AppInvalidError } from "#shared/errors";
import type { DescribedType, ReleaseDescriptor } from "#shared/registry/registry-document";
import type { EnqueueChild } from "./child-jobs.ts";

/** The job a handler is given. */
export interface HandledJob<Data> {
  /** The job id, as every surface shows it. */
  readonly jobId: string;
  readonly type: string;
  /** Data as this build's own version has it; unknown fields of newer versions are kept. */
  readonly data: Data;
  /** The version the data was written as. */
  readonly schemaVersion: number;
  /** The envelope's other attributes (`source`, `subject`, `correlationid`, ...), as stored. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * Grows with every start of the job, so an effect can be refused when it comes from a start that was
 * given up: keep the largest `starts` seen for a `jobId` and refuse a smaller one.
 */
export interface Fence {
  readonly jobId: string;
  /** Starts of this job so far, this one included. */
  readonly starts: number;
}

export interface HandlerContext {
  /**
   * Aborts when the run must end: its time is up, the worker is draining and out of time, its release hands back what it
   * runs, the lease was lost, or an operator cancelled the job. A handler that ignores it is left behind.
   */
  readonly signal: AbortSignal;
  readonly fence: Fence;
  /** Which attempt this is, from 1; starts that were handed back do not count. */
  readonly attempt: number;
  /** The release that runs the job. */
  readonly release: string;
  /**
   * Enqueues a job that this one causes, through the same gate and checks as the API; resolves once Redis has it. A run
   * again of this job adds none twice, as long as its calls come in the same order. Rejects with what refuses the
   * job, and with the signal's reason once it has aborted.
   */
  readonly enqueue: EnqueueChild;
  /**
   * Says how far the run is, in percent, for whoever looks at the job; at most once a second is kept. Never throws and
   * never waits.
   */
  progress(percent: number, message?: string): void;
  /** Writes one line to the worker's log with the job's id; never pass the job's data. */
  log(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Does the work. What it returns (JSON, at most 16 KiB) is kept as the job's result. */
export type Handler<Data> = (job: HandledJob<Data>, context: HandlerContext) => Promise<unknown> | unknown;

export interface JobDefinition {
  readonly contract: Contract;
  // biome-ignore lint/suspicious/noExplicitAny: the reader guarantees the data's type at run time.
  readonly handler: Handler<any>;
}

export interface ProbeContext {
  /** Aborts when the probe has taken 30 s, or the worker stops. */
  readonly signal: AbortSignal;
  readonly release: string;
  /** Writes one line to the worker's log. */
  log(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Tries what the handlers need and changes nothing anybody sees; throws when they could not work. */
export type Probe = (context: ProbeContext) => Promise<void> | void;

export interface App {
  readonly name: string;
  readonly jobs: readonly JobDefinition[];
  /** Run on one worker of a new release before any job of a rollout reaches it; a throw stops the rollout. */
  readonly probe?: Probe;
}

/** An app whose contracts are known to be right. */
export interface ResolvedApp extends App {
  readonly jobs: readonly (JobDefinition & { readonly contract: ResolvedContract })[];
}

/** @throws {AppInvalidError} when a contract is malformed. */
export function resolveApp(app: App): ResolvedApp {
  return { ...app, jobs: app.jobs.map((job) => ({ ...job, contract: resolved(job.contract) })) };
}

/** Ties a contract to its handler; the handler's data has the type of the contract's last version. */
export function defineJob<Data>(contract: Contract<Data>, handler: Handler<Data>): JobDefinition {
  return { contract, handler };
}

export function defineApp(app: App): App {
  return app;
}

const appShape = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "name must be lower-case letters, digits and dashes"),
  jobs: z
    .array(
      z.object({
        contract: z.custom<Contract>((it) => typeof it === "object" && it !== null, "contract is missing"),
        handler: z.custom((it) => typeof it === "function", "handler must be a function"),
      }),
    )
    .min(1, "jobs must hold at least one job"),
  probe: z.custom((it) => typeof it === "function", "probe must be a function").optional(),
});

/**
 * What the registry keeps of an app. Samples are not part of it.
 *
 * @throws {AppInvalidError} listing every problem of the module, its contracts and its handlers.
 */
export function describeApp(app: unknown, release: string): ReleaseDescriptor {
  const resolutions = contractsIn(app).map(resolveContract);
  const problems = [
    ...formProblems(app),
    ...resolutions.flatMap((it) => (it.kind === "invalid" ? it.problems : [])),
    ...repeatedTypes(app),
  ];
  if (problems.length > 0) throw new AppInvalidError(release, [...new Set(problems)]);
  const contracts = resolutions.flatMap((it) => (it.kind === "resolved" ? [it.contract] : []));
  return { release, app: (app as App).name, types: contracts.map(describeContract) };
}

/** What is wrong with an app apart from its contracts: its form, and types that it declares twice. */
export function appProblems(app: unknown): readonly string[] {
  return [...formProblems(app), ...repeatedTypes(app)];
}

/** The contracts of whatever was exported, so that their problems are told along with the others. */
export function contractsIn(app: unknown): readonly Contract[] {
  const jobs = app !== null && typeof app === "object" && "jobs" in app ? app.jobs : [];
  return (Array.isArray(jobs) ? jobs : []).flatMap((job: { contract?: unknown } | null) => {
    const contract = job?.contract;
    return typeof contract === "object" && contract !== null ? [contract as Contract] : [];
  });
}

function formProblems(app: unknown): string[] {
  const issues = appShape.safeParse(app).error?.issues ?? [];
  return issues.map((it) => `${it.path.map(String).join(".") || "app"}: ${it.message}`);
}

function repeatedTypes(app: unknown): string[] {
  const types = contractsIn(app).map((it) => it.type);
  const twice = types.filter((type, index) => types.indexOf(type) !== index);
  return [...new Set(twice)].map((type) => `${type} is declared more than once`);
}

function describeContract({ type, queue, policy, versions }: ResolvedContract): DescribedType {
  const described = versions.map(({ version, minReaderVersion, jsonSchema, upcast }) => ({
    version,
    minReaderVersion,
    schema: jsonSchema,
    hasUpcast: upcast !== undefined,
  }));
  return { type, queue, policy, versions: described };
}
