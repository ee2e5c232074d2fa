/**
 * What must be undone, whatever happens: newest first, each once.
 *
 * A run that ends in the middle (an error, Ctrl-C) undoes the rest when the process exits, where only
 * the synchronous half of an undoing can be done.
 */

interface Undoing {
  /** Ends it properly. */
  undo(): Promise<void>;
  /** Ends it by force, now; must be safe after `undo`. */
  undoNow(): void;
}

const outstanding = new Set<Undoing>();

process.on("exit", () => {
  for (const undoing of [...outstanding].reverse()) undoing.undoNow();
});

/** Things started together, ended together. */
export class Cleanup {
  readonly #undoings: Undoing[] = [];

  add(undoing: Undoing): void {
    this.#undoings.push(undoing);
    outstanding.add(undoing);
  }

  async run(): Promise<void> {
    for (const undoing of this.#undoings.splice(0).reverse()) {
      try {
        await undoing.undo();
      } finally {
        undoing.undoNow();
        outstanding.delete(undoing);
      }
    }
  }
}

/** Runs `act` and ends everything it has added to its cleanup, also when it throws. */
export async function withCleanup<Result>(act: (cleanup: Cleanup) => Promise<Result>): Promise<Result> {
  const cleanup = new Cleanup();
  try {
    return await act(cleanup);
  } finally {
    await cleanup.run();
  }
}
