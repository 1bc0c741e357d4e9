import { type Clock, createApp, type Pipeline } from "@millrace/core";
import { Activity } from "./driver/activity.ts";
import { demand } from "./driver/demand.ts";
import { driverSettings } from "./driver/driver-options.ts";
import { MemoryTestDriver } from "./driver/memory-test-driver.ts";
import { listOf } from "./driver/plan.ts";
import { Settling } from "./driver/settling.ts";
import type { TestDriver, TestDriverOptions } from "./driver/test-driver.ts";
import { Topics } from "./driver/topics.ts";
import { userClock } from "./driver/user-clock.ts";
import { Workers } from "./driver/workers.ts";
import { memoryAdapter } from "./memory-adapter.ts";
import { clockThatSettles } from "./virtual-clock.ts";

/** For a worker to find its place (ms of virtual time), so that the clock shows `startMs` when the driver is ready. */
const LEAD_MS = 1_000;

/** So many times as long as usual reads wait for records, where it does not matter for how long none came: they end in nothing. */
const READ_PATIENCE = 60;

/**
 * Runs pipelines in memory, with time in the hands of the test: resolves with a driver and one worker, `worker-1`, that has all
 * tasks. No Redis, no test runner, no sleeping; a few milliseconds. Close it, or declare it with `await using`.
 *
 * Rejects with `TestDriverError` `InvalidOption` or `InvalidCall`, and with the `MillraceError` of `app.run`, as where a pipeline cannot
 * run.
 *
 * @example
 * ```ts
 * await using driver = await createTestDriver(regionTotals);
 * await driver.send(orders, [{ id: "1", region: "north", total: 5, at: 0 }]);
 * await driver.end(orders);
 * expect(await driver.values(totals)).toEqual([{ region: "north", total: 5 }]);
 * ```
 */
export async function createTestDriver(
  pipelines: Pipeline | readonly Pipeline[],
  options: TestDriverOptions = {},
): Promise<TestDriver> {
  const settings = driverSettings(options);
  const list = listOf("createTestDriver", pipelines);
  const { startMs, name, partitions } = settings;
  const activity = new Activity();
  const base = clockThatSettles(startMs - LEAD_MS, () => settling.rest());
  const clock = userClock(base);
  const topics = new Topics(partitions);
  const store: Clock = {
    now: () => base.now(),
    after: (delayMs, callback) => base.after(workers.mindSilence ? delayMs : delayMs * READ_PATIENCE, callback),
  };
  // Everything that was ever written can be read.
  const adapter = topics.watchedAdapter(
    memoryAdapter({ clock: store, maxBytesPerPartition: Number.POSITIVE_INFINITY }),
  );
  const workers = new Workers({ adapter, clock: base, topics, settings, activity });
  const app = createApp({ name, adapter, clock: base });
  const { log } = await demand(adapter.open());
  const closing = new AbortController();
  const settling = new Settling({
    clock: base,
    mayWaitForTime: () => clock.waiting() > 0,
    settings,
    activity,
    topics,
    app,
    log,
    workers: () => workers.all,
    isClosed: () => closing.signal.aborted,
    callsBehind: () => driver.callsBehind,
  });
  const driver: MemoryTestDriver = new MemoryTestDriver({
    clock,
    adapter,
    app,
    log,
    topics,
    workers,
    settling,
    closing,
  });
  try {
    await driver.addWorker(undefined, { pipelines: list });
    await settling.advance(Math.max(0, startMs - base.now()));
  } catch (error) {
    await driver.close();
    throw error;
  }
  return driver;
}
