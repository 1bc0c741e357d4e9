/** Lets through whoever comes, or holds everybody until it opens again. */
export class Turnstile {
  private closed = false;
  private waiting: (() => void)[] = [];

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.closed = false;
    const waiting = this.waiting;
    this.waiting = [];
    for (const goOn of waiting) {
      goOn();
    }
  }

  /** Resolves when it is open. */
  async pass(): Promise<void> {
    while (this.closed) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}
