/** One kind of command: when it applies, what it does, and the look at every promise after it. */
import type fc from "fast-check";
import { requireInvariants } from "./invariants.ts";
import type { World } from "./world.ts";

export interface ActKind<Parameters> {
  readonly name: string;
  readonly parameters: fc.Arbitrary<Parameters>;
  applies(world: World, parameters: Parameters): boolean;
  run(world: World, parameters: Parameters): Promise<void>;
}

class Act<Parameters> implements fc.AsyncCommand<World, World> {
  readonly #kind: ActKind<Parameters>;
  readonly #parameters: Parameters;

  constructor(kind: ActKind<Parameters>, parameters: Parameters) {
    this.#kind = kind;
    this.#parameters = parameters;
  }

  check(world: Readonly<World>): boolean {
    return this.#kind.applies(world, this.#parameters);
  }

  async run(world: World): Promise<void> {
    world.coverage.count("steps");
    world.coverage.count(`step: ${this.#kind.name}`);
    await this.#kind.run(world, this.#parameters);
    world.fleet.sweep();
    forgiveReadLanes(world);
    await requireInvariants(world);
  }

  toString(): string {
    return `${this.#kind.name}(${JSON.stringify(this.#parameters)})`;
  }
}

/** A lane that has a reader again has no excuse any more. */
function forgiveReadLanes(world: World): void {
  const unread = new Set(world.lanesWithoutReader());
  for (const lane of world.abandonedLanes) if (!unread.has(lane)) world.abandonedLanes.delete(lane);
}

/** `weight` times as an arbitrary of commands, because `fc.commands` draws among them evenly. */
export function acts<Parameters>(
  weight: number,
  kind: ActKind<Parameters>,
): fc.Arbitrary<fc.AsyncCommand<World, World>>[] {
  const arbitrary = kind.parameters.map((parameters) => new Act(kind, parameters));
  return Array.from({ length: weight }, () => arbitrary);
}

/** One of `list` by a number that was drawn without knowing how many there are. */
export function pick<Item>(list: readonly Item[], draw: number): Item | undefined {
  return list.length === 0 ? undefined : list[draw % list.length];
}
