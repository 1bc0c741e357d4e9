import { BEFORE_FIRST, type Clock, type Log, portError, type TopicTimes } from "@millrace/core";
import * as TE from "fp-ts/lib/TaskEither.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type TimedTask, TimeKeeper } from "../../src/runtime/time-keeper.ts";

const clock: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
const topic = { name: "orders", partitions: 4, incarnation: "i" };

/** A topic whose times are looked at, and two tasks that are told of them. */
function scene() {
  let appended = 0;
  const asked: (readonly number[] | undefined)[] = [];
  const times: Log["times"] = (_topic, partitions) => {
    asked.push(partitions);
    const of = (partitions ?? []).map(() => ({ end: BEFORE_FIRST, appended, sealed: false }));
    return TE.right<never, TopicTimes>({ writers: { w: 1 }, partitions: of });
  };
  const told: number[] = [];
  const failed: string[] = [];
  const task: TimedTask = {
    onTimes: (snapshot) => told.push(snapshot.appended),
    fail: ({ _tag }) => failed.push(_tag),
  };
  const tasks = new Map([
    [1, task],
    [3, task],
  ]);
  const log = { times } as Log;
  const keeper = new TimeKeeper({ log, clock, topic, tasks: () => tasks });
  return {
    asked,
    told,
    failed,
    tasks,
    log,
    keeper,
    append: () => {
      appended += 1;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the times of a topic", () => {
  it("are fetched for the partitions of running tasks alone, five times a second while something changes", async () => {
    const { keeper, asked, told, append } = scene();
    const running = keeper.run();
    for (let n = 0; n < 10; n++) {
      append();
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(asked.length).toBeGreaterThanOrEqual(10);
    expect(new Set(asked.map(String))).toEqual(new Set(["1,3"]));
    expect(told.at(-1)).toBeGreaterThanOrEqual(9);
    keeper.stop();
    await running;
  });

  it("are fetched once a second while nothing changes, and at once when a task reads something or begins", async () => {
    const { keeper, asked } = scene();
    const running = keeper.run();
    await vi.advanceTimersByTimeAsync(5_000);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.length - before).toBe(10);
    keeper.stir();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.length - before).toBe(11);
    await vi.advanceTimersByTimeAsync(10_000);
    const later = asked.length;
    keeper.poke();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.length - later).toBe(1);
    keeper.stop();
    await running;
  });

  it("are not fetched where no task runs", async () => {
    const { keeper, asked, tasks } = scene();
    tasks.clear();
    const running = keeper.run();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked).toEqual([]);
    keeper.stop();
    await running;
  });

  it("fail the tasks when the topic is lost, and not when the store does not answer", async () => {
    const { keeper, log, failed } = scene();
    Object.assign(log, { times: () => TE.left(portError("Unavailable", "down")) });
    const running = keeper.run();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(failed).toEqual([]);
    Object.assign(log, { times: () => TE.left(portError("TopicLost", "gone")) });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(failed.slice(0, 2)).toEqual(["TopicLost", "TopicLost"]);
    keeper.stop();
    await running;
  });
});
