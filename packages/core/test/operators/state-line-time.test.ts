/** Event time in operators whose state is not in memory. */
import { fold, systemClock, tumbling, window } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FakeEntry, type FakeStore, farStore, microtasks } from "../support/fake-store.ts";
import { StateStage } from "../support/state-stage.ts";

const listed = fold<number, number[]>([], (list, value) => [...list, value]);

describe("time", () => {
  const perSecond = (store: FakeStore): StateStage<number, { key: string; start: number; value: { all: number[] } }> =>
    new StateStage(window(tumbling("1 s"), { all: listed }, { grace: "0 s" }), { store, clock: systemClock });

  it("closes windows that lie in the store only, as many as there are, in portions", async () => {
    const entries = Array.from({ length: 1_300 }, (_, n): readonly [string, FakeEntry] => [
      `0:k${String(n).padStart(4, "0")}`,
      { value: `[1,{"all":[${n}]}]`, dueMs: 1_000 },
    ]);
    const store = farStore(entries);
    store.isPrompt = true;
    const stage = perSecond(store);
    stage.unit([], 5_000);
    await microtasks(50);
    expect(stage.values).toHaveLength(500);
    // Time behind the operator has not come further than the first window that is open.
    expect(stage.out.at(-1)).toEqual({ watermarkMs: 999, unit: 0 });
    expect(stage.again).toBe(1);
    for (let n = 0; n < 2; n++) {
      stage.unit([], 5_000);
      await microtasks(50);
    }
    expect(stage.values.map(({ key }) => key)).toEqual(entries.map(([id]) => id.slice(2)));
    expect(stage.out.at(-1)).toEqual({ watermarkMs: 5_000, unit: 2 });
    expect(stage.again).toBe(2);
  });

  it("never overtakes a value, and no result comes behind the time that makes it late", async () => {
    const record = fc.record({ key: fc.constantFrom("a", "b", "c", "d"), at: fc.nat({ max: 6_000 }) });
    const unit = fc.record({
      values: fc.array(record, { maxLength: 3 }),
      timeMs: fc.option(fc.nat({ max: 6_000 }), { nil: undefined }),
    });
    const turn = fc.constantFrom<Turn>("deliver", "answer", "acknowledge", "wait");
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { maxLength: 20 }), fc.array(turn, { maxLength: 60 }), async (units, turns) => {
        const store = farStore([["0:z", { value: '[1,{"all":[7]}]', dueMs: 1_000 }]]);
        const stage = perSecond(store);
        const all = [...units, { values: [], timeMs: 1e9 }];
        for (const [n, { values, timeMs }] of all.entries()) {
          stage.unit(
            values.map(({ key, at }, index) => [10 * n + index, key, at]),
            timeMs,
          );
          await take(turns[2 * n] ?? "wait", stage, store);
          await take(turns[2 * n + 1] ?? "wait", stage, store);
        }
        for (let n = 0; n < 200; n++) {
          await take(n % 2 === 0 ? "deliver" : "acknowledge", stage, store);
        }
        expect(stage.failed).toEqual([]);
        expect(stage.settled.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual([...all.keys()]);
        const overtaken = watermarksBefore(stage).filter(([{ start }, watermarkMs]) => start + 1_000 <= watermarkMs);
        expect(overtaken).toEqual([]);
        // Every value is in one window, or was counted as late; the window that was there is among them.
        const inWindows = stage.values.flatMap(({ value }) => value.all);
        expect(inWindows.length + stage.late.length).toBe(1 + all.flatMap(({ values }) => values).length);
        expect(store.content.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

type Turn = "deliver" | "answer" | "acknowledge" | "wait";

/** What the store does next. Units are committed when all in front of them are settled. */
async function take(turn: Turn, { settled }: StateStage<never, unknown>, store: FakeStore): Promise<void> {
  const inOrder = settled.toSorted((a, b) => a.index - b.index);
  const next = inOrder.findIndex(({ index }, n) => index !== n);
  for (const { index, deltas } of next < 0 ? inOrder : inOrder.slice(0, next)) {
    store.sendOnce(index, deltas);
  }
  if (turn === "deliver") {
    store.deliver();
  } else if (turn === "answer") {
    store.answer(0);
  } else if (turn === "acknowledge") {
    store.acknowledge();
  }
  await microtasks(3);
}

/** The largest watermark in front of each value. */
function watermarksBefore<B>({ out }: StateStage<never, B>): readonly (readonly [value: B, watermarkMs: number])[] {
  let watermarkMs = Number.NEGATIVE_INFINITY;
  return out.flatMap((one) => {
    if ("value" in one) {
      return [[one.value, watermarkMs] as const];
    }
    watermarkMs = Math.max(watermarkMs, one.watermarkMs);
    return [];
  });
}
