/** Producers that are killed at random, at any moment of their lives, and started again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "#test/support/child";
import type { Dice } from "#test/support/dice";
import type { Stack } from "#test/support/stack";

/** A producer lives this long at most, counted from when it listens. */
const LIFE_MS_MAX = 1_200;

export class MortalProducers {
  readonly #stack: Stack;
  readonly #dice: Dice;
  readonly #ports: (number | null)[];
  readonly #stop = new AbortController();
  /** Starting two at once would mix up where they listen. */
  #starting: Promise<unknown> = Promise.resolve();
  #running: readonly Promise<void>[] = [];
  kills = 0;

  constructor(stack: Stack, dice: Dice, count: number) {
    this.#stack = stack;
    this.#dice = dice;
    this.#ports = Array.from({ length: count }, () => null);
  }

  /** Resolves once each has listened. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      let missing = this.#ports.length;
      this.#running = this.#ports.map((_port, place) =>
        this.#live(place, () => {
          missing -= 1;
          if (missing === 0) resolve();
        }),
      );
    });
  }

  /** Where one listens or has listened a moment ago; `null` while none does. */
  port(): number | null {
    const ports = this.#ports.filter((it) => it !== null);
    return ports.length === 0 ? null : this.#dice.pick(ports);
  }

  /** Kills no more; the producers that live go on. */
  async spare(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #live(place: number, onListening: () => void): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const child = await this.#begin(place);
      onListening();
      await sleep(this.#dice.below(LIFE_MS_MAX), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      child.kill("SIGKILL");
      this.kills += 1;
      await child.exited;
      this.#ports[place] = null;
    }
  }

  #begin(place: number): Promise<Child> {
    const begun = this.#starting.then(async () => {
      const child = await this.#stack.startProducer();
      this.#ports[place] = Number(new URL(this.#stack.apiUrl).port);
      return child;
    });
    this.#starting = begun;
    return begun;
  }
}
