/**
 * A sketch of a multiset of numbers, from which quantiles can be read with a bounded relative error: DDSketch (Masson, Rim
 * and Lee, VLDB 2019) with linearly interpolated buckets. Each power of two is cut into the same number of buckets of equal
 * width, so that a bucket follows from a number by exact arithmetic, the same on every machine.
 *
 * Invariant: a sketch is a function of the multiset of its numbers. It depends neither on their order, nor on how sketches
 * were merged, nor on whether they were stored as JSON in between. It holds with more buckets than are kept, too: what remains
 * are the buckets of the largest magnitudes, and all smaller numbers are in the smallest of these.
 */

/** Magnitudes below are counted as zero: they have fewer significant bits. */
const LEAST_MAGNITUDE = 2 ** -1022;
/** How many powers of two there is room for, for each sign, when every bucket is in use. Else there is room for more. */
const MAX_OCTAVES = 40;

/** Counts by bucket, `[bucket, count, bucket, count, …]`, by ascending bucket. */
type Buckets = readonly number[];

/** At least one number. Immutable, and exact as JSON. */
export interface QuantileSketch {
  /** How many numbers. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly zeros: number;
  readonly positive: Buckets;
  /** Of the magnitudes of negative numbers. */
  readonly negative: Buckets;
}

/** A sketch of one finite number. `resolution` is that of {@link resolutionFor}. */
export function sketchOf(value: number, resolution: number): QuantileSketch {
  const magnitude = Math.abs(value);
  const isZero = magnitude < LEAST_MAGNITUDE;
  const bucket = isZero ? [] : [bucketOf(magnitude, resolution), 1];
  // Adding 0 turns -0, which has no JSON form, into 0.
  const exact = value + 0;
  return {
    count: 1,
    min: exact,
    max: exact,
    zeros: isZero ? 1 : 0,
    positive: value > 0 ? bucket : [],
    negative: value < 0 ? bucket : [],
  };
}

/** The sketch of the numbers of both, which must have the same resolution. */
export function mergeSketches(a: QuantileSketch, b: QuantileSketch, resolution: number): QuantileSketch {
  return {
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    zeros: a.zeros + b.zeros,
    positive: collapse(mergeBuckets(a.positive, b.positive), resolution * MAX_OCTAVES),
    negative: collapse(mergeBuckets(a.negative, b.negative), resolution * MAX_OCTAVES),
  };
}

/**
 * The number at a rank, 1 for the least to `count` for the largest: within the accuracy of the number that has this rank, unless
 * its bucket is no longer kept. The least and the largest number are exact.
 */
export function valueAt(sketch: QuantileSketch, rank: number, resolution: number): number {
  if (rank <= 1) {
    return sketch.min;
  }
  if (rank >= sketch.count) {
    return sketch.max;
  }
  return Math.min(Math.max(estimateAt(sketch, rank, resolution), sketch.min), sketch.max);
}

/** Into how many buckets a power of two is cut, so that the relative error stays within `accuracy` (> 0, < 1). */
export function resolutionFor(accuracy: number): number {
  // The first bucket of a power of two is the widest in relation to its numbers: its error is 1 / (2 * resolution + 1).
  return Math.max(1, Math.ceil((1 / accuracy - 1) / 2));
}

function estimateAt({ count, zeros, positive, negative }: QuantileSketch, rank: number, resolution: number): number {
  const negatives = count - zeros - totalOf(positive);
  if (rank <= negatives) {
    // The least number has the largest magnitude.
    return -magnitudeOf(bucketAt(negative, negatives - rank + 1), resolution);
  }
  return rank <= negatives + zeros ? 0 : magnitudeOf(bucketAt(positive, rank - negatives - zeros), resolution);
}

/** The bucket of a magnitude. */
function bucketOf(magnitude: number, resolution: number): number {
  // The logarithm is only a guess: it may be rounded up to the next power of two.
  const guess = Math.floor(Math.log2(magnitude));
  const exponent = guess > 1023 || 2 ** guess > magnitude ? guess - 1 : guess;
  return exponent * resolution + Math.floor((magnitude / 2 ** exponent - 1) * resolution);
}

/** The number for which the largest relative error to the numbers of a bucket is least. */
function magnitudeOf(bucket: number, resolution: number): number {
  const exponent = Math.floor(bucket / resolution);
  const share = bucket - exponent * resolution;
  const low = 1 + share / resolution;
  const high = 1 + (share + 1) / resolution;
  return ((2 * low * high) / (low + high)) * 2 ** exponent;
}

/** The bucket of the number at a rank. */
function bucketAt(buckets: Buckets, rank: number): number {
  let seen = 0;
  for (let i = 0; i < buckets.length; i += 2) {
    seen += buckets[i + 1] ?? 0;
    if (seen >= rank) {
      return buckets[i] ?? 0;
    }
  }
  return buckets.at(-2) ?? 0;
}

function totalOf(buckets: Buckets): number {
  let total = 0;
  for (let i = 1; i < buckets.length; i += 2) {
    total += buckets[i] ?? 0;
  }
  return total;
}

function mergeBuckets(a: Buckets, b: Buckets): Buckets {
  if (a.length < b.length) {
    return mergeBuckets(b, a);
  }
  const [bucket, count] = b;
  if (bucket === undefined || count === undefined) {
    return a;
  }
  return b.length === 2 ? addToBucket(a, bucket, count) : interleave(a, b);
}

/** What happens for each number, and so without a look at every bucket. */
function addToBucket(buckets: Buckets, bucket: number, count: number): Buckets {
  let low = 0;
  let high = buckets.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((buckets[middle * 2] ?? 0) < bucket) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const before = countAt(buckets, low * 2, bucket);
  return buckets.toSpliced(low * 2, before > 0 ? 2 : 0, bucket, before + count);
}

function interleave(a: Buckets, b: Buckets): Buckets {
  const merged: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const bucket = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    const left = countAt(a, i, bucket);
    const right = countAt(b, j, bucket);
    merged.push(bucket, left + right);
    i += left > 0 ? 2 : 0;
    j += right > 0 ? 2 : 0;
  }
  return merged;
}

/** The count at a place, > 0, if it is that of this bucket; else 0. */
function countAt(buckets: Buckets, place: number, bucket: number): number {
  return buckets[place] === bucket ? (buckets[place + 1] ?? 0) : 0;
}

/** At most so many buckets: the ones below are added to the lowest that stays. */
function collapse(buckets: Buckets, most: number): Buckets {
  const extra = buckets.length - most * 2;
  if (extra <= 0) {
    return buckets;
  }
  const [lowest = 0, own = 0, ...others] = buckets.slice(extra);
  return [lowest, own + totalOf(buckets.slice(0, extra)), ...others];
}
