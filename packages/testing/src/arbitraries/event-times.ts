import { type Duration, MillraceError } from "@millrace/core";
import * as fc from "fast-check";
import { checkOptions, checkShare, durationMs } from "./options.ts";

/** Something that happens to a share of the records, up to some extent. */
export interface Rare {
  /** To which share of the records: 0 to 1. */
  readonly share: number;
  /** How much at most. */
  readonly most: Duration;
}

/** How event times of successive records lie. */
export interface EventTimeOptions {
  /** The event time of the first record, before its delays; ms since the Unix epoch. Default the start of 2024. */
  readonly startMs?: number;
  /** A record happens by 0 to so much after the one before. Default `"1 s"`. */
  readonly step?: Duration;
  /** How far records may be behind the newest one in front of them. Default `"0 ms"`: they are in order. */
  readonly outOfOrder?: Duration;
  /** Outliers: records that are behind by more than `outOfOrder`, up to `most`. Default: none. */
  readonly late?: Rare;
  /** Leaps of event time in front of a record, as a source makes them that had nothing to tell. Default: none. */
  readonly gaps?: Rare;
  /** Idle phases: nothing is sent for so long, and event time goes on as long. Default: none. */
  readonly idle?: Rare;
}

/** What is drawn for one record, in ms. All is 0 for the simplest one. */
export interface TimeStep {
  /** How much later it happens than the one before. */
  readonly stepMs: number;
  /** How far it is behind the newest one, within the bound. */
  readonly behindMs: number;
  /** How far it is behind if it is an outlier; else 0. */
  readonly lateMs: number;
  readonly gapMs: number;
  readonly idleMs: number;
}

/** A way in which event times lie, for any number of records. */
export interface EventTimes {
  /** Draws what happens between one record and the next. Shrinks towards records in order, at the same time, without gaps. */
  readonly step: fc.Arbitrary<TimeStep>;
  /** The event times of so many records, ms since the Unix epoch. */
  readonly timesOf: (steps: readonly TimeStep[]) => readonly number[];
}

const START_OF_2024_MS = 1_704_067_200_000;
const OPTIONS = ["startMs", "step", "outOfOrder", "late", "gaps", "idle"] satisfies (keyof EventTimeOptions)[];

/**
 * Event times with disorder. Every record but outliers is behind the newest one in front of it by at most `outOfOrder`; an outlier is
 * behind by more, up to `late.most`. Give it to `recordsOf`, or use it by itself:
 *
 * ```ts
 * const times = eventTimes({ outOfOrder: "5 s", late: { share: 0.01, most: "1 h" } });
 * fc.array(times.step).map((steps) => times.timesOf(steps));
 * ```
 *
 * Throws `InvalidOption`, also where `late.most` is not above `outOfOrder`.
 */
export function eventTimes(options: EventTimeOptions = {}): EventTimes {
  checkOptions("eventTimes", options, OPTIONS);
  const { startMs = START_OF_2024_MS, step = "1 s", outOfOrder = "0 ms" } = options;
  if (!Number.isSafeInteger(startMs)) {
    throw new MillraceError("InvalidOption", "eventTimes: startMs is a whole number of ms");
  }
  const boundMs = durationMs("eventTimes: outOfOrder", outOfOrder);
  return {
    step: fc.record(
      {
        stepMs: fc.nat(durationMs("eventTimes: step", step)),
        behindMs: fc.nat(boundMs),
        lateMs: rarely("late", options.late, boundMs),
        gapMs: rarely("gaps", options.gaps, 0),
        idleMs: rarely("idle", options.idle, 0),
      },
      { noNullPrototype: true },
    ),
    timesOf: (steps) => timesOf(startMs, steps),
  };
}

/** 0, or for a share of the records something above a bound. */
function rarely(name: string, rare: Rare | undefined, aboveMs: number): fc.Arbitrary<number> {
  if (rare === undefined) {
    return fc.constant(0);
  }
  checkOptions(`eventTimes: ${name}`, rare, ["share", "most"]);
  checkShare(`eventTimes: ${name}.share`, rare.share);
  const mostMs = durationMs(`eventTimes: ${name}.most`, rare.most);
  if (mostMs <= aboveMs) {
    throw new MillraceError("InvalidOption", `eventTimes: ${name}.most must be above ${aboveMs} ms, not ${mostMs} ms`);
  }
  const weight = Math.round(rare.share * 10_000);
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 10_000 - weight, arbitrary: fc.constant(0) },
    { weight, arbitrary: fc.integer({ min: aboveMs + 1, max: mostMs }) },
  );
}

function timesOf(startMs: number, steps: readonly TimeStep[]): readonly number[] {
  /** Where a record would be that nothing has delayed. The newest one is never ahead of it. */
  let front = startMs;
  let newest = Number.NEGATIVE_INFINITY;
  return steps.map(({ stepMs, behindMs, lateMs, gapMs, idleMs }, index) => {
    front += (index === 0 ? 0 : stepMs) + gapMs + idleMs;
    // An outlier is measured from what was sent, so that it is one: in front of the first record there is nothing to be behind.
    const time = lateMs > 0 && newest > Number.NEGATIVE_INFINITY ? newest - lateMs : front - behindMs;
    newest = Math.max(newest, time);
    return time;
  });
}
