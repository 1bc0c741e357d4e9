/** What holds for `sink(fn)` however long calls take, whichever fail, however values come, and whenever it is drained. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Decide, type NotingUnit, type Row, type SinkBench, sinkBench } from "./external-sink-bench.ts";

/** A unit of rows that comes after a while; with a watermark behind it or without. */
interface Arrival {
  readonly afterMs: number;
  readonly rows: readonly Row[];
  readonly hasTime: boolean;
}

interface Scenario {
  readonly arrivals: readonly Arrival[];
  readonly maxBatch: number;
  /** How long calls take, in turn; every call with a number here that is negative fails after so long, but for all others. */
  readonly takesMs: readonly number[];
  /** Calls with one of these values fail each time. */
  readonly poison: ReadonlySet<number>;
  readonly decision: ReturnType<Decide>;
  readonly attempts: number;
  /** `null`: it runs to the end. */
  readonly drainedAfter: number | null;
}

const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    units: fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 30 }),
        keys: fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 6 }),
        hasTime: fc.boolean(),
      }),
      { maxLength: 8 },
    ),
    maxBatch: fc.integer({ min: 1, max: 7 }),
    takesMs: fc.array(fc.integer({ min: -20, max: 40 }), { minLength: 1, maxLength: 6 }),
    poison: fc.array(fc.nat({ max: 40 }), { maxLength: 4 }),
    decision: fc.constantFrom("skip" as const, "park" as const),
    attempts: fc.integer({ min: 1, max: 3 }),
    drainedAfter: fc.option(fc.nat({ max: 8 })),
  })
  .map(({ units, poison, ...rest }) => {
    let n = 0;
    const arrivals = units.map(({ keys, ...unit }) => ({ ...unit, rows: keys.map((key) => ({ key, n: n++ })) }));
    return { ...rest, arrivals, poison: new Set(poison) };
  });

interface Played {
  readonly bench: SinkBench;
  readonly units: readonly NotingUnit[];
  /** The values of each call that resolved, in order. */
  readonly written: (readonly number[])[];
  /** Units behind this one were left to the next owner. */
  readonly last: number;
}

async function play(given: Scenario): Promise<Played> {
  const written: (readonly number[])[] = [];
  let running = 0;
  let calls = 0;
  const bench: SinkBench = sinkBench({
    maxBatch: given.maxBatch,
    retry: { attempts: given.attempts, backoff: "10 ms", longest: "20 ms" },
    decide: () => given.decision,
    write: async (values, _call, clock) => {
      running += 1;
      expect(running).toBe(1);
      const numbers = values.map(({ n }) => n);
      const ms = given.takesMs[calls % given.takesMs.length] ?? 0;
      calls += 1;
      await new Promise<void>((resolve) => {
        clock.after(Math.abs(ms), resolve);
      });
      running -= 1;
      if (ms < 0 || numbers.some((n) => given.poison.has(n))) {
        throw new Error("a failure of the test");
      }
      written.push(numbers);
      bench.log.push(...numbers.map((n) => `wrote ${n}`));
    },
  });
  const units: NotingUnit[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (const [index, { afterMs, rows, hasTime }] of given.arrivals.entries()) {
    await bench.clock.advance(afterMs);
    units.push(bench.push(index, rows, hasTime ? index : undefined));
    if (index === given.drainedAfter) {
      last = bench.queue.lastBegun();
      bench.queue.dropBehind(last);
    }
  }
  await bench.clock.advance(100_000);
  return { bench, units, written, last };
}

/** How each value has left: `written`, or with which verdict. */
function outcomes(log: readonly string[]): ReadonlyMap<number, string> {
  const found = log.flatMap((line): [number, string][] => {
    const [, verdict = "written", n] = /^(?:(skip|park|behind) )?(\d+)$/.exec(line) ?? [];
    return n === undefined ? [] : [[Number(n), verdict]];
  });
  expect(new Set(found.map(([n]) => n)).size).toBe(found.length);
  return new Map(found);
}

it("a value leaves once, in order, in exactly one call that resolved or with a verdict, and no unit is let go of before", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { bench, units, written, last } = await play(given);
      expect(bench.failed).toEqual([]);
      const kept = given.arrivals.filter((_, index) => index <= last);
      const rows = kept.flatMap((arrival) => arrival.rows);

      // Everything leaves once and in order: values, watermarks, and units behind their values and watermarks.
      const numberOf = (line: string): string => line.replace(/^(skip|park|behind) /, "");
      const left = bench.log.filter((line) => !line.startsWith("wrote ")).map(numberOf);
      const expected = kept.flatMap((arrival, index) => [
        ...arrival.rows.map(({ n }) => `${n}`),
        ...(arrival.hasTime ? [`time ${index}`] : []),
        `release ${index}`,
      ]);
      expect(left).toEqual(expected);

      // In exactly one call that resolved, before it left; those that were settled otherwise, in none.
      const outcome = outcomes(bench.log);
      const success = written.flat();
      expect(success).toEqual(rows.filter(({ n }) => outcome.get(n) === "written").map(({ n }) => n));
      for (const n of success) {
        expect(bench.log.indexOf(`wrote ${n}`)).toBeLessThan(bench.log.indexOf(`${n}`));
      }
      for (const values of bench.calls) {
        expect(values.length).toBeLessThanOrEqual(given.maxBatch);
        expect(values).toEqual(values.toSorted((a, b) => a - b));
      }

      // Behind a value that was parked, nothing of its key is written, and of no other.
      const parked = new Set<string>();
      for (const { key, n } of rows) {
        expect(outcome.get(n) === "behind").toBe(parked.has(key));
        if (outcome.get(n) === "park") {
          parked.add(key);
        }
      }
      expect(units.map((unit) => unit.held - unit.parked)).toEqual(units.map(() => 0));
    }),
    { numRuns: 300 },
  );
});
