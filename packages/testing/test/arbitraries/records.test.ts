import { json, topic } from "@millrace/core";
import * as fc from "fast-check";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { arrivalsOf, eventTimes, hotKey, recordsOf, uniformKeys, zipfKeys } from "../../src/arbitraries.ts";

const Reading = t.type({ sensor: t.string, at: t.Int, celsius: t.number });
type Reading = t.TypeOf<typeof Reading>;
const readings = topic("readings", { codec: json(Reading), key: (r) => r.sensor, timestamp: (r) => r.at });
const from = (options: Parameters<typeof eventTimes>[0]) => ({ field: "at", from: eventTimes(options) }) as const;

describe("keys", () => {
  /** How often each key comes among many. */
  function shares(keys: fc.Arbitrary<string>): ReadonlyMap<string, number> {
    const drawn = fc.sample(keys, { numRuns: 10_000, seed: 3 });
    const counts = new Map<string, number>();
    for (const key of drawn) {
      counts.set(key, (counts.get(key) ?? 0) + 1 / drawn.length);
    }
    return counts;
  }

  it("that are uniform come equally often", () => {
    const found = shares(uniformKeys(10));
    expect(found.size).toBe(10);
    expect(Math.max(...found.values()) - Math.min(...found.values())).toBeLessThan(0.02);
    expect(shares(uniformKeys(1_000_000, { prefix: "user " })).size).toBeGreaterThan(9_900);
  });

  it("by Zipf come the less often the higher their rank", () => {
    const found = shares(zipfKeys(100));
    // The harmonic number of 100 is 5.187.
    expect(found.get("key-1")).toBeCloseTo(1 / 5.187, 1);
    expect(found.get("key-2")).toBeCloseTo(1 / 2 / 5.187, 1);
    expect((found.get("key-1") ?? 0) / (found.get("key-10") ?? 1)).toBeGreaterThan(6);
    const steep = shares(zipfKeys(100, { exponent: 3 }));
    expect(steep.get("key-1")).toBeGreaterThan(0.8);
    const even = shares(zipfKeys(10, { exponent: 0 }));
    expect(even.get("key-10")).toBeCloseTo(0.1, 1);
  });

  it("with a hot one are mostly that", () => {
    const found = shares(hotKey(5, { share: 0.7 }));
    expect(found.get("key-1")).toBeCloseTo(0.7, 1);
    expect(found.size).toBe(5);
  });

  it("shrink to the first one", () => {
    for (const keys of [uniformKeys(1_000), zipfKeys(1_000), hotKey(1_000)]) {
      const { counterexample } = fc.check(
        fc.property(keys, () => false),
        { seed: 5 },
      );
      expect(counterexample).toEqual(["key-1"]);
    }
  });

  it("of impossible numbers are refused", () => {
    for (const make of [
      () => uniformKeys(0),
      () => uniformKeys(1.5),
      () => zipfKeys(100_001),
      () => zipfKeys(5, { exponent: -1 }),
      () => hotKey(1),
      () => hotKey(2, { share: 2 }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ _tag: "InvalidOption" }) as Error);
    }
  });
});

describe("event times", () => {
  const bound = fc.nat(5_000);

  /** The times of so many records, with the newest time in front of each. */
  function withNewest(times: readonly number[]): readonly { readonly time: number; readonly newest: number }[] {
    let newest = Number.NEGATIVE_INFINITY;
    return times.map((time) => {
      const here = { time, newest };
      newest = Math.max(newest, time);
      return here;
    });
  }

  it("are behind the newest one by no more than the bound", () => {
    const cases = bound.chain((boundMs) => {
      const { step, timesOf } = eventTimes({ outOfOrder: `${boundMs} ms`, gaps: { share: 0.1, most: "1 h" } });
      return fc.tuple(fc.constant(boundMs), fc.array(step).map(timesOf));
    });
    fc.assert(
      fc.property(cases, ([boundMs, times]) => {
        for (const { time, newest } of withNewest(times)) {
          expect(time).toBeGreaterThanOrEqual(newest - boundMs);
        }
      }),
    );
  });

  it("without disorder never go back, and begin at the start", () => {
    const { step, timesOf } = eventTimes({ startMs: 1_000 });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }).map(timesOf), (times) => {
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times[0]).toBe(1_000);
      }),
    );
  });

  it("of outliers are behind by more than the bound, and as far as was said", () => {
    const late = { share: 1, most: "1 h" } as const;
    const { step, timesOf } = eventTimes({ outOfOrder: "5 s", late });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2 }).map(timesOf), (times) => {
        for (const { time, newest } of withNewest(times).slice(1)) {
          expect(time).toBeLessThan(newest - 5_000);
          expect(time).toBeGreaterThanOrEqual(newest - 3_600_000);
        }
      }),
    );
  });

  it("have as many outliers, gaps and idle phases as was said", () => {
    const { step } = eventTimes({
      outOfOrder: "1 s",
      late: { share: 0.1, most: "1 minute" },
      gaps: { share: 0.2, most: "1 h" },
      idle: { share: 0.3, most: "1 h" },
    });
    const steps = fc.sample(step, { numRuns: 5_000, seed: 1 });
    const share = (part: "lateMs" | "gapMs" | "idleMs"): number =>
      steps.filter((each) => each[part] > 0).length / 5_000;
    expect([share("lateMs"), share("gapMs"), share("idleMs")]).toEqual([
      expect.closeTo(0.1, 1),
      expect.closeTo(0.2, 1),
      expect.closeTo(0.3, 1),
    ]);
  });

  it("refuse what does not go together", () => {
    for (const options of [
      { late: { share: 2, most: "1 h" } },
      { outOfOrder: "1 h", late: { share: 0.1, most: "1 s" } },
      { startMs: 0.5 },
      { steps: "1 s" },
    ]) {
      expect(() => eventTimes(options as Parameters<typeof eventTimes>[0])).toThrow(
        expect.objectContaining({ _tag: "InvalidOption" }) as Error,
      );
    }
  });
});

describe("records of a topic", () => {
  const any = recordsOf(readings, {
    schema: Reading,
    keys: { field: "sensor", from: uniformKeys(3) },
    times: from({ outOfOrder: "5 s" }),
  });

  it("have the keys and times that were asked for", () => {
    fc.assert(
      fc.property(any, (values) => {
        let newest = Number.NEGATIVE_INFINITY;
        for (const value of values) {
          expect(Reading.is(value)).toBe(true);
          expect(readings.key?.(value)).toMatch(/^key-[123]$/);
          expect(value.at).toBeGreaterThanOrEqual(newest - 5_000);
          newest = Math.max(newest, value.at);
        }
      }),
    );
  });

  it("shrink to none, and what fails with one to the simplest one", () => {
    const shrunk = (fails: (values: readonly Reading[]) => boolean): unknown =>
      fc.check(
        fc.property(any, (values) => !fails(values)),
        { seed: 2 },
      ).counterexample?.[0];
    expect(shrunk(() => true)).toEqual([]);
    const START = 1_704_067_200_000;
    expect(shrunk((values) => values.length >= 2)).toEqual([
      { sensor: "key-1", at: START, celsius: 0 },
      { sensor: "key-1", at: START, celsius: 0 },
    ]);
    // One that is behind: by as little as makes the test fail.
    expect(shrunk((values) => values.some(({ at }) => at < START))).toEqual([
      { sensor: "key-1", at: START - 1, celsius: 0 },
    ]);
  });

  it("are as many as was said", () => {
    const counts = fc
      .sample(recordsOf(readings, { schema: Reading, count: { min: 2, max: 4 } }), 50)
      .map((all) => all.length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  });

  it("take keys and times in any place, by a function", () => {
    const Nested = t.type({ meta: t.type({ who: t.string, when: t.string }) });
    const nested = topic("nested", {
      codec: json(Nested),
      key: (value) => value.meta.who,
      timestamp: (value) => Number(/^at (\d+)$/.exec(value.meta.when)?.[1]),
    });
    const values = recordsOf(nested, {
      schema: Nested,
      count: { min: 1 },
      keys: { set: ({ meta }, who) => ({ meta: { ...meta, who } }), from: uniformKeys(1) },
      times: {
        set: ({ meta }, ms) => ({ meta: { ...meta, when: `at ${ms}` } }),
        from: eventTimes({ step: "0 ms" }),
      },
    });
    fc.assert(
      fc.property(values, (all) => {
        expect(new Set(all.map(({ meta }) => `${meta.who} ${meta.when}`))).toEqual(new Set(["key-1 at 1704067200000"]));
      }),
    );
  });

  it("arrive with idle phases in front, in which event time goes on", () => {
    const arrivals = arrivalsOf(readings, {
      schema: Reading,
      times: from({ step: "0 ms", idle: { share: 0.5, most: "1 h" } }),
    });
    fc.assert(
      fc.property(arrivals, (all) => {
        let at = 1_704_067_200_000;
        for (const { value, idleMs } of all) {
          at += idleMs;
          expect(value.at).toBe(at);
        }
      }),
    );
    expect(
      fc
        .sample(arrivals, { numRuns: 50, seed: 1 })
        .flat()
        .some(({ idleMs }) => idleMs > 0),
    ).toBe(true);
  });

  it("are refused keys and times that the topic does not have", () => {
    const plain = topic("plain", { codec: json(Reading), key: null });
    expect(() => recordsOf(plain, { schema: Reading, keys: { field: "sensor", from: uniformKeys(2) } })).toThrow(
      'topic "plain" has no key, so keys mean nothing to it',
    );
    expect(() => recordsOf(plain, { schema: Reading, times: from({}) })).toThrow('topic "plain" has no timestamp');
  });

  it("are refused a time that makes a value none of the topic", () => {
    const Small = t.type({ at: t.refinement(t.Int, (ms) => ms < 1_000, "Small") });
    const small = topic("small", { codec: json(Small), key: null, timestamp: ({ at }) => at });
    const values = recordsOf(small, { schema: Small, times: { field: "at", from: eventTimes() }, count: { min: 1 } });
    expect(() => fc.sample(values, 1)).toThrow("with its time put into it, a value is no record of topic");
  });

  it("do not compile with fields that cannot hold a key or a time, or the schema of another topic", () => {
    const Kind = t.intersection([
      t.type({ kind: t.union([t.literal("a"), t.literal("b")]) }),
      t.partial({ note: t.string }),
    ]);
    const kinds = topic("kinds", { codec: json(Kind), key: ({ kind }) => kind });
    // Type tests: nothing of this is run.
    const typed = (): readonly unknown[] => [
      // @ts-expect-error -- celsius is a number
      recordsOf(readings, { schema: Reading, keys: { field: "celsius", from: uniformKeys(2) } }),
      // @ts-expect-error -- sensor is text
      recordsOf(readings, { schema: Reading, times: { field: "sensor", from: eventTimes() } }),
      // @ts-expect-error -- there is no such field
      recordsOf(readings, { schema: Reading, keys: { field: "nobody", from: uniformKeys(2) } }),
      // @ts-expect-error -- a kind is one of two literals, not any text
      recordsOf(kinds, { schema: Kind, keys: { field: "kind", from: uniformKeys(2) } }),
      // Text that may be missing can be any text.
      recordsOf(kinds, { schema: Kind, keys: { field: "note", from: uniformKeys(2) } }),
      // @ts-expect-error -- records of another type
      recordsOf(readings, { schema: t.type({ other: t.string }) }),
      // @ts-expect-error -- values of another type
      recordsOf(readings, { values: fc.constant({ other: "" }) }),
    ];
    expect(typed).toBeTypeOf("function");
  });
});
