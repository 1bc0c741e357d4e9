/** Which records are ahead of time is decided by the log, not by who reads it, when, and in which portions. */
import { type Adapter, type AppEvent, type Clock, createApp, type Pipeline } from "@millrace/core";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { counting, type Policy, rows, START, source, YEAR } from "./support/ahead.ts";
import { type Bench, bench, type Item } from "./support/bench-top.ts";
import { tagged } from "./support/breakable.ts";

describe("which records are ahead", () => {
  const scattered = (seed: readonly number[]): readonly Item[] =>
    seed.map((offset, n) => ({ key: `k${n % 2}`, n, at: START + offset }));
  const OFFSETS = [0, 9_000, 30_000, 400, 90_000_000, 61_000, 7_000, 2_000, -70_000, 55_000, 3_600_000, 1_000];

  /** What a group decides and counts. */
  async function decisions(top: Bench, group: string, plan: Pipeline): Promise<unknown> {
    const events: AppEvent[] = [];
    const app = top.app(group);
    app.events$.subscribe((event) => events.push(event));
    await top.complete(app, plan);
    return tagged(events, "AheadOfTime").map(({ id, aheadMs, policy }) => [id, aheadMs, policy]);
  }

  it.each<Policy>(["clamp", "late", "reject"])(
    "is the same for a worker that reads a day later, and for one whose clock is wrong by a day (%s)",
    async (policy) => {
      const top = bench();
      const plan = counting(source(policy), "skip");
      await top.send(source(policy), scattered(OFFSETS));
      const first = await decisions(top, "first", plan);
      expect(first).toHaveLength(5);
      const found = await rows(top);
      await top.clock.advance(86_400_000);
      expect(await decisions(top, "second", plan)).toEqual(first);

      const events: AppEvent[] = [];
      const wrong: Clock = {
        now: () => top.clock.now() - 2 * 86_400_000,
        after: (delayMs, callback) => top.clock.after(delayMs, callback),
      };
      const app = createApp({ name: "third", adapter: top.adapter, clock: wrong });
      app.events$.subscribe((event) => events.push(event));
      const running = await top.settle(app.run(plan));
      await top.settle(running.done);
      expect(tagged(events, "AheadOfTime").map(({ id, aheadMs, policy: what }) => [id, aheadMs, what])).toEqual(first);
      // Each group has written the same results.
      expect((await rows(top)).length).toBe(3 * found.length);
      expect((await rows(top)).slice(2 * found.length)).toEqual(found);
    },
  );

  it.each<Policy>(["clamp", "late", "reject"])("is the same with a restart behind each record (%s)", async (policy) => {
    const top = bench();
    const plan = counting(source(policy), "skip");
    for (const [n, value] of scattered(OFFSETS).entries()) {
      await top.send(source(policy), [value], { end: false });
      const running = await top.settle(top.app("parts").run(plan));
      await top.caughtUp(running, n + 1);
      await top.settle(running.stop());
      await top.clock.advance(5_000);
    }
    await top.send(source(policy), []);
    await top.complete(top.app("parts"), plan);
    const parts = tagged(top.events, "AheadOfTime").map(({ id, aheadMs, policy: what }) => [id, aheadMs, what]);
    const found = await rows(top);
    expect(parts.length).toBeGreaterThan(2);
    expect(await decisions(top, "whole", plan)).toEqual(parts);
    expect((await rows(top)).slice(found.length)).toEqual(found);
  });

  it("and what comes of it depends on the log, not on how it is cut into reads", { timeout: 120_000 }, async () => {
    const log = fc.array(
      fc.record({
        at: fc.oneof(fc.integer({ min: -100_000, max: 100_000 }), fc.constantFrom(YEAR, 20 * YEAR)),
        pauseMs: fc.nat({ max: 40_000 }),
      }),
      { minLength: 1, maxLength: 15 },
    );
    const portions = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
    const policy = fc.constantFrom<Policy>("clamp", "late", "reject");
    await fc.assert(
      fc.asyncProperty(log, portions, portions, policy, async (steps, one, other, what) => {
        const top = bench();
        for (const [n, { at, pauseMs }] of steps.entries()) {
          await top.send(source(what), [{ key: `k${n % 2}`, n, at: top.clock.now() + at }], { end: false });
          await top.clock.advance(pauseMs);
        }
        await top.send(source(what), []);
        const seen = [];
        for (const [index, sizes] of [one, other].entries()) {
          const events: AppEvent[] = [];
          const app = top.app(`group-${index}`, { adapter: portioned(top.adapter, sizes) });
          app.events$.subscribe((event) => events.push(event));
          const before = (await rows(top)).length;
          await top.complete(app, counting(source(what), "skip"));
          seen.push({
            rows: (await rows(top)).slice(before),
            ahead: tagged(events, "AheadOfTime").map(({ id }) => id),
            late: tagged(events, "LateRecord").map(({ id }) => id),
          });
        }
        expect(seen[1]).toEqual(seen[0]);
      }),
      { numRuns: 25 },
    );
  });
});

/** An adapter whose reads return as many records as `sizes` say, in turn. */
function portioned(inner: Adapter, sizes: readonly number[]): Adapter {
  return {
    name: inner.name,
    open: () => async () => {
      const opened = await inner.open()();
      if (E.isLeft(opened)) {
        return opened;
      }
      const { log } = opened.right;
      const reader: typeof log.reader = (...from) => {
        const own = log.reader(...from);
        let reads = 0;
        return {
          next: (budget) => {
            reads += 1;
            return own.next({ ...budget, maxRecords: sizes[reads % sizes.length] ?? 1 });
          },
          close: () => own.close(),
        };
      };
      const cut = new Proxy(log, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          return name === "reader" ? reader : typeof method === "function" ? method.bind(target) : method;
        },
      });
      return E.right({ ...opened.right, log: cut, close: () => opened.right.close() });
    },
  };
}
