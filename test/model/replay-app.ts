/** The module that a replayed worker loads as its app: whichever build was served last. */
import type { App } from "#worker/app";

export let app: App | undefined;

export function serve(next: App): void {
  app = next;
}
