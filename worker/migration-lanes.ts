/** From which lane into which a build may migrate, by what the registry says of it. */
import { WorkerRefusedError } from "#shared/errors";
import { laneName } from "#shared/lane";
import { lanesReadBy } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { ResolvedApp } from "./app.ts";
import type { MigrateConfig } from "./config.ts";

export interface MigrationLanes {
  /** The older lane. */
  readonly from: string;
  /** The release's own. */
  readonly to: string;
}

/** @throws {WorkerRefusedError} naming what is in the way and what to do. */
export function requireMigrationLanes(
  document: RegistryDocument,
  { release, queue, fromLane }: Pick<MigrateConfig, "release" | "queue" | "fromLane">,
): MigrationLanes {
  const registered = Object.hasOwn(document.releases, release) ? document.releases[release] : undefined;
  const state = registered?.state ?? "not published";
  if (registered === undefined || state !== "live") {
    throw new WorkerRefusedError(`release ${release} is ${state}; publish it first`);
  }
  const own = registered.queues[queue]?.generation;
  if (own === undefined) throw new WorkerRefusedError(`release ${release} has no job on queue ${queue}`);
  const newer = Object.entries(document.releases)
    .filter(([, it]) => it.state === "live" && it.queues[queue] !== undefined && it.order > registered.order)
    .sort(([, a], [, b]) => b.order - a.order)
    .map(([id]) => id)[0];
  if (newer !== undefined) {
    throw new WorkerRefusedError(
      `release ${newer} of queue ${queue} is newer than ${release}; migrate with its build`,
    );
  }
  const older = lanesReadBy(document, release, queue).filter((generation) => generation < own);
  const names = older.map((generation) => laneName(queue, generation));
  if (!names.includes(fromLane)) {
    const choice = names.length === 0 ? "it reads none" : `choose one of ${names.join(", ")}`;
    throw new WorkerRefusedError(`${fromLane} is no older lane that release ${release} reads; ${choice}`);
  }
  return { from: fromLane, to: laneName(queue, own) };
}

/**
 * Asks whether the app is the build that was published as `release`: nobody else could read what it writes.
 *
 * @throws {WorkerRefusedError} when it is not.
 */
export function requirePublished(document: RegistryDocument, app: ResolvedApp, release: string): void {
  for (const { contract } of app.jobs) {
    const own = contract.versions.at(-1);
    const published = document.types[contract.type]?.versions.find((it) => it.version === own?.version);
    if (published === undefined || published.minReaderVersion !== own?.minReaderVersion) {
      throw new WorkerRefusedError(
        `version ${own?.version} of ${contract.type} in the app is not published as it is there; ` +
          `give SLUICE_APP the build that was published as ${release}`,
      );
    }
  }
}

/**
 * Asks whether the gates let through what the build would write: whoever lowered one does not want more jobs
 * that only newer builds read.
 *
 * @throws {WorkerRefusedError} when a type's gate is below the read group of the build's own version.
 */
export function requireActive(document: RegistryDocument, app: ResolvedApp, queue: string): void {
  for (const { contract } of app.jobs) {
    const own = contract.versions.at(-1);
    const active = document.types[contract.type]?.activeVersion;
    if (contract.queue !== queue || own?.minReaderVersion === undefined || active === undefined) continue;
    if (own.minReaderVersion <= active) continue;
    throw new WorkerRefusedError(
      `the gate of ${contract.type} is at version ${active}, and the build would write version ${own.version}; ` +
        `raise it first (sluice gate raise ${contract.type} ${own.version})`,
    );
  }
}
