/**
 * What a route promises, as data: its parameters, bodies and answers as zod schemas, its refusals by code.
 *
 * An operation documents and is tested against; it neither checks a request nor writes an answer. It lies
 * apart from its route, keyed by `METHOD /path`, and `document-routes.ts` brings the two together. Answers are
 * described closed: a field that is not here is a defect that the fuzzer finds.
 */
import { z } from "zod";
import type { Scope } from "../auth/caller.ts";

export interface Operation {
  /** Unique in its API, camelCase: what a generated client calls it. */
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** The group it is shown in. */
  readonly tag: string;
  /** What the caller's key must allow; `null` where nobody is asked. Equal to the route's own. */
  readonly scope: Scope | null;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** By content type. */
  readonly body?: Readonly<Record<string, Content>>;
  /** The body may be left out, and its content type with it. */
  readonly bodyIsOptional?: boolean;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  readonly refusals: Refusals;
  /** It hands in jobs: each refusal says what became of them. */
  readonly enqueues?: boolean;
}

export interface Answer {
  readonly description: string;
  /** Header names with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By content type; none: an empty body. */
  readonly content?: Readonly<Record<string, Content>>;
}

/** A document, or a sequence of them as lines (NDJSON) or server-sent events. */
export type Content = z.ZodType | Sequence;

export interface Sequence {
  readonly framing: "lines" | "events";
  readonly item: z.ZodType;
}

/** Codes of problems by status. */
export type Refusals = Readonly<Record<number, readonly string[]>>;

/** By `METHOD /path/{parameter}`. */
export type Operations = Readonly<Record<string, Operation>>;

export interface ApiDescription {
  readonly title: string;
  readonly description: string;
  readonly operations: Operations;
  /** What any route may answer, whatever it does. */
  readonly refusalsEverywhere: Refusals;
  /** What any route with parameters in its path may answer besides. */
  readonly refusalsWithParams: Refusals;
  /** What any route with a scope may answer besides. */
  readonly refusalsWithScope: Refusals;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the route promises; set by `document-routes.ts`. */
    operation?: Operation;
  }
}

/** Names under `components/schemas`. A registry of our own: the global one would show in job contracts. */
export const componentNames = z.registry<{ readonly id: string }>();

/** Gives `schema` a name, so that the document holds it once. A name is given once. */
export function component<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  componentNames.add(schema, { id });
  return schema;
}

export function isSequence(content: Content): content is Sequence {
  return "framing" in content;
}

/** A sequence as newline-delimited JSON. */
export function linesOf(item: z.ZodType): Sequence {
  return { framing: "lines", item };
}

/** A sequence as server-sent events, each with JSON in its `data`. */
export function eventsOf(item: z.ZodType): Sequence {
  return { framing: "events", item };
}

/** Several lists of refusals as one. */
export function joinedRefusals(...lists: readonly Refusals[]): Refusals {
  const joined: Record<number, readonly string[]> = {};
  for (const [status, codes] of lists.flatMap((it) => Object.entries(it))) {
    joined[Number(status)] = [...new Set([...(joined[Number(status)] ?? []), ...codes])].sort();
  }
  return joined;
}
