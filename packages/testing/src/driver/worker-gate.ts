import type { Clock } from "@millrace/core";

/** A worker's only way to the outside: its timers, its calls and their answers. Closed, it is dead; frozen, everything waits. */
export class WorkerGate {
  private state: "open" | "frozen" | "closed" = "open";
  /** What waits for the thaw, in order. */
  private held: (() => void)[] = [];
  private whenClosed = (): void => {};
  /** Resolves when nothing passes any more. */
  readonly closed: Promise<void>;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.whenClosed = resolve;
    });
  }

  /** Whether what comes passes now. */
  get isOpen(): boolean {
    return this.state === "open";
  }

  /** Nothing passes any more. */
  close(): void {
    this.state = "closed";
    this.held = [];
    this.whenClosed();
  }

  freeze(): void {
    if (this.state === "open") {
      this.state = "frozen";
    }
  }

  /** Ends a {@link freeze}: what has waited passes, in order. */
  thaw(): void {
    if (this.state === "frozen") {
      this.state = "open";
      const { held } = this;
      this.held = [];
      for (const pass of held) {
        this.let(pass);
      }
    }
  }

  /** Runs it now, at the thaw, or never. */
  let(pass: () => void): void {
    if (this.state === "open") {
      pass();
    } else if (this.state === "frozen") {
      this.held.push(pass);
    }
  }

  /** Resolves at once, at the thaw, or never. */
  passed(): Promise<void> {
    return new Promise((resolve) => this.let(resolve));
  }

  /** What a promise settles to, when the gate lets it pass. */
  result<A>(promise: Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.let(() => resolve(value)),
        (error: unknown) => this.let(() => reject(error)),
      );
    });
  }

  /** The time of what is behind the gate. */
  clock(outside: Clock): Clock {
    return {
      now: () => outside.now(),
      after: (delayMs, callback) => {
        let isCancelled = false;
        const cancel = outside.after(delayMs, () =>
          this.let(() => {
            if (!isCancelled) {
              callback();
            }
          }),
        );
        return () => {
          isCancelled = true;
          cancel();
        };
      },
    };
  }
}
