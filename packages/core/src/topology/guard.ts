import type { MillraceError } from "../errors.ts";
import type { Any } from "./any.ts";
import type { Failures } from "./failure.ts";
import { type Stage, type StageEnv, type StageFactory, scope } from "./stage.ts";

/**
 * Puts an operator that works within the push under its policy: a value that is not admitted never reaches it, and its own
 * failures are decided about. Failures of operators behind it pass through. Such an operator fails before it pushes
 * anything on, so a value that becomes a letter has had no effect.
 */
export function guarded(factory: StageFactory<Any, Any>, failures: Failures): StageFactory<Any, Any> {
  return (down, env) => new Guard(factory, failures, down, env);
}

class Guard implements Stage<unknown> {
  private readonly failures: Failures;
  private readonly stage: Stage<Any>;
  /** The last failure of this operator. */
  private own: MillraceError | null = null;
  private input: unknown;
  /** Whether what becomes of the input is settled. */
  private isSettled = true;

  constructor(factory: StageFactory<Any, Any>, failures: Failures, down: Stage<Any>, env: StageEnv) {
    this.failures = failures;
    const exit: Stage<Any> = {
      next: (result) => {
        // What comes out tells that the operator has not failed.
        this.settleProcessed();
        down.next(result);
      },
      watermark: (timeMs) => down.watermark(timeMs),
      complete: () => down.complete(),
      stop: () => down.stop(),
    };
    this.stage = factory(exit, {
      ...env,
      failure: (cause, record) => {
        this.own = env.failure(cause, record);
        return this.own;
      },
    });
  }

  next(value: unknown): void {
    const { record } = scope;
    const refused = this.failures.admit(record);
    if (refused !== null) {
      this.failures.settle(value, refused);
      return;
    }
    this.input = value;
    this.isSettled = false;
    try {
      this.stage.next(value);
    } catch (error) {
      if (this.isSettled || this.own === null || error !== this.own) {
        throw error;
      }
      this.isSettled = true;
      this.failures.settle(value, this.failures.decide(causeOf(this.own), { record, attempts: 1 }));
      return;
    }
    this.settleProcessed();
  }

  watermark(timeMs: number): void {
    this.stage.watermark(timeMs);
  }

  complete(): void {
    this.stage.complete();
  }

  stop(): void {
    this.stage.stop();
  }

  private settleProcessed(): void {
    if (!this.isSettled) {
      this.isSettled = true;
      this.failures.settle(this.input, null);
      this.input = undefined;
    }
  }
}

/** What the user's function threw. */
function causeOf(error: MillraceError): unknown {
  return error._tag === "HandlerError" ? error.cause : error;
}
