import type { OperatorFunction } from "rxjs";
import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { type FailureOptions, failurePolicy } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import type { CurrentRecord, RecordInfo } from "../topology/record.ts";
import type { Stage, StageEnv } from "../topology/stage.ts";
import { checkedName } from "./partition-by.ts";
import { StateLine, type StateOperator } from "./state-line.ts";
import { type StoreSchema, TaskStore } from "./task-store.ts";
import { duration } from "./window-spec.ts";

/** For how long `deduplicate` remembers. */
export interface DeduplicateOptions<A> extends Pick<FailureOptions<A>, "onError" | "deadLetters"> {
  /**
   * How far apart, in event time, two values of one identity are no duplicates any more. Each identity is remembered until event
   * time has passed it by twice as much, so that a duplicate may come late by up to `within`.
   */
  readonly within: Duration;
  /** Names the store, and must stay the same over releases. Default: derived from the node in front. */
  readonly name?: string;
}

/**
 * Lets a value pass unless one of the same identity and the same key has passed whose event time is less than `within` away.
 * What has passed is remembered in the task's store, as part of its commits: also after a crash
 * nothing passes twice.
 *
 * Duplicates must be in one partition: they are when they have the same key. Where they have not, put `partitionBy` with the
 * identity in front. Throws `InvalidOption` for a missing `within`, and options that do not exist.
 *
 * @example
 * ```ts
 * stream(payments).pipe(deduplicate((p) => p.requestId, { within: "1 day" }), sink(paid))
 * ```
 */
export function deduplicate<A>(
  identity: (value: A, record: RecordInfo) => string,
  options: DeduplicateOptions<A>,
): OperatorFunction<A, A> {
  checkFunction("deduplicate: its first argument", identity);
  checkOptions("deduplicate", options, ["within", "name", "onError", "deadLetters"]);
  const withinMs = duration("deduplicate: within", options.within, 1);
  return operator<A, A>(
    operatorSpec({
      kind: "deduplicate",
      detail: `within ${options.within}`,
      keeps: "identities",
      state: { version: 1, migrates: false },
      name: checkedName(options.name),
      owns: "store",
      holds: true,
      passesValues: true,
      needsKey: true,
      failure: failurePolicy("deduplicate", options),
      handlesFailures: true,
      stage: (down, env) => new StateLine(new Identities<A>({ identity, withinMs }, down, env), down, env),
    }),
  );
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The event times (ms) of the values that have passed and are remembered, by key and identity; each list ascending. */
class Identities<A> implements StateOperator<A, readonly number[]> {
  readonly store: TaskStore<readonly number[]>;
  readonly updates = null;
  private readonly how: { readonly identity: (value: A, record: RecordInfo) => string; readonly withinMs: number };
  private readonly down: Stage<A>;

  constructor(
    how: { readonly identity: (value: A, record: RecordInfo) => string; readonly withinMs: number },
    down: Stage<A>,
    env: StageEnv,
  ) {
    this.how = how;
    this.down = down;
    this.store = new TaskStore(schema(how.withinMs), env.store);
  }

  keysOf(value: A, record: CurrentRecord): readonly string[] {
    return [this.entryOf(value, record)];
  }

  process(value: A, record: CurrentRecord, [entry = ""]: readonly string[]): (() => void) | null {
    if (record.watermarkMs === Number.POSITIVE_INFINITY) {
      // Its time is not to be trusted: it is nobody's duplicate, and late wherever time counts.
      return () => this.down.next(value);
    }
    // By the record alone, not by whether they are still in the store.
    const before = this.store.get(entry) ?? [];
    if (
      this.remembered(before, record.watermarkMs).some(
        (timeMs) => Math.abs(record.timestamp - timeMs) < this.how.withinMs,
      )
    ) {
      return null;
    }
    // All of them: another task's records, which come later, may be less far.
    const times = [...before, record.timestamp].toSorted((a, b) => a - b);
    return () => {
      this.store.put(entry, times);
      this.down.next(value);
    };
  }

  moved(): void {}

  expire(entry: string, times: readonly number[], untilMs: number): number {
    const rest = this.remembered(times, untilMs);
    this.store.put(entry, rest.length === 0 ? null : rest);
    return 0;
  }

  promise(watermarkMs: number): number {
    return watermarkMs;
  }

  private remembered(times: readonly number[], watermarkMs: number): readonly number[] {
    return times.filter((timeMs) => watermarkMs < timeMs + 2 * this.how.withinMs);
  }

  /** The key's length in front, so that no two pairs make one entry. */
  private entryOf(value: A, record: CurrentRecord): string {
    const identity: unknown = this.how.identity(value, record);
    if (typeof identity !== "string") {
      throw new MillraceError("InvalidOperator", `deduplicate: an identity must be a string, not ${kindOf(identity)}`);
    }
    if (LONE_SURROGATE.test(identity)) {
      // It would come back from the store as another one.
      throw new MillraceError("InvalidOperator", "deduplicate: an identity holds half of a surrogate pair");
    }
    return `${record.key.length}:${record.key}${identity}`;
  }
}

function schema(withinMs: number): StoreSchema<readonly number[]> {
  return {
    encode: (times) => times.join(","),
    decode: (text) => {
      const times = text.split(",").map(Number);
      if (text === "" || !times.every(Number.isFinite)) {
        throw new Error("it is no list of times");
      }
      return times;
    },
    timeMs: (_entry, times) => times[0] ?? null,
    delayMs: 2 * withinMs,
    isAlwaysDue: true,
  };
}
