import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import type { RecordInfo } from "../topology/record.ts";

/**
 * How values become one: an aggregate of a window. State must be JSON; it is stored with the task's commits.
 * `add` returns the next state and does not change the one it is given.
 */
export interface Aggregate<in A, out O> {
  readonly name: string;
  /** The state before the first value. */
  init(): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the state's type is the aggregate's own affair.
  add(state: any, value: A, record: RecordInfo): unknown;
  /** The result of a state. */
  // biome-ignore lint/suspicious/noExplicitAny: see add.
  out(state: any): O;
}

/** A named set of aggregates: the shape of the result, one aggregate for each property. */
export type Aggregates<A, O> = { readonly [K in keyof O]: Aggregate<A, O[K]> };

/** How many values there were. */
export const count = (): Aggregate<unknown, number> => ({
  name: "count",
  init: () => 0,
  add: (state: number) => state + 1,
  out: (state: number) => state,
});

/** The sum of a number of each value; 0 of none. Sums of fractions depend on their order, as in all floating point. */
export const sum = <A>(of: (value: A) => number): Aggregate<A, number> => ({
  name: "sum",
  init: () => 0,
  add: (state: number, value) => state + finite("sum", of(value)),
  out: (state: number) => state,
});

/** The smallest number. */
export const min = <A>(of: (value: A) => number): Aggregate<A, number> => extreme("min", of, Math.min);

/** The largest number. */
export const max = <A>(of: (value: A) => number): Aggregate<A, number> => extreme("max", of, Math.max);

/** The arithmetic mean: the sum divided by the count. */
export const mean = <A>(of: (value: A) => number): Aggregate<A, number> => ({
  name: "mean",
  init: () => [0, 0],
  add: ([total, n]: [number, number], value) => [total + finite("mean", of(value)), n + 1],
  out: ([total, n]: [number, number]) => total / n,
});

/** Anything else: `f` makes the next state of the last one and a value. The state is the result, and must be JSON. */
export const fold = <A, S>(init: S, f: (state: S, value: A) => S): Aggregate<A, S> => ({
  name: "fold",
  init: () => init,
  add: (state: S, value) => f(state, value),
  out: (state: S) => state,
});

function extreme<A>(
  name: string,
  of: (value: A) => number,
  choose: (a: number, b: number) => number,
): Aggregate<A, number> {
  return {
    name,
    // A window exists because of a value, so the empty state never becomes a result.
    init: () => null,
    add: (state: number | null, value) => {
      const number = finite(name, of(value));
      return state === null ? number : choose(state, number);
    },
    out: (state: number) => state,
  };
}

/** NaN and infinities have no JSON form: as state they would come back as something else. */
function finite(name: string, value: number): number {
  if (!Number.isFinite(value)) {
    throw new MillraceError("InvalidOperator", `${name}() takes finite numbers, not ${kindOf(value)}`);
  }
  return value;
}
