import { MillraceError } from "@millrace/core";
import * as fc from "fast-check";
import { checkOptions } from "./options.ts";

/** The names of generated keys. */
export interface KeyOptions {
  /** What keys begin with; a number from 1 follows. Default `"key-"`. */
  readonly prefix?: string;
}

/**
 * Keys that all come equally often. `count` >= 1: few (2) make each partition's order matter, many (100,000) make every record a key of
 * its own. Shrinks towards the first key. Throws `InvalidOption`.
 */
export function uniformKeys(count: number, options: KeyOptions = {}): fc.Arbitrary<string> {
  checkOptions("uniformKeys", options, ["prefix"]);
  checkCount("uniformKeys", count);
  return fc.noBias(fc.nat(count - 1)).map((index) => nameOf(index, options));
}

/**
 * Keys of which the first comes most often, the second half as often, the third a third as often, and so on, as words, users and shops
 * do. `exponent` (>= 0, default 1) makes that steeper; 0 is {@link uniformKeys}. `count`: 1 to 100,000. Shrinks towards the first key.
 * Throws `InvalidOption`.
 */
export function zipfKeys(
  count: number,
  options: KeyOptions & { readonly exponent?: number } = {},
): fc.Arbitrary<string> {
  checkOptions("zipfKeys", options, ["prefix", "exponent"]);
  checkCount("zipfKeys", count, 100_000);
  const { exponent = 1 } = options;
  if (!(exponent >= 0 && exponent <= 100)) {
    throw new MillraceError("InvalidOption", `zipfKeys: exponent must be from 0 to 100, not ${exponent}`);
  }
  const upTo: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= count; rank++) {
    total += rank ** -exponent;
    upTo.push(total);
  }
  return fc.noBias(fc.nat(RESOLUTION)).map((point) => {
    return nameOf(firstAbove(upTo, (point / (RESOLUTION + 1)) * total), options);
  });
}

/**
 * One key that most records have, and others. `share` (0 to 1, default 0.9) is that of the first key; the others come equally often.
 * `count` >= 2. Shrinks towards the hot key. Throws `InvalidOption`.
 */
export function hotKey(count: number, options: KeyOptions & { readonly share?: number } = {}): fc.Arbitrary<string> {
  checkOptions("hotKey", options, ["prefix", "share"]);
  const { share = 0.9 } = options;
  checkCount("hotKey", count);
  if (count < 2 || !(share >= 0 && share <= 1)) {
    const found = count < 2 ? `${count} key` : `a share of ${share}`;
    throw new MillraceError("InvalidOption", `hotKey needs at least 2 keys and a share from 0 to 1, not ${found}`);
  }
  const weight = Math.round(share * 1_000);
  return fc.oneof(
    { withCrossShrink: true },
    { weight, arbitrary: fc.constant(nameOf(0, options)) },
    { weight: 1_000 - weight, arbitrary: fc.noBias(fc.nat(count - 2)).map((index) => nameOf(index + 1, options)) },
  );
}

/** How finely the unit interval is cut. */
const RESOLUTION = 2 ** 31 - 2;

function nameOf(index: number, { prefix = "key-" }: KeyOptions): string {
  return `${prefix}${index + 1}`;
}

/** The first place of a rising list that is above a value. */
function firstAbove(rising: readonly number[], value: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? 0) > value) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

function checkCount(what: string, count: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= most)) {
    throw new MillraceError("InvalidOption", `${what}: there must be 1 to ${most} keys, not ${String(count)}`);
  }
}
