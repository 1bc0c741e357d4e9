import type { ReadBudget } from "../ports/log.ts";
import type { TaskLimits } from "./limits.ts";

/** What a task may still hold: records that were read and are not committed, and bytes. Reading waits without them. */
export class Credits {
  private readonly limits: TaskLimits;
  private records = 0;
  private bytes = 0;
  private isClosed = false;
  private wake: () => void = () => {};

  constructor(limits: TaskLimits) {
    this.limits = limits;
  }

  get hasRoom(): boolean {
    return this.records < this.limits.maxRecords && this.bytes < this.limits.maxBytes;
  }

  take(records: number, bytes: number): void {
    this.records += records;
    this.bytes += bytes;
  }

  giveBack(records: number, bytes: number): void {
    this.records -= records;
    this.bytes -= bytes;
    this.wake();
  }

  /** What may be read now; waits until there is room, or until the credits are closed. */
  async room(): Promise<ReadBudget> {
    while (!this.hasRoom && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const { maxRecords, maxBytes } = this.limits;
    return { maxRecords: Math.max(1, maxRecords - this.records), maxBytes: Math.max(1, maxBytes - this.bytes) };
  }

  /** Nobody waits any more. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }
}
