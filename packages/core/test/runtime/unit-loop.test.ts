import { BEFORE_FIRST, type Offset, offsetOf } from "@millrace/core";
import { expect, it } from "vitest";
import { START_OF_TIME } from "../../src/kernel/task-time.ts";
import { UnitLoop } from "../../src/runtime/unit-loop.ts";
import { UnitSize } from "../../src/runtime/unit-size.ts";
import { orders } from "../support/topics.ts";

const nothing = (): void => {};

/** A loop that stands at an offset and is never pushed anything. */
function loopAt(offset: Offset): UnitLoop {
  return new UnitLoop(
    {
      source: orders,
      at: { topic: orders.name, partition: 0 },
      unitSize: new UnitSize(1),
      fill: null,
      undecodable: null,
      route: () => {
        throw new Error("nothing is written");
      },
      nowMs: () => 0,
      opened: nothing,
      settled: nothing,
      parked: nothing,
      held: nothing,
      lost: nothing,
    },
    { next: nothing, watermark: nothing, complete: nothing, stop: nothing },
    { offset, processed: 1, time: START_OF_TIME },
  );
}

const at = (ms: number): Offset => offsetOf(`${ms}-0`, 0);

function look(loop: UnitLoop, end: Offset): boolean {
  loop.onTimes({ writers: {}, end, sealed: false, appended: 1 });
  return loop.isAtEnd;
}

it("the end of the log is seen by the second look, for the first one may be older than the ownership of the task", () => {
  const loop = loopAt(at(5));
  expect(loop.isAtEnd).toBe(false);
  expect([look(loop, at(5)), look(loop, at(5)), look(loop, at(6)), look(loop, at(5))]).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

it("the end of an empty log is seen before the first record", () => {
  const loop = loopAt(BEFORE_FIRST);
  look(loop, BEFORE_FIRST);
  expect(look(loop, BEFORE_FIRST)).toBe(true);
  expect(look(loop, at(1))).toBe(false);
});
