import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo } from "../../src/kernel/fifo.ts";

/** How many items to push (> 0) or to take (< 0); large steps make the queue reclaim its space. */
const steps = fc.array(fc.integer({ min: -1_500, max: 1_500 }), { maxLength: 12 });

describe("a FIFO", () => {
  it("behaves like an array that grows at one end and shrinks at the other", () => {
    fc.assert(
      fc.property(steps, (counts) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        let added = 0;
        for (const count of counts) {
          for (let n = 0; n < count; n++) {
            fifo.push(added);
            model.push(added);
            added += 1;
          }
          const taken = Array.from({ length: Math.max(0, -count) }, () => fifo.shift());
          const expected = Array.from({ length: Math.max(0, -count) }, () => model.shift());
          expect(taken).toEqual(expected);
          expect(fifo.size).toBe(model.length);
          expect(fifo.peek()).toBe(model[0]);
          expect([...fifo]).toEqual(model);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("keeps nothing of what was taken from it", () => {
    const fifo = new Fifo<object>();
    for (let n = 0; n < 5_000; n++) {
      fifo.push({});
      fifo.shift();
    }
    const { items } = fifo as unknown as { readonly items: readonly unknown[] };
    expect(items.filter((item) => item !== undefined)).toEqual([]);
    expect(items.length).toBeLessThan(2_500);
  });

  it("is empty at first", () => {
    const fifo = new Fifo<number>();
    expect([fifo.size, fifo.peek(), fifo.shift(), [...fifo]]).toEqual([0, undefined, undefined, []]);
  });
});
