/** Calls of the user's code that have not ended, also when nobody waits for their results any more. */
export class OpenCalls {
  private open = 0;
  private waiting: (() => void)[] = [];

  /** A call that is open until its promise settles. What the call throws ends it. */
  track<A>(call: () => PromiseLike<A>): PromiseLike<A> {
    this.begin();
    try {
      const promise = Promise.resolve(call());
      promise.then(
        () => this.end(),
        () => this.end(),
      );
      return promise;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  begin(): void {
    this.open += 1;
  }

  end(): void {
    this.open -= 1;
    if (this.open === 0 && this.waiting.length > 0) {
      const waiting = this.waiting;
      this.waiting = [];
      for (const resume of waiting) {
        resume();
      }
    }
  }

  /** Resolves when none is open. */
  async ended(): Promise<void> {
    while (this.open > 0) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}
