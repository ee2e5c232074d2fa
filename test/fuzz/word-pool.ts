/**
 * Words that mean something to the server under test: ids, names and cursors that it answered, and jobs whose
 * type, version and data belong together. Random text alone would never get past the first look-up.
 *
 * Bounded, and the oldest go first, so a long run does not keep what is long gone.
 */
import { generateSamples } from "#shared/contracts/compatibility/generate-samples";
import type { JsonSchema } from "#shared/contracts/wire-schema";
import type { Dice } from "../support/dice.ts";

const WORDS_MAX = 200;
const SAMPLES_OF_TYPE = 20;

export interface JobWords {
  readonly type: string;
  readonly schemaversion: number;
  readonly data: unknown;
}

export class WordPool {
  readonly #words = new Map<string, string[]>();
  readonly #jobs: JobWords[] = [];

  /** Learns what can be handed in from the answer of `GET /v1/types`, if it is one. */
  learnTypes(answer: unknown): void {
    const { types } = (answer ?? {}) as { readonly types?: unknown };
    if (!Array.isArray(types) || this.#jobs.length > 0) return;
    for (const { type, versions } of types) {
      for (const version of versions ?? []) this.#jobs.push(...jobsOf(type, version));
    }
  }

  /** Learns every short text that stands under a name in a JSON answer. */
  learn(answer: unknown): void {
    const open: unknown[] = [answer];
    for (let looked = 0; looked < 200 && open.length > 0; looked += 1) {
      const value = open.pop();
      if (value === null || typeof value !== "object") continue;
      for (const [name, inner] of Object.entries(value)) {
        if (typeof inner === "string") this.add(name, inner);
        else open.push(inner);
      }
    }
  }

  add(name: string, word: string): void {
    if (word === "" || word.length > 300) return;
    const words = this.#words.get(name) ?? [];
    if (words.includes(word)) return;
    words.push(word);
    if (words.length > WORDS_MAX) words.shift();
    this.#words.set(name, words);
  }

  /** A word that stood under one of the names; `null` when there is none. */
  word(names: readonly string[], dice: Dice): string | null {
    const words = names.flatMap((name) => this.#words.get(name) ?? []);
    return words.length === 0 ? null : dice.pick(words);
  }

  job(dice: Dice): JobWords | null {
    return this.#jobs.length === 0 ? null : dice.pick(this.#jobs);
  }
}

interface TypeVersion {
  readonly schemaversion: number;
  readonly accepted: boolean;
  readonly schema: JsonSchema;
}

function jobsOf(type: string, { schemaversion, accepted, schema }: TypeVersion): readonly JobWords[] {
  if (!accepted) return [];
  return generateSamples(schema, SAMPLES_OF_TYPE, 1).map((data) => ({ type, schemaversion, data }));
}

/** Names under which a parameter's word may stand in an answer. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  id: ["id", "lastJobId"],
  cursor: ["nextCursor", "name"],
  name: ["name"],
};

export function namesOf(parameter: string): readonly string[] {
  return ALIASES[parameter] ?? [parameter];
}
