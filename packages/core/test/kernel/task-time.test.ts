import { BEFORE_FIRST, compareOffsets, type Offset, offsetOf } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advance,
  decodeTime,
  encodeTime,
  fetched,
  isInactive,
  reached,
  START_OF_TIME,
  type TaskTime,
  type TimePolicy,
  type TimeSnapshot,
} from "../../src/kernel/task-time.ts";

const NEVER_IDLE: TimePolicy = { outOfOrdernessMs: 0, idleAfterMs: null };

/** The offset of the n-th record; 0: before the first. */
function nth(n: number): Offset {
  return n === 0 ? BEFORE_FIRST : offsetOf(`${n}-0`, 0);
}

function snapshot(end: number, what: Partial<TimeSnapshot> = {}): TimeSnapshot {
  return { writers: {}, end: nth(end), sealed: false, ...what };
}

function saw(time: TaskTime, eventTimeMs: number): TaskTime {
  return { ...time, maxEventTimeMs: Math.max(time.maxEventTimeMs ?? Number.NEGATIVE_INFINITY, eventTimeMs) };
}

const writers = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.integer({ min: -50, max: 150 }), {
  noNullPrototype: true,
});
const policy = fc.record({
  outOfOrdernessMs: fc.nat({ max: 20 }),
  idleAfterMs: fc.option(fc.nat({ max: 20 })),
});

type Step =
  | { readonly kind: "read"; readonly eventTimeMs: number }
  | {
      readonly kind: "fetch";
      readonly ahead: number;
      readonly writers: Record<string, number>;
      readonly sealed: boolean;
    }
  | { readonly kind: "advance"; readonly idleMs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("read" as const), eventTimeMs: fc.integer({ min: -50, max: 150 }) }),
  fc.record({ kind: fc.constant("fetch" as const), ahead: fc.nat({ max: 3 }), writers, sealed: fc.boolean() }),
  fc.record({ kind: fc.constant("advance" as const), idleMs: fc.nat({ max: 40 }) }),
);

/** Carries a step out as a task does: what was read counts before what was fetched is applied. */
function take(time: TaskTime, position: number, next: Step, how: TimePolicy): { time: TaskTime; position: number } {
  switch (next.kind) {
    case "read":
      return { time: reached(saw(time, next.eventTimeMs), nth(position + 1)), position: position + 1 };
    case "fetch": {
      const what = snapshot(position + next.ahead, { writers: next.writers, sealed: next.sealed });
      return { time: reached(fetched(time, what), nth(position)), position };
    }
    case "advance":
      return { time: advance(time, how, next.idleMs), position };
  }
}

/** Runs `check` after every one of some random steps. */
function alongRandomSteps(check: (before: TaskTime, after: TaskTime, position: number) => void): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), policy, (steps, how) => {
      let at = { time: START_OF_TIME, position: 0 };
      for (const next of steps) {
        const before = at.time;
        at = take(at.time, at.position, next, how);
        check(before, at.time, at.position);
      }
    }),
    { numRuns: 500 },
  );
}

describe("the event time of a task", () => {
  it("never moves back (T1)", () => {
    alongRandomSteps((before, after) => {
      expect(after.watermarkMs).toBeGreaterThanOrEqual(before.watermarkMs);
    });
  });

  it("never passes what an active writer has promised (T2)", () => {
    alongRandomSteps((before, after) => {
      const bound = Math.min(...Object.values(after.applied?.writers ?? {}));
      expect(after.watermarkMs).toBeLessThanOrEqual(Math.max(before.watermarkMs, bound));
    });
  });

  it("stands still until it is known which tasks write the topic, whatever was read", () => {
    alongRandomSteps((before, { applied, pending, newest, watermarkMs }) => {
      const hasWriters = Object.keys((newest ?? pending)?.writers ?? { unknown: 0 }).length > 0;
      expect(applied === null && hasWriters ? watermarkMs : before.watermarkMs).toBe(before.watermarkMs);
    });
  });

  it("follows producers' records through a backlog that no task has written", () => {
    const time = saw(fetched(START_OF_TIME, snapshot(1_000, { sealed: true })), 7);
    expect(advance(time, NEVER_IDLE, 0).watermarkMs).toBe(7);
    const held = saw(fetched(START_OF_TIME, snapshot(1_000, { writers: { a: 3 } })), 7);
    expect(advance(held, NEVER_IDLE, 0).watermarkMs).toBe(Number.NEGATIVE_INFINITY);
  });

  it("applies a snapshot only when everything in front of its end was read (T3)", () => {
    alongRandomSteps((_before, { applied, pending }, position) => {
      expect(compareOffsets(applied?.end ?? BEFORE_FIRST, nth(position))).toBeLessThanOrEqual(0);
      expect(pending === null || compareOffsets(pending.end, nth(position)) > 0).toBe(true);
    });
  });

  it("applies the newest snapshot once its end is reached", () => {
    const snapshots = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(snapshots, writers, (growth, promises) => {
        let end = 0;
        let time = START_OF_TIME;
        for (const [index, more] of growth.entries()) {
          end += more;
          time = fetched(time, snapshot(end, index === growth.length - 1 ? { writers: promises } : {}));
        }
        const { applied, pending, newest } = reached(time, nth(end));
        expect(applied).toEqual(snapshot(end, { writers: promises }));
        expect([pending, newest]).toEqual([null, null]);
      }),
    );
  });

  it("gets somewhere in a partition that grows faster than it is read", () => {
    let time = fetched(START_OF_TIME, snapshot(10, { writers: { a: 1 } }));
    for (let position = 1; position <= 10; position++) {
      time = reached(fetched(time, snapshot(10 + position * 5, { writers: { a: 1 + position } })), nth(position));
    }
    expect(time.applied).toEqual(snapshot(10, { writers: { a: 1 } }));
    expect(time.pending).toEqual(snapshot(60, { writers: { a: 11 } }));
    expect(advance(time, NEVER_IDLE, 0).watermarkMs).toBe(1);
  });

  it("follows the newest producer's record at the distance of the tolerated disorder", () => {
    const time = saw(reached(fetched(START_OF_TIME, snapshot(0)), nth(0)), 1_000);
    expect(advance(time, { outOfOrdernessMs: 30, idleAfterMs: null }, 0).watermarkMs).toBe(970);
  });

  it("moves on with the clock where the topic says so, but not past a writer", () => {
    const idle = { outOfOrdernessMs: 10, idleAfterMs: 100 };
    const time = saw(reached(fetched(START_OF_TIME, snapshot(0)), nth(0)), 1_000);
    expect([0, 99, 100, 250].map((ms) => advance(time, idle, ms).watermarkMs)).toEqual([990, 990, 1_090, 1_240]);
    const held = reached(fetched(time, snapshot(0, { writers: { a: 1_000 } })), nth(0));
    expect(advance(held, idle, 250).watermarkMs).toBe(1_000);
  });

  it("ends when producers have ended and no writer is left", () => {
    const time = saw(reached(fetched(START_OF_TIME, snapshot(0, { sealed: true })), nth(0)), 7);
    expect(advance(time, NEVER_IDLE, 0).watermarkMs).toBe(Number.POSITIVE_INFINITY);
    const held = reached(fetched(START_OF_TIME, snapshot(0, { sealed: true, writers: { a: 3, b: 9 } })), nth(0));
    expect(advance(held, NEVER_IDLE, 0).watermarkMs).toBe(3);
  });
});

/** How a log came into being: what was appended between two looks at it, and what writers promised at each. */
interface History {
  readonly eventTimes: readonly (number | null)[];
  readonly looks: readonly TimeSnapshot[];
}

const growth = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 30 }), fc.nat({ max: 30 })), {
  minLength: 1,
  maxLength: 8,
});

/** A topic of producers, or one that two tasks write, whose promises grow. Either may be sealed at the end. */
const history: fc.Arbitrary<History> = fc
  .tuple(growth, fc.boolean(), fc.boolean(), fc.array(fc.integer({ min: -50, max: 150 }), { minLength: 48 }))
  .map(([steps, hasWriters, sealed, times]) => {
    let end = 0;
    let promises = { a: 0, b: 10 };
    const looks = steps.map(([more, a, b], index) => {
      end += more;
      promises = { a: promises.a + a, b: promises.b + b };
      const isLast = index === steps.length - 1;
      return snapshot(end, { writers: hasWriters ? promises : {}, sealed: isLast && sealed });
    });
    return { eventTimes: times.slice(0, end).map((time) => (hasWriters ? null : time)), looks };
  });

/** Which look is asked for next (and so whether any is skipped), and how many records are read before it arrives. */
const schedule = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 20 }), fc.boolean()), { maxLength: 12 });

function replay(log: History, portions: readonly (readonly [number, number, boolean])[], how: TimePolicy): number {
  let time = START_OF_TIME;
  let position = 0;
  let look = -1;
  const read = (count: number): void => {
    const until = Math.min(position + count, log.eventTimes.length);
    for (const eventTimeMs of log.eventTimes.slice(position, until)) {
      time = eventTimeMs === null ? time : saw(time, eventTimeMs);
      position += 1;
      time = reached(time, nth(position));
    }
  };
  const arrive = (index: number): void => {
    const what = log.looks[index];
    time = what === undefined ? time : reached(fetched(time, what), nth(position));
  };
  for (const [skip, count, isTimed] of portions) {
    look = Math.min(look + skip, log.looks.length - 1);
    read(count);
    arrive(look);
    time = isTimed ? advance(time, how, 0) : time;
  }
  arrive(log.looks.length - 1);
  read(log.eventTimes.length);
  return advance(time, how, 0).watermarkMs;
}

describe("the event time of a task that has read everything", () => {
  it("depends on the log alone, not on when or in which portions it was read (T4)", () => {
    const noIdle = fc.nat({ max: 20 }).map((outOfOrdernessMs) => ({ outOfOrdernessMs, idleAfterMs: null }));
    fc.assert(
      fc.property(history, schedule, schedule, noIdle, (log, one, other, how) => {
        expect(replay(log, one, how)).toBe(replay(log, other, how));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a task is inactive", () => {
  const waiting = reached(fetched(START_OF_TIME, snapshot(0)), nth(0));
  const idle: TimePolicy = { outOfOrdernessMs: 0, idleAfterMs: 100 };

  it("when it has waited long enough at the end of a partition that never had a record", () => {
    expect(isInactive(waiting, idle, 99)).toBe(false);
    expect(isInactive(waiting, idle, 100)).toBe(true);
  });

  it.each<[string, TaskTime, TimePolicy]>([
    ["it does not know the end of its partition", START_OF_TIME, idle],
    ["it has seen a record", saw(waiting, 5), idle],
    ["a writer may still write", reached(fetched(START_OF_TIME, snapshot(0, { writers: { a: 5 } })), nth(0)), idle],
    ["its time has moved", { ...waiting, watermarkMs: 5 }, idle],
    ["the topic does not let time move by itself", waiting, NEVER_IDLE],
  ])("but not when %s", (_why, time, how) => {
    expect(isInactive(time, how, 1_000)).toBe(false);
  });
});

describe("stored event time", () => {
  it("comes back as it was, infinite or not", () => {
    const max = fc.option(fc.integer());
    const watermark = fc.oneof(fc.integer(), fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(max, watermark, (maxEventTimeMs, watermarkMs) => {
        const time = { ...START_OF_TIME, maxEventTimeMs, watermarkMs };
        expect(decodeTime(encodeTime(time))).toEqual(time);
      }),
    );
  });

  it("does not hold snapshots, which are fetched again", () => {
    const time = fetched(fetched(START_OF_TIME, snapshot(3)), snapshot(5));
    expect(decodeTime(encodeTime({ ...time, applied: snapshot(1) }))).toEqual(START_OF_TIME);
  });

  it("is the start of time where nothing is stored", () => {
    expect(decodeTime(null)).toEqual(START_OF_TIME);
  });

  it.each([
    "",
    "null",
    "[]",
    "7",
    "{",
    "{}",
    '{"max":null}',
    '{"watermark":1}',
    '{"max":"1","watermark":1}',
    '{"max":null,"watermark":null}',
    '{"max":null,"watermark":""}',
    '{"max":null,"watermark":"NaN"}',
    '{"max":null,"watermark":true}',
    '{"max":null,"watermark":[5]}',
  ])("is refused when it reads %s", (text) => {
    expect(decodeTime(text)).toBeNull();
  });
});
