/**
 * A build as its author knows it: which versions of which types it has. What it tells the registry and how it
 * reads is production's business; `reads` and `nativeOf` are the model's own word for it, to judge by.
 */
import type { ResolvedContract } from "#shared/contracts/resolve-contract";
import type { ReleaseDescriptor } from "#shared/registry/registry-document";
import type { Handler, ResolvedApp } from "#worker/app";
import { typeOfBuild, type Upcasters, type Window } from "./version-histories.ts";

export interface BuildPlan {
  readonly release: string;
  /** At most one a type. */
  readonly windows: readonly Window[];
  readonly upcasters: Upcasters;
}

export class Build {
  readonly plan: BuildPlan;
  readonly descriptor: ReleaseDescriptor;
  readonly #windows: ReadonlyMap<string, Window>;

  constructor(plan: BuildPlan) {
    const { release, windows, upcasters } = plan;
    this.plan = plan;
    this.#windows = new Map(windows.map((it) => [it.history.type, it]));
    const types = windows.map((window) => typeOfBuild(window, upcasters).described);
    this.descriptor = { release, app: "model", types };
  }

  get release(): string {
    return this.plan.release;
  }

  windowOf(type: string): Window | undefined {
    return this.#windows.get(type);
  }

  /** H of a type; 0 when the build lacks it. */
  nativeOf(type: string): number {
    return this.#windows.get(type)?.last ?? 0;
  }

  /** Whether it has a version of the read group: then it has told the registry that it reads the group. */
  reads(type: string, minReaderVersion: number): boolean {
    const window = this.#windows.get(type);
    if (window === undefined) return false;
    const own = window.history.versions.slice(window.first - 1, window.last);
    return own.some((it) => it.minReaderVersion === minReaderVersion);
  }

  /** The newest version that it could be asked to write, at most `version`; 0 when it has none. */
  newestUpTo(type: string, version: number): number {
    const window = this.#windows.get(type);
    if (window === undefined || version < window.first) return 0;
    return Math.min(window.last, version);
  }

  get contracts(): readonly ResolvedContract[] {
    const { windows, upcasters } = this.plan;
    return windows.map((window) => typeOfBuild(window, upcasters).contract);
  }

  app(handler: Handler<unknown>): ResolvedApp {
    return { name: "model", jobs: this.contracts.map((contract) => ({ contract, handler })) };
  }
}
