/** Lets asynchronous acts go on one after the other, in the order they were asked for; one that fails holds up none. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Answers as `act` does, once those before it have ended. */
  take<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
