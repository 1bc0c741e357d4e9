/** How often a timer of the idle process is looked at. */
const EVERY_MS = 5;

/** How late the timers of a process are that has nothing to do: what the machine does to everybody. */
export class NoiseProbe implements Disposable {
  /** In ms. */
  readonly latenesses: number[] = [];
  private dueMs = performance.now() + EVERY_MS;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const nowMs = performance.now();
    this.latenesses.push(Math.max(0, Math.round(nowMs - this.dueMs)));
    this.dueMs = nowMs + EVERY_MS;
  }
}
