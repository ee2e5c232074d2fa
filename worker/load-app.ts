/** Loads a user's app module and checks it whole before anything starts. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AppInvalidError } from "#shared/errors";
import type { ReleaseDescriptor } from "#shared/registry/registry-document";
import { type App, describeApp, type ResolvedApp, resolveApp } from "./app.ts";

export interface LoadedApp {
  readonly app: ResolvedApp;
  readonly descriptor: ReleaseDescriptor;
}

/** @throws {AppInvalidError} when the module cannot be loaded, exports no app, or the app is malformed. */
export async function loadApp(path: string, release: string): Promise<LoadedApp> {
  const app = await importApp(path, release);
  const descriptor = describeApp(app, release);
  return { app: resolveApp(app as App), descriptor };
}

/**
 * Whatever the module exports as its app, unchecked.
 *
 * @throws {AppInvalidError} when the module cannot be loaded or exports no app.
 */
export async function importApp(path: string, release: string): Promise<unknown> {
  let exported: { readonly app?: unknown };
  try {
    exported = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppInvalidError(release, [`the module ${path} could not be loaded: ${reason}`]);
  }
  if (exported.app !== undefined) return exported.app;
  throw new AppInvalidError(release, [
    `the module ${path} must export "app" (export const app = defineApp(...))`,
  ]);
}
