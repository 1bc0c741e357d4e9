import type { TaskRunner } from "./task-runner.ts";

/** A task that this worker is to have, or still has. */
export interface Slot {
  readonly task: string;
  phase: "waiting" | "running" | "complete" | "draining";
  runner: TaskRunner | null;
  /** Not to be taken before; after it was lost to somebody else. */
  notBeforeMs: number;
}

/** The tasks that a worker is to have, or still has, by name. */
export class Slots {
  private readonly byTask = new Map<string, Slot>();
  private whenEmpty: (() => void)[] = [];

  get count(): number {
    return this.byTask.size;
  }

  get all(): readonly Slot[] {
    return [...this.byTask.values()];
  }

  get complete(): readonly Slot[] {
    return this.all.filter(({ phase }) => phase === "complete");
  }

  /** The runners of tasks that run now, or have run to their end. */
  get runners(): readonly TaskRunner[] {
    return this.all.flatMap(({ phase, runner }) => (runner === null || phase === "waiting" ? [] : [runner]));
  }

  get(task: string): Slot | undefined {
    return this.byTask.get(task);
  }

  /** Whether the slot is there still: a task may come back in another one. */
  has(slot: Slot): boolean {
    return this.byTask.get(slot.task) === slot;
  }

  /** Enters a task that waits, unless it is there. */
  add(task: string): void {
    if (!this.byTask.has(task)) {
      this.byTask.set(task, { task, phase: "waiting", runner: null, notBeforeMs: Number.NEGATIVE_INFINITY });
    }
  }

  /** Takes a task out; where `again`, it is there anew. */
  remove({ task }: Slot, again: boolean): void {
    this.byTask.delete(task);
    if (again) {
      this.add(task);
    }
    this.settle();
  }

  clear(): void {
    this.byTask.clear();
    this.settle();
  }

  /** Resolves when none is there. */
  async empty(): Promise<void> {
    while (this.byTask.size > 0) {
      await new Promise<void>((resolve) => this.whenEmpty.push(resolve));
    }
  }

  private settle(): void {
    if (this.byTask.size === 0) {
      const waiting = this.whenEmpty;
      this.whenEmpty = [];
      for (const resume of waiting) {
        resume();
      }
    }
  }
}
