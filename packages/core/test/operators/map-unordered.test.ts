import { count, json, map, mapUnordered, pipeline, sink, stream, topic, tumbling, window } from "@millrace/core";
import * as fc from "fast-check";
import * as t from "io-ts";
import { from } from "rxjs";
import { describe, expect, it } from "vitest";
import { scope } from "../../src/topology/stage.ts";
import { collect, settled } from "../support/collect.ts";
import { Handlers } from "../support/handlers.ts";
import { countingUnit, inUnit, taskStage } from "../support/task-stage.ts";

const Order = t.type({ id: t.string, at: t.number });
const orders = topic("orders", { codec: json(Order), key: (order) => order.id, timestamp: (order) => order.at });

describe("mapUnordered", () => {
  it("lets results leave as they come", async () => {
    const handlers = new Handlers<number, string>();
    const results = collect(from([1, 2, 3]).pipe(mapUnordered(handlers.handle)));
    await handlers.of(3).resolve("c");
    await handlers.of(1).resolve("a");
    expect(results.values).toEqual(["c", "a"]);
    await handlers.of(2).resolve("b");
    expect(results.values).toEqual(["c", "a", "b"]);
    expect(results.end).toBe("completed");
  });

  it("in a task: in any order within a unit, in order over units, each unit held until its last result has left", async () => {
    // Values by unit, and the order in which their handlers end.
    const plan = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }).chain((sizes) => {
      const values = sizes.flatMap((size, unit) => Array.from({ length: size }, (_, n) => `${unit}.${n}`));
      return fc.record({
        sizes: fc.constant(sizes),
        ends: fc.shuffledSubarray(values, { minLength: values.length, maxLength: values.length }),
      });
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ sizes, ends }) => {
        const handlers = new Handlers<string, string>();
        const units = sizes.map((_, index) => ({ ...countingUnit(), index }));
        const out: string[] = [];
        const stage = taskStage(mapUnordered(handlers.handle, { concurrency: 100 }), {
          next: (value) => {
            expect(scope.unit).toBe(units[Number(value.split(".")[0])]);
            out.push(value);
          },
          watermark: (timeMs) => out.push(`end ${timeMs}`),
        });
        for (const [index, unit] of units.entries()) {
          inUnit(unit, () => {
            for (let n = 0; n < (sizes[index] ?? 0); n++) {
              stage.next(`${index}.${n}`);
            }
            stage.watermark(index);
          });
        }
        const ended: string[] = [];
        for (const value of ends) {
          await handlers.of(value).resolve(value);
          ended.push(value);
          await settled();
          // Of the first unit that is not done, everything that has ended has left, in the order in which it did.
          const open = sizes.findIndex((size, unit) => ended.filter((v) => v.startsWith(`${unit}.`)).length < size);
          const left = out.filter((v) => v.startsWith(`${open}.`));
          expect(new Set(left)).toEqual(new Set(ended.filter((v) => v.startsWith(`${open}.`))));
        }
        const marks = out.map((each) => Number(each.startsWith("end") ? each.slice(4) : each.split(".")[0]));
        expect(marks).toEqual(marks.toSorted((a, b) => a - b));
        for (const [index] of sizes.entries()) {
          const last = out.findLastIndex((each) => each.startsWith(`${index}.`));
          expect(out.indexOf(`end ${index}`)).toBeGreaterThan(last);
        }
        expect(out).toHaveLength(ends.length + sizes.length);
        expect(units.map(({ held }) => held)).toEqual(units.map(() => 0));
      }),
      { numRuns: 300 },
    );
  });

  it("is refused in front of what needs order", () => {
    const unordered = stream(orders).pipe(
      mapUnordered(async (order) => order),
      window(tumbling("1 minute"), { n: count() }, { grace: "0 s" }),
      map(({ key, start }) => ({ id: key, at: start })),
      sink(topic("results", { codec: json(Order), key: null })),
    );
    expect(() => pipeline("p", unordered)).toThrow(
      /"window orders\.window" needs the records of a key in order, which "mapUnordered .*" in front of it gives up: use mapOrdered/,
    );
  });

  it("cannot park", () => {
    expect(() => mapUnordered(async (n: number) => n, { onError: "park" })).toThrow(
      /mapUnordered: onError "park" keeps the records of a key in order.*: use mapOrdered/,
    );
  });
});
