/**
 * A contract: one job type, its published schema versions and the policy its jobs run under.
 *
 * `defineContract` only keeps what an app's author wrote; `contractProblems` says what is wrong with
 * the parts of it. What its versions are to each other is worked out in `resolve-contract.ts`, how data is
 * read lives in `reader.ts`, how it is checked at the door in `strict-check.ts`.
 *
 * V is a schema version, M its minimum reader version: versions that share an M are readable by each
 * other's readers (a read group). A version that older readers cannot read has M = V.
 */
import { z } from "zod";
import { TYPE_PATTERN } from "../envelope.ts";
import { QUEUE_NAME_PATTERN } from "../lane.ts";
import { lintSentence } from "./lint-finding.ts";
import { lintSchema } from "./schema-lint.ts";

export interface ContractVersion<Schema extends z.ZodType = z.ZodType> {
  /** V: counted per type from 1, one up per published schema. */
  readonly version: number;
  /**
   * M: the oldest reader that may run it. Computed from the schemas when it is left out; given as `version`
   * it says that the meaning has changed although the shape has not. It cannot be lowered. Must be given
   * for the first version of a build that no longer has version 1: the M that it was published with.
   */
  readonly minReaderVersion?: number;
  /** `z.looseObject` at every depth, without transforms: readers keep what they do not know. */
  readonly schema: Schema;
  /**
   * Pure, synchronous step from data of the version before to this one; total on valid data. Needed
   * where M rises and this schema cannot read the older data as it is.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the author knows the older shape; the result is validated.
  readonly upcast?: (older: any) => unknown;
  /** Golden samples: data as writers of this version really send it, which every later build must read. */
  readonly samples?: readonly unknown[];
}

/** A version whose M is known. */
export interface ReadableVersion extends ContractVersion {
  readonly minReaderVersion: number;
}

/** What reading data of a type needs of its contract. */
export interface ReadableContract {
  readonly type: string;
  /** Ascending and without gaps; the last is the build's native version. */
  readonly versions: readonly ReadableVersion[];
}

/** What happens to a job that the queue has no room for. */
export type ExcessPolicy = "reject" | "delay" | "degrade";

export interface JobPolicy {
  /** Runs that may fail before the job is failed; 1 means no retry. 1 to 100. @default 5 */
  readonly attempts: number;
  /** How long one run may take, in milliseconds. 1 to 86,400,000. @default 60000 */
  readonly timeoutMs: number;
  /** Full-jitter exponential backoff between runs. @default 1 s doubling to 60 s */
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** @default "reject" */
  readonly excess: ExcessPolicy;
}

export interface Contract<Latest = unknown> {
  readonly type: string;
  readonly queue: string;
  readonly policy: JobPolicy;
  /** Ascending and without gaps; the last is the build's native version. */
  readonly versions: readonly ContractVersion[];
  /** Carries the handler's data type; never present at run time. */
  readonly latest?: Latest;
}

type LastOf<List extends readonly unknown[]> = List extends readonly [...unknown[], infer Last]
  ? Last
  : never;

type DataOf<Versions extends readonly ContractVersion[]> =
  LastOf<Versions> extends ContractVersion<infer Schema> ? z.output<Schema> : never;

const DEFAULT_POLICY: JobPolicy = {
  attempts: 5,
  timeoutMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  excess: "reject",
};

/** Declares a job type. Nothing is checked here: a worker lists all problems of its app at start. */
export function defineContract<const Versions extends readonly ContractVersion[]>(declared: {
  readonly type: string;
  readonly queue: string;
  readonly policy?: Partial<JobPolicy>;
  readonly versions: Versions;
}): Contract<DataOf<Versions>> {
  return { ...declared, policy: { ...DEFAULT_POLICY, ...declared.policy } };
}

const policySchema = z.strictObject({
  attempts: z.int().min(1).max(100),
  timeoutMs: z.int().min(1).max(86_400_000),
  backoff: z.strictObject({ baseMs: z.int().min(1).max(3_600_000), maxMs: z.int().min(1).max(86_400_000) }),
  excess: z.enum(["reject", "delay", "degrade"]),
});

const wholeShape = z.object({
  type: z
    .string()
    .regex(TYPE_PATTERN, 'must be two to eight dotted lower-case words such as "receipt.render"'),
  queue: z
    .string()
    .regex(QUEUE_NAME_PATTERN, "must be lower-case letters, digits and dashes, at most 64 characters"),
  policy: policySchema,
  versions: z
    .array(
      z.object({
        version: z.int().min(1),
        minReaderVersion: z.int().min(1).optional(),
        upcast: z
          .custom((it) => it === undefined || typeof it === "function", "must be a function")
          .optional(),
        samples: z.array(z.unknown(), "must be a list of data").optional(),
      }),
    )
    .min(1),
});

/** What is wrong with the parts of a contract, one sentence each; its versions are not compared here. */
export function contractProblems(contract: Contract): string[] {
  const issues = wholeShape.safeParse(contract).error?.issues ?? [];
  const problems = issues.map((it) => `${contract.type}: ${it.path.map(String).join(".")}: ${it.message}`);
  if (issues.some((it) => it.path[0] === "versions")) return problems;
  return [
    ...problems,
    ...contract.versions.flatMap((version, index) => versionProblems(contract, version, index)),
  ];
}

function versionProblems({ type, versions }: Contract, version: ContractVersion, index: number): string[] {
  const before = versions[index - 1];
  const problems = lintSchema(version.schema).map(lintSentence);
  if (before !== undefined && version.version !== before.version + 1) {
    problems.unshift(`follows version ${before.version}; versions rise by one`);
  }
  return problems.map((it) => `${type} version ${version.version}: ${it}`);
}
