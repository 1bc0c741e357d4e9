import { flatMapOrdered } from "@millrace/core";
import { from } from "rxjs";
import { describe, expect, it } from "vitest";
import { scope } from "../../src/topology/stage.ts";
import { collect } from "../support/collect.ts";
import { Handlers } from "../support/handlers.ts";
import { countingUnit, inUnit, taskStage } from "../support/task-stage.ts";

describe("flatMapOrdered", () => {
  it("lets the values of each result leave one by one, in the order of the input", async () => {
    const handlers = new Handlers<number, readonly string[]>();
    const results = collect(from([1, 2, 3]).pipe(flatMapOrdered(handlers.handle, { lane: "none" })));
    await handlers.of(2).resolve(["b1", "b2"]);
    expect(results.values).toEqual([]);
    await handlers.of(1).resolve(["a"]);
    expect(results.values).toEqual(["a", "b1", "b2"]);
    await handlers.of(3).resolve([]);
    expect(results.end).toBe("completed");
  });

  it("in a task: holds the unit until the last value has left, and tells the values apart", async () => {
    const handlers = new Handlers<number, Iterable<string>>();
    const unit = countingUnit();
    const seen: unknown[] = [];
    const stage = taskStage(flatMapOrdered(handlers.handle, { lane: "none" }), {
      next: (value) => seen.push([value, scope.record.path, unit.held]),
    });
    inUnit(unit, () => stage.next(1));
    await handlers.of(1).resolve(new Set(["x", "y"]));
    expect(seen).toEqual([
      ["x", "/0", 1],
      ["y", "/1", 1],
    ]);
    expect(unit.held).toBe(0);
  });

  it.each([
    ["a number", 7, /not iterable/],
    ["nothing", undefined, /not iterable|undefined/],
    ["an iterable without an end", endless(), /flatMapOrdered yielded more than 1000 values for one record/],
  ])("fails for a handler that resolves with %s", async (_, result, message) => {
    const failed: unknown[] = [];
    const stage = taskStage(
      flatMapOrdered(async () => result as Iterable<string>),
      {},
      failed,
    );
    inUnit(countingUnit(), () => stage.next(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(String(failed[0])).toMatch(message);
  });
});

function* endless(): Generator<string> {
  for (;;) {
    yield "x";
  }
}
