import type { Clock, PortError } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { HistoryLine, InvokeLine, OkLine, Operation } from "./lines.ts";

/** How a history is recorded. */
export interface RecordOptions {
  /** Names this run of this program. No other `recordHistory` of the same history has the same name. */
  readonly process: string;
  /** Time for the lines, ms; it must not step back, and be the same for all processes of a history. Default: the machine's. */
  readonly clock?: Pick<Clock, "now">;
  /** Takes the lines in order. Called within the calls of ports: quick, and never throwing. */
  readonly write: (line: HistoryLine) => void;
  /** Whether records that readers are given are written, too. Default `true`; they make the longest lines. */
  readonly reads?: boolean;
}

/** What the recorder adds to a line of a call. */
export type CallHead = Pick<InvokeLine, "process" | "call" | "atMs">;

/**
 * Errors after which nobody knows what has happened. `Refused` is one: a script of the store may have failed in its middle.
 */
const UNKNOWN: ReadonlySet<string> = new Set(["Unavailable", "Refused"] satisfies PortError["_tag"][]);

/** Time that never steps back, the same for all processes of this machine, ms: what a recorder takes by default. */
export const machineClock: Pick<Clock, "now"> = { now: () => Number(process.hrtime.bigint() / 1_000n) / 1_000 };

/** Numbers calls, and writes what becomes of them. What it watches is passed on untouched, without a tick of its own. */
export class Recorder {
  readonly process: string;
  readonly reads: boolean;
  readonly write: (line: HistoryLine) => void;
  readonly #clock: Pick<Clock, "now">;
  #calls = 0;
  #readers = 0;

  constructor({ process, clock = machineClock, write, reads = true }: RecordOptions) {
    this.process = process;
    this.reads = reads;
    this.write = write;
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** The number of a reader that is opened now. */
  nextReader(): number {
    this.#readers += 1;
    return this.#readers;
  }

  /** A call that writes its lines each time it is made. */
  watched<Err extends PortError, A>(
    call: TaskEither<Err, A>,
    invoked: (head: CallHead) => InvokeLine,
    succeeded: (head: CallHead, value: A) => OkLine,
  ): TaskEither<Err, A> {
    return () => {
      this.#calls += 1;
      const number = this.#calls;
      const invoke = invoked(this.#head(number));
      this.write(invoke);
      const thrown = (): void => this.#failed(number, invoke.op, "thrown");
      let answer: Promise<E.Either<Err, A>>;
      try {
        answer = call();
      } catch (error) {
        thrown();
        throw error;
      }
      const settled = (result: E.Either<Err, A>): void => {
        if (E.isRight(result)) {
          this.write(succeeded(this.#head(number), result.right));
        } else {
          this.#failed(number, invoke.op, result.left._tag);
        }
      };
      // The caller gets the promise itself; this listener comes first, so the line is in front of what the caller does next.
      answer.then(settled, thrown);
      return answer;
    };
  }

  #head(call: number): CallHead {
    return { process: this.process, call, atMs: this.now() };
  }

  #failed(call: number, op: Operation, error: string): void {
    const _tag = error === "thrown" || UNKNOWN.has(error) ? "info" : "fail";
    this.write({ _tag, op, ...this.#head(call), error });
  }
}
