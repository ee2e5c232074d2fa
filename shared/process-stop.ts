/**
 * When a process shall stop: on SIGTERM or SIGINT, and where its parent asked for it, when the parent
 * is gone. A second signal does not wait for anything.
 */

export interface StopOptions {
  /** Called once, with what asked for the stop. */
  onStop(cause: string): void;
  /** Called on a second signal; must end the process. */
  onInsist(): void;
  /** Called when the parent that held an IPC channel to this process is gone. */
  onOrphaned(): void;
}

export function listenForStop(options: StopOptions): void {
  let asked = false;
  const onSignal = (signal: string) => {
    if (asked) {
      options.onInsist();
      return;
    }
    asked = true;
    options.onStop(signal);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("disconnect", () => options.onOrphaned());
}
