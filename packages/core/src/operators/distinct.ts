import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import { type Aggregate, finite } from "./aggregates.ts";

/** What {@link distinct} tells apart. */
export type DistinctValue = string | number | boolean;

/** How much {@link distinct} keeps. */
export interface DistinctOptions {
  /** The most different values of one key and window, >= 1. Default: 10,000. All of them are read and written at each change. */
  readonly max?: number;
}

const DEFAULT_MAX = 10_000;

/**
 * The different values, sorted, so that the result does not depend on the order of arrival: numbers by size, strings by their
 * UTF-16 code units, `false` in front of `true`; mixed, first the booleans, then the numbers, then the strings. 1 and `"1"`
 * are two values.
 *
 * Throws `InvalidOption` unless `max` is a whole number >= 1. Fails with `InvalidOperator` for more than `max` different values,
 * and for anything but strings, booleans and finite numbers.
 */
export function distinct<A, V extends DistinctValue>(
  of: (value: A) => V,
  options: DistinctOptions = {},
): Aggregate<A, readonly V[]> {
  checkFunction("distinct", of);
  checkOptions("distinct", options, ["max"]);
  const { max = DEFAULT_MAX } = options;
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new MillraceError("InvalidOption", `distinct: max must be a whole number >= 1, not ${max}`);
  }
  const bounded = (values: readonly DistinctValue[]): readonly DistinctValue[] => {
    if (values.length > max) {
      throw new MillraceError(
        "InvalidOperator",
        `distinct() has found more than ${max} different values of one key: raise its option max, take windows that are shorter or keys that are finer, or tell fewer values apart`,
      );
    }
    return values;
  };
  return {
    name: "distinct",
    isPlain: true,
    init: () => [],
    add: (state: readonly DistinctValue[], value) => {
      const found = checked(of(value));
      const at = placeOf(state, found);
      return state[at] === found ? state : bounded(state.toSpliced(at, 0, found));
    },
    merge: (a: readonly DistinctValue[], b: readonly DistinctValue[]) =>
      bounded([...new Set([...a, ...b])].toSorted(compare)),
    // Only what `of` has returned is in it.
    out: (state) => state as readonly V[],
  };
}

function checked(value: unknown): DistinctValue {
  if (typeof value === "string" || typeof value === "boolean") {
    return value;
  }
  if (typeof value === "number") {
    return finite("distinct", value);
  }
  throw new MillraceError(
    "InvalidOperator",
    `distinct() takes strings, booleans and finite numbers, not ${kindOf(value)}`,
  );
}

/** Where a value is in a sorted list, or would be. */
function placeOf(sorted: readonly DistinctValue[], value: DistinctValue): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = sorted[middle];
    if (found !== undefined && compare(found, value) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function compare(a: DistinctValue, b: DistinctValue): number {
  // The names of types and the values of one type are both ordered by <.
  const [x, y] = typeof a === typeof b ? [a, b] : [typeof a, typeof b];
  if (x === y) {
    return 0;
  }
  return x < y ? -1 : 1;
}
