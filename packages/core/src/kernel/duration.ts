import * as E from "fp-ts/lib/Either.js";
import { quote } from "./name.ts";

type Unit =
  | "ms"
  | "s"
  | "second"
  | "seconds"
  | "min"
  | "minute"
  | "minutes"
  | "h"
  | "hour"
  | "hours"
  | "d"
  | "day"
  | "days";

/** A length of time with its unit: `"250 ms"`, `"10 s"`, `"1 minute"`, `"2h"`, `"1 day"`. Bare numbers do not compile. */
export type Duration = `${number} ${Unit}` | `${number}${"ms" | "s" | "h" | "d"}`;

/** The text is not a duration. */
export interface InvalidDuration {
  readonly _tag: "InvalidDuration";
  readonly message: string;
}

const UNIT_MS: { readonly [unit in Unit]: number } = {
  ms: 1,
  s: 1_000,
  second: 1_000,
  seconds: 1_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
};

/**
 * The duration in whole milliseconds, `Left` when the text is no duration, is negative, is not a whole number of
 * milliseconds or exceeds `Number.MAX_SAFE_INTEGER`.
 */
export function parseDuration(text: unknown): E.Either<InvalidDuration, number> {
  const match = typeof text === "string" ? /^(\d{1,30})(?:\.(\d{1,30}))? ?([a-z]+)$/.exec(text) : null;
  const [, whole = "", fraction = "", unit = ""] = match ?? [];
  if (!isUnit(unit)) {
    return E.left({
      _tag: "InvalidDuration",
      message: `${quote(text)} is not a duration: write a number and a unit, such as "250 ms", "10 s", "1 minute", "2 hours" or "1 day"`,
    });
  }
  // In whole numbers: in floating point 16.1 * 1,000 is no whole number.
  const scaled = BigInt(whole + fraction) * BigInt(UNIT_MS[unit]);
  const scale = 10n ** BigInt(fraction.length);
  const ms = Number(scaled / scale);
  if (scaled % scale !== 0n || !Number.isSafeInteger(ms)) {
    return E.left({
      _tag: "InvalidDuration",
      message: `${quote(text)} is not a whole number of milliseconds up to ${Number.MAX_SAFE_INTEGER}`,
    });
  }
  return E.right(ms);
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(UNIT_MS, text);
}
