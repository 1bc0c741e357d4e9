import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkOptions } from "../topology/options.ts";
import { type CurrentRecord, withKey } from "../topology/record.ts";
import { NO_UNIT, type Stage, type StageEnv, scope, within } from "../topology/stage.ts";
import { durationOption } from "../topology/topic.ts";

/** The most values of one batch: as many as a commit unit takes. */
const MAX_SIZE = 500;

export interface BatchOptions {
  /** For so long a batch waits for more values. `"0 s"`: it takes what is there. */
  readonly within: Duration;
}

/**
 * Values in batches of at most `size`, in order. A batch leaves when it is full, or `within` after its first record was
 * read, or earlier: when the worker may hold no more records, and when the task goes to another worker. The records of a batch
 * are acknowledged together, with everything that it causes.
 *
 * A batch is never longer than `size`, but may be shorter, and after a crash the same records may come in other batches.
 * Beneath it is its first record, without a key: handlers behind it run one after the other, unless they say `lane: "none"`.
 *
 * Throws `InvalidOption` unless `size` is a whole number from 1 to 500 and `within` a duration.
 *
 * @example
 * ```ts
 * stream(orders).pipe(batch(100, { within: "200 ms" }), mapOrdered(enrichAll), …)
 * ```
 */
export function batch<A>(size: number, options: BatchOptions): OperatorFunction<A, readonly A[]> {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new MillraceError(
      "InvalidOption",
      `batch: size must be a whole number from 1 to ${MAX_SIZE}, not ${quote(size)}`,
    );
  }
  checkOptions("batch", options, ["within"]);
  const withinMs = durationOption("batch: within", options.within);
  if (withinMs === null) {
    throw new MillraceError("InvalidOption", `batch: say how long a batch may wait: { within: "100 ms" }`);
  }
  return operator(
    operatorSpec({
      kind: "batch",
      detail: `${size}, within ${options.within}`,
      holds: true,
      fills: { size, withinMs },
      stage: (down, env) => new BatchStage<A>({ size, withinMs }, down, env),
    }),
  );
}

/** In a task the unit stays open while a batch fills, and every unit ends with a watermark, which empties it. */
class BatchStage<A> implements Stage<A> {
  private readonly limits: { readonly size: number; readonly withinMs: number };
  private readonly down: Stage<readonly A[]>;
  private readonly env: StageEnv;
  private values: A[] = [];
  private first: CurrentRecord | null = null;
  private cancel: () => void = () => {};

  constructor(limits: { readonly size: number; readonly withinMs: number }, down: Stage<readonly A[]>, env: StageEnv) {
    this.limits = limits;
    this.down = down;
    this.env = env;
  }

  next(value: A): void {
    if (this.values.length === 0 && !this.env.inTask) {
      this.cancel = this.env.clock.after(this.limits.withinMs, () => this.flushOutsideOfTask());
    }
    if (this.values.length === 0) {
      // Where a batch fails, everything in front of it is committed, and it begins with the same record again.
      this.first = withKey(scope.record, "");
    }
    this.values.push(value);
    if (this.values.length >= this.limits.size) {
      this.flush();
    }
  }

  watermark(timeMs: number): void {
    this.flush();
    this.down.watermark(timeMs);
  }

  complete(): void {
    this.flush();
    this.down.complete();
  }

  stop(): void {
    this.cancel();
    this.values = [];
    this.down.stop();
  }

  private flushOutsideOfTask(): void {
    const { unit } = scope;
    scope.unit = NO_UNIT;
    try {
      this.flush();
    } catch (error) {
      this.env.fail(error);
    } finally {
      scope.unit = unit;
    }
  }

  private flush(): void {
    this.cancel();
    const { values, first } = this;
    if (first !== null && values.length > 0) {
      this.values = [];
      within(first, scope.unit, () => this.down.next(values));
    }
  }
}
