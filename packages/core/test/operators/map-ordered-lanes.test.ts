import { mapOrdered } from "@millrace/core";
import * as fc from "fast-check";
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect, settled } from "../support/collect.ts";
import { Handlers } from "../support/handlers.ts";

interface Item {
  readonly index: number;
  readonly lane: string;
}

/** Values arrive, and handlers end, in any order: a step is the lane of a new value, or which open handler ends. */
type Step = { readonly kind: "arrive"; readonly lane: string } | { readonly kind: "end"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("arrive" as const), lane: fc.constantFrom("a", "b", "c", "d") }),
  fc.record({ kind: fc.constant("end" as const), which: fc.nat() }),
);

/** Carries the steps out, then ends what is open, and calls `check` after each with what the operator may know. */
async function play(
  steps: readonly Step[],
  options: { readonly concurrency: number; readonly lane: "none" | ((item: Item) => string) },
  check: (now: { readonly running: readonly Item[]; readonly waiting: readonly Item[] }) => void,
): Promise<void> {
  const source = new Subject<Item>();
  const handlers = new Handlers<Item, number>();
  const results = collect(source.pipe(mapOrdered(handlers.handle, options)));
  const arrived: Item[] = [];
  const ended = new Set<number>();
  const end = async (which: number): Promise<void> => {
    const opened = handlers.open[which % Math.max(1, handlers.open.length)];
    if (opened !== undefined) {
      ended.add(opened.value.index);
      await opened.resolve(opened.value.index);
    }
  };
  const look = (): void => {
    const ready = arrived.findIndex(({ index }) => !ended.has(index));
    const inOrder = arrived.slice(0, ready < 0 ? arrived.length : ready).map(({ index }) => index);
    expect(results.values).toEqual(inOrder);
    const waiting = arrived.filter((item) => !handlers.started.includes(item));
    check({ running: handlers.open.map(({ value }) => value), waiting });
  };
  for (const next of steps) {
    if (next.kind === "arrive") {
      const item = { index: arrived.length, lane: next.lane };
      arrived.push(item);
      source.next(item);
    } else {
      await end(next.which);
    }
    look();
  }
  source.complete();
  while (handlers.open.length > 0) {
    expect(results.end).toBe("open");
    await end(steps.length);
    look();
  }
  await settled();
  expect(results).toMatchObject({ values: arrived.map(({ index }) => index), end: "completed" });
}

const steps = fc.array(step, { maxLength: 40 });
const concurrency = fc.integer({ min: 1, max: 5 });

describe("handlers of mapOrdered, whenever values arrive and in whatever order handlers end", () => {
  it("give results in input order, never more than the concurrency at once, and never two of one lane", async () => {
    await fc.assert(
      fc.asyncProperty(steps, concurrency, async (list, most) => {
        await play(list, { concurrency: most, lane: ({ lane }) => lane }, ({ running }) => {
          expect(running.length).toBeLessThanOrEqual(most);
          expect(new Set(running.map(({ lane }) => lane)).size).toBe(running.length);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("start in the order of their lane, and none waits whose lane and a place are free", async () => {
    await fc.assert(
      fc.asyncProperty(steps, concurrency, async (list, most) => {
        await play(list, { concurrency: most, lane: ({ lane }) => lane }, ({ running, waiting }) => {
          for (const item of running) {
            expect(waiting.filter(({ lane, index }) => lane === item.lane && index < item.index)).toEqual([]);
          }
          const taken = new Set(running.map(({ lane }) => lane));
          const startable = new Set(waiting.map(({ lane }) => lane).filter((lane) => !taken.has(lane)));
          expect(running.length === most || startable.size === 0).toBe(true);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("are bounded by the concurrency alone where there are no lanes", async () => {
    await fc.assert(
      fc.asyncProperty(steps, concurrency, async (list, most) => {
        await play(list, { concurrency: most, lane: "none" }, ({ running, waiting }) => {
          expect(running.length).toBe(Math.min(most, running.length + waiting.length));
        });
      }),
      { numRuns: 100 },
    );
  });
});
