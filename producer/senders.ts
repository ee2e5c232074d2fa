/** What the overload gate knows of the tenants that send: what of theirs is served, and whether most is refused. */
import { isMostlyRefused } from "./decide-overload.ts";

/** A tenant that has sent within so many looks counts as one that sends. */
const LOOKS_REMEMBERED = 10;

export class Sender {
  /** Its requests that are served now. */
  held = 0;
  /** Whether most of its requests between the last two looks were refused for want of room. */
  isMostlyRefused = false;
  #taken = 0;
  #refused = 0;
  #looksQuiet = 0;

  took(): void {
    this.#taken += 1;
  }

  refused(): void {
    this.#refused += 1;
  }

  /** @returns whether it has sent nothing for so long that it is forgotten. */
  look(): boolean {
    this.isMostlyRefused = isMostlyRefused({ taken: this.#taken, refused: this.#refused });
    this.#looksQuiet = this.held + this.#taken + this.#refused === 0 ? this.#looksQuiet + 1 : 0;
    this.#taken = 0;
    this.#refused = 0;
    return this.#looksQuiet >= LOOKS_REMEMBERED;
  }
}

export class Senders {
  /** Forgotten a while after their last request: a map that shrinks and grows with each leaves a trail of tables behind. */
  readonly #byTenant = new Map<string, Sender>();

  /** More than one has sent lately. */
  get areSeveral(): boolean {
    return this.#byTenant.size > 1;
  }

  of(tenant: string): Sender {
    const known = this.#byTenant.get(tenant);
    if (known !== undefined) return known;
    const sender = new Sender();
    this.#byTenant.set(tenant, sender);
    return sender;
  }

  /** Once a look of the gate. */
  look(): void {
    for (const [tenant, sender] of this.#byTenant) if (sender.look()) this.#byTenant.delete(tenant);
  }
}
