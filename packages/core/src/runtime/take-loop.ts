import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { backoffMs } from "../kernel/backoff.ts";
import type { Clock } from "../ports/clock.ts";
import type { Group, TakeAnswer } from "../ports/group.ts";
import type { PortError } from "../ports/port-error.ts";
import type { Stay } from "./stay.ts";

/** What there is to take, in whose name, and by which target. */
export interface Wish {
  readonly stay: Stay;
  readonly generation: number;
  readonly tasks: readonly string[];
  /** Tasks that wait, but are not to be taken before so many ms; `null`: none. */
  readonly laterMs: number | null;
}

/** What taking needs, and whom it tells. */
export interface TakeLoopOptions {
  readonly group: Group;
  readonly clock: Clock;
  /** `null`: nothing waits, or the worker is no member. */
  readonly wish: () => Wish | null;
  readonly took: (answer: TakeAnswer, generation: number) => void;
  /** What this worker knows of the group is out of date. */
  readonly outdated: () => void;
  readonly failed: (error: unknown) => void;
  readonly stalled: (error: PortError) => void;
}

/** Hints may be lost, so that free tasks are also looked for. */
const LOOK_AGAIN_MS = 250;

/** Takes the tasks that wait for this worker: when there is reason to, and now and then, until none waits. */
export class TakeLoop {
  private readonly options: TakeLoopOptions;
  private isTaking = false;
  private takesAgain = false;
  private failures = 0;
  private cancelLook: () => void = () => {};

  constructor(options: TakeLoopOptions) {
    this.options = options;
  }

  /** There may be something to take. During a call: once more behind it. */
  async take(): Promise<void> {
    this.takesAgain = true;
    if (this.isTaking) {
      return;
    }
    this.isTaking = true;
    while (this.takesAgain) {
      this.takesAgain = false;
      this.cancelLook();
      await this.takeOnce();
    }
    this.isTaking = false;
  }

  private async takeOnce(): Promise<void> {
    const wish = this.options.wish();
    if (wish === null) {
      return;
    }
    const { stay, generation, tasks, laterMs } = wish;
    if (laterMs !== null) {
      this.lookIn(laterMs);
    }
    if (tasks.length === 0) {
      return;
    }
    const answer = await this.options.group.take(stay.ref, generation, tasks)();
    if (stay.signal.aborted) {
      return;
    }
    if (E.isRight(answer)) {
      this.failures = 0;
      this.answered(answer.right, generation);
    } else {
      this.refused(answer.left);
    }
  }

  private answered(answer: TakeAnswer, generation: number): void {
    if (!answer.isCurrent) {
      this.options.outdated();
      return;
    }
    this.options.took(answer, generation);
    if (answer.held.length > 0) {
      this.lookIn(Math.min(LOOK_AGAIN_MS, ...answer.held.map(({ forMs }) => forMs + 1)));
    }
  }

  private refused(error: PortError): void {
    if (error.retriable) {
      this.options.stalled(error);
      this.failures += 1;
      this.lookIn(backoffMs(this.failures, Math.random()));
    } else if (error._tag === "NotMember" || error._tag === "Fenced") {
      this.options.outdated();
    } else {
      this.options.failed(new MillraceError(error));
    }
  }

  private lookIn(delayMs: number): void {
    this.cancelLook();
    this.cancelLook = this.options.clock.after(delayMs, () => void this.take());
  }
}
