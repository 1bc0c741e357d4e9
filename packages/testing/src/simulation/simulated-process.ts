import type { Clock } from "@millrace/core";
import type { Scheduler } from "./scheduler.ts";

/**
 * A process of the simulation: what it is asked to do happens while it runs, waits while it is frozen (as under SIGSTOP), and
 * never happens once it is dead (as after SIGKILL). Its clock may be wrong, and may be set.
 */
export class SimulatedProcess implements Clock {
  readonly name: string;
  readonly #scheduler: Scheduler;
  #skewMs: number;
  /** What has come due while it was frozen, in that order. */
  #backlog: (() => void)[] = [];
  #state: "running" | "frozen" | "dead" = "running";

  constructor(scheduler: Scheduler, name: string, skewMs = 0) {
    this.#scheduler = scheduler;
    this.name = name;
    this.#skewMs = skewMs;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isFrozen(): boolean {
    return this.#state === "frozen";
  }

  /** Whole ms, as `Date.now` tells them. */
  now(): number {
    return Math.floor(this.#scheduler.nowMs + this.#skewMs);
  }

  /** Sets the clock forward, or back: whoever sets it does not ask those who read it. Timers do not notice. */
  setClock(byMs: number): void {
    this.#skewMs += byMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    let isOff = false;
    const entry = this.#scheduler.at(this.#scheduler.nowMs + Math.max(0, delayMs), this, () => {
      this.#do(() => {
        if (!isOff) {
          callback();
        }
      });
    });
    return () => {
      isOff = true;
      entry.action = null;
    };
  }

  /** In a turn of its own, now. */
  soon(callback: () => void): void {
    this.#scheduler.at(this.#scheduler.nowMs, this, () => this.#do(callback));
  }

  freeze(): void {
    if (this.#state === "running") {
      this.#state = "frozen";
    }
  }

  thaw(): void {
    if (this.#state === "frozen") {
      this.#state = "running";
      const backlog = this.#backlog;
      this.#backlog = [];
      for (const callback of backlog) {
        this.soon(callback);
      }
    }
  }

  kill(): void {
    this.#state = "dead";
    this.#backlog = [];
  }

  #do(callback: () => void): void {
    if (this.#state === "running") {
      callback();
    } else if (this.#state === "frozen") {
      this.#backlog.push(callback);
    }
  }
}
