import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Group } from "../ports/group.ts";
import type { PortError } from "../ports/port-error.ts";
import { retrying } from "./retrying.ts";
import type { Stay } from "./stay.ts";

/** What telling needs, and whom it tells. */
export interface GiveBackOptions {
  readonly group: Group;
  readonly clock: Clock;
  /** So many tasks of the group are complete now. */
  readonly counted: (completed: number) => void;
  readonly failed: (error: MillraceError) => void;
  readonly stalled: (error: PortError) => void;
}

interface Released {
  readonly task: string;
  readonly sinceMs: number;
  readonly told: () => void;
}

/** Tells the group what a member has given back or completed during one stay; what comes up during a call goes with the next. */
export class GiveBack {
  private readonly options: GiveBackOptions;
  private readonly stay: Stay;
  private released: Released[] = [];
  private completed: string[] = [];
  private isSending = false;

  constructor(options: GiveBackOptions, stay: Stay) {
    this.options = options;
    this.stay = stay;
  }

  /** Gives back a task that was read until `sinceMs`. Resolves when the group knows, or the stay is over. */
  release(task: string, sinceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.stay;
      const told = (): void => {
        signal.removeEventListener("abort", told);
        resolve();
      };
      signal.addEventListener("abort", told, { once: true });
      this.released.push({ task, sinceMs, told });
      void this.send();
    });
  }

  /** Says that the task is kept, and that its input has ended. */
  complete(task: string): void {
    this.completed.push(task);
    void this.send();
  }

  private async send(): Promise<void> {
    if (this.isSending) {
      return;
    }
    this.isSending = true;
    while (this.released.length + this.completed.length > 0) {
      const { released, completed } = this;
      this.released = [];
      this.completed = [];
      await this.tell(released, completed);
      for (const { told } of released) {
        told();
      }
    }
    this.isSending = false;
  }

  private async tell(released: readonly Released[], completed: readonly string[]): Promise<void> {
    const { group, clock, stalled } = this.options;
    const { ref, signal } = this.stay;
    const give = (): ReturnType<ReturnType<Group["give"]>> => {
      const nowMs = clock.now();
      const tasks = released.map(({ task, sinceMs }) => ({ task, pausedMs: Math.max(0, nowMs - sinceMs) }));
      return group.give(ref, { released: tasks, completed })();
    };
    const answer = await retrying(give, { clock, signal, stalled });
    if (signal.aborted) {
      return;
    }
    if (E.isRight(answer)) {
      this.options.counted(answer.right);
    } else {
      this.options.failed(new MillraceError(answer.left));
    }
  }
}
