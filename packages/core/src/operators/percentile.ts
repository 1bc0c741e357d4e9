import { MillraceError } from "../errors.ts";
import { mergeSketches, type QuantileSketch, resolutionFor, sketchOf, valueAt } from "../kernel/quantile-sketch.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import { type Aggregate, finite } from "./aggregates.ts";

/** How exact percentiles are. */
export interface PercentileOptions {
  /**
   * The relative error of a result, from 0.001 to 0.5. Default: 0.01, so that 100 may come out as 99 to 101. The size of the state
   * grows with 1 / accuracy: at 0.01 at most 2,000 counters for each sign, and as many as there are clearly different values.
   */
  readonly accuracy?: number;
}

/** The result of {@link percentiles}: a property for each, `p50`, `p99_9`. */
export type Percentiles<P extends number> = { readonly [Name in P as PercentileName<Name>]: number };

type PercentileName<P extends number> = number extends P
  ? string
  : `${P}` extends `${infer Whole}.${infer Fraction}`
    ? `p${Whole}_${Fraction}`
    : `p${P}`;

const DEFAULT_ACCURACY = 0.01;

/**
 * The percentile `p` (> 0, <= 100) of a number of each value, by nearest rank: a number such that at least p % of the numbers
 * are not larger. The result is within 1 % of that number, or within `accuracy`; of one value, and for `p` 100, it is exact. It
 * depends only on what the numbers are, not on their order.
 *
 * The state is a sketch of bounded size (DDSketch). Numbers that are smaller than the largest of the same sign by a factor of
 * 10^11 or more may come out too large in magnitude; magnitudes below 2.3e-308 count as 0.
 *
 * Throws `InvalidOption` for a `p` or an accuracy out of range. Fails with `InvalidOperator` for anything but finite numbers.
 *
 * @example
 * ```ts
 * window(tumbling("1 minute"), { p95: percentile((call) => call.ms, 95) }, { grace: "5 s" })
 * ```
 */
export function percentile<A>(
  of: (value: A) => number,
  p: number,
  options: PercentileOptions = {},
): Aggregate<A, number> {
  const { resolution, ...sketching } = sketched("percentile", of, { ps: [p], options });
  return { ...sketching, out: (state: QuantileSketch) => percentileOf(state, p, resolution) };
}

/**
 * Several percentiles from one sketch, each as {@link percentile}: `percentiles(of, [50, 99.9])` is `{ p50, p99_9 }`.
 *
 * Throws `InvalidOption` also when there are none.
 */
export function percentiles<A, const P extends number>(
  of: (value: A) => number,
  ps: readonly P[],
  options: PercentileOptions = {},
): Aggregate<A, Percentiles<P>> {
  const { resolution, ...sketching } = sketched("percentiles", of, { ps, options });
  return {
    ...sketching,
    out: (state: QuantileSketch) =>
      Object.fromEntries(
        ps.map((p) => [`p${String(p).replace(".", "_")}`, percentileOf(state, p, resolution)]),
      ) as Percentiles<P>,
  };
}

/** What percentiles have in common. An empty state is `null`: a window exists because of a value. */
function sketched<A>(
  what: string,
  of: (value: A) => number,
  { ps, options }: { readonly ps: readonly number[]; readonly options: PercentileOptions },
): Omit<Aggregate<A, never>, "out"> & { readonly resolution: number } {
  checkFunction(what, of);
  checkOptions(what, options, ["accuracy"]);
  const { accuracy = DEFAULT_ACCURACY } = options;
  if (!(accuracy >= 0.001 && accuracy <= 0.5)) {
    throw new MillraceError("InvalidOption", `${what}: accuracy must be from 0.001 to 0.5, not ${accuracy}`);
  }
  if (ps.length === 0) {
    throw new MillraceError("InvalidOption", `${what}: name at least one percentile, such as [50, 99]`);
  }
  const wrong = ps.find((p) => !(p > 0 && p <= 100));
  if (wrong !== undefined) {
    throw new MillraceError("InvalidOption", `${what}: a percentile must be > 0 and <= 100, not ${wrong}`);
  }
  const resolution = resolutionFor(accuracy);
  const merge = (a: QuantileSketch | null, b: QuantileSketch | null): QuantileSketch | null =>
    a === null || b === null ? (a ?? b) : mergeSketches(a, b, resolution);
  return {
    // What is stored depends on the accuracy, and not on which percentiles are asked for.
    name: `percentiles within ${accuracy}`,
    isPlain: true,
    init: () => null,
    add: (state: QuantileSketch | null, value) => merge(state, sketchOf(finite(what, of(value)), resolution)),
    merge,
    resolution,
  };
}

function percentileOf(sketch: QuantileSketch, p: number, resolution: number): number {
  // A product such as 64.4 * 250 / 100 may be rounded up, beyond the whole number that it is.
  const rank = Math.ceil(((p * sketch.count) / 100) * (1 - 4 * Number.EPSILON));
  return valueAt(sketch, rank, resolution);
}
