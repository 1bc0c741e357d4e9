import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MinHeap } from "../../src/kernel/min-heap.ts";

/** A rank to push, or `null` to pop. */
const steps = fc.array(fc.option(fc.integer({ min: -20, max: 20 }), { freq: 3 }), { maxLength: 60 });

describe("a min-heap", () => {
  it("gives the lowest rank first, however pushes and pops alternate", () => {
    fc.assert(
      fc.property(steps, (ranks) => {
        const heap = new MinHeap<string>();
        const model: number[] = [];
        const popped: (number | undefined)[] = [];
        const expected: (number | undefined)[] = [];
        for (const rank of ranks) {
          if (rank === null) {
            popped.push(heap.pop()?.rank);
            expected.push(model.shift());
          } else {
            heap.push(rank, "item");
            model.push(rank);
            model.sort((a, b) => a - b);
          }
        }
        expect(popped).toEqual(expected);
      }),
    );
  });

  it("keeps an item with its rank", () => {
    const heap = new MinHeap<string>();
    for (const rank of [3, 1, 2]) {
      heap.push(rank, `of ${rank}`);
    }
    expect([heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([
      { rank: 1, item: "of 1" },
      { rank: 2, item: "of 2" },
      { rank: 3, item: "of 3" },
      undefined,
    ]);
  });
});
