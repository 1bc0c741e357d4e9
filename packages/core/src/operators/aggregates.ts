import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import type { RecordInfo } from "../topology/record.ts";

/**
 * How values become one: an aggregate of a window, or one that runs for ever. State must be JSON, and the same after
 * `JSON.parse(JSON.stringify(state))`: it is stored with the task's commits. No function changes a state that it is given.
 *
 * Where results must not depend on the order in which records of different partitions arrive, `add` and `merge` must not either.
 */
export interface Aggregate<in A, out O> {
  /** What it does, in plans and in the description of what is stored. Another name: another kind of state. */
  readonly name: string;
  /** The state before the first value. Neutral to `merge`. */
  init(): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the state's type is the aggregate's own affair.
  add(state: any, value: A, record: RecordInfo): unknown;
  /**
   * The state of all values of two states; `a` is earlier in event time. It must be associative, and agree with `add`: to add
   * values to `init()` and merge that behind a state is to add them to the state. Needed by `session()`, whose windows grow
   * together.
   */
  // biome-ignore lint/suspicious/noExplicitAny: see add.
  merge?(a: any, b: any): unknown;
  /** The result of a state. */
  // biome-ignore lint/suspicious/noExplicitAny: see add.
  out(state: any): O;
  /** Says that every state is JSON, so that it need not be looked through after each value. Default: it is looked through. */
  readonly isPlain?: true;
}

/** A named set of aggregates: the shape of the result, one aggregate for each property. */
export type Aggregates<A, O> = { readonly [K in keyof O]: Aggregate<A, O[K]> };

/** How many values there were. */
export const count = (): Aggregate<unknown, number> => ({
  name: "count",
  isPlain: true,
  init: () => 0,
  add: (state: number) => state + 1,
  merge: (a: number, b: number) => a + b,
  out: (state: number) => state,
});

/**
 * The sum of a number of each value; 0 of none. Sums of whole numbers up to 2^53 are exact. The last digits of sums of fractions
 * depend on the order of the values, as in all floating point: count in the smallest unit, such as cents.
 *
 * Fails with `InvalidOperator` for anything but finite numbers, and when the sum is none any more.
 */
export const sum = <A>(of: (value: A) => number): Aggregate<A, number> => ({
  name: "sum",
  isPlain: true,
  init: () => 0,
  add: (state: number, value) => total("sum", state, finite("sum", of(value))),
  merge: (a: number, b: number) => total("sum", a, b),
  out: (state: number) => state,
});

/** The smallest number. Fails with `InvalidOperator` for anything but finite numbers. */
export const min = <A>(of: (value: A) => number): Aggregate<A, number> => extreme("min", of, Math.min);

/** The largest number. Fails with `InvalidOperator` for anything but finite numbers. */
export const max = <A>(of: (value: A) => number): Aggregate<A, number> => extreme("max", of, Math.max);

/** The arithmetic mean: the {@link sum} divided by the count, with the same limits. */
export const mean = <A>(of: (value: A) => number): Aggregate<A, number> => ({
  name: "mean",
  isPlain: true,
  init: () => [0, 0],
  add: ([all, n]: Mean, value) => [total("mean", all, finite("mean", of(value))), n + 1],
  merge: ([a, n]: Mean, [b, m]: Mean) => [total("mean", a, b), n + m],
  out: ([all, n]: Mean) => all / n,
});

/** The sum and how many. */
type Mean = readonly [total: number, n: number];

/**
 * Anything else: `f` makes the next state of the last one and a value. The state is the result, and must be JSON. `f` gets the
 * values in the order of their arrival: a result that depends on it may be another one when partitions are read again.
 *
 * `merge` makes one state of two, `a` being earlier in event time, and is needed by `session()` only. There `init` must be
 * neutral: `merge(init, s)` is `s`.
 *
 * @example
 * ```ts
 * fold("", (longest, word: string) => (word.length > longest.length ? word : longest))
 * ```
 */
export const fold = <A, S>(init: S, f: (state: S, value: A) => S, merge?: (a: S, b: S) => S): Aggregate<A, S> => ({
  name: "fold",
  init: () => init,
  add: (state: S, value) => f(state, value),
  ...(merge === undefined ? {} : { merge }),
  out: (state: S) => state,
});

function extreme<A>(
  name: string,
  of: (value: A) => number,
  choose: (a: number, b: number) => number,
): Aggregate<A, number> {
  // A window exists because of a value, so the empty state never becomes a result.
  const merge = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? (a ?? b) : choose(a, b);
  return {
    name,
    isPlain: true,
    init: () => null,
    add: (state: number | null, value) => merge(state, finite(name, of(value))),
    merge,
    out: (state: number) => state,
  };
}

/** A number as state can hold it: NaN, infinities and -0 have no JSON form and would come back as something else. */
export function finite(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new MillraceError("InvalidOperator", `${name}() takes finite numbers, not ${kindOf(value)}`);
  }
  return value + 0;
}

function total(name: string, a: number, b: number): number {
  const result = a + b;
  if (!Number.isFinite(result)) {
    throw new MillraceError("InvalidOperator", `${name}() has gone beyond the largest number: add up a larger unit`);
  }
  return result;
}
