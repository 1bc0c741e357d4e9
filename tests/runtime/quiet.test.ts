/** Event time that follows the clock in a quiet partition: over restarts, and where clocks cannot be trusted. */
import {
  type Adapter,
  type Clock,
  count,
  createApp,
  json,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  sink,
  sleep,
  stream,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items, sequence } from "./support/bench-top.ts";
import { tagged } from "./support/breakable.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";

const Count = t.type({ key: t.string, start: t.number, count: t.number });
const counts = topic("counts", { codec: json(Count), key: (c) => c.key, partitions: 1 });
const source = items("source", { partitions: 1, idle: "30 s" });
const counting = pipeline(
  "count",
  stream(source).pipe(
    window(tumbling("1 minute"), { count: count() }, { grace: "0 s" }),
    map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
    sink(counts),
  ),
);

/** 50 items of one key, 0 to 49 s: with half a minute of quiet the minute is over. */
const FIFTY: readonly Item[] = sequence(50, 1);

/** The counts of the windows that have closed. */
const closed = async (top: Bench): Promise<readonly number[]> =>
  (await top.read(counts)).map(({ value }) => value.count);

/** Processes what lies in the topic, and stops; returns when (ms) the last of it was committed, at the latest. */
async function processed(top: Bench, records: number): Promise<number> {
  const running = await top.settle(top.app().run(counting));
  await top.caughtUp(running, records);
  const atMs = top.clock.now();
  await top.settle(running.stop());
  return atMs;
}

describe("quiet time over restarts", () => {
  it.each([
    ["every second", 1_000],
    ["before a read that finds nothing has waited long enough to say so", 600],
  ])("adds up: windows close although the worker is restarted %s", async (_, lifeMs) => {
    const top = bench();
    await top.send(source, FIFTY, { end: false });
    const quietFromMs = await processed(top, 50);
    const quietMs = (): number => top.clock.now() - quietFromMs;
    while ((await closed(top)).length === 0 && quietMs() < 40_000) {
      const running = await top.settle(top.app().run(counting));
      await top.clock.advance(lifeMs);
      await top.settle(running.stop());
    }
    expect(await closed(top)).toEqual([50]);
    expect(quietMs()).toBeGreaterThan(29_800);
    expect(quietMs()).toBeLessThan(33_000);
  });

  it("adds up in partitions that never had a record: they do not hold back windows behind them", async () => {
    const wide = items("wide", { partitions: 4, idle: "30 s" });
    const rekeyed = pipeline(
      "rekeyed",
      stream(wide).pipe(
        window(tumbling("1 minute"), { count: count() }, { grace: "0 s", by: () => "all" }),
        map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
        sink(counts),
      ),
    );
    const top = bench();
    await top.send(wide, FIFTY, { end: false });
    const fromMs = top.clock.now();
    while ((await closed(top)).length === 0 && top.clock.now() - fromMs < 120_000) {
      const running = await top.settle(top.app().run(rekeyed));
      await top.clock.advance(2_000);
      await top.settle(running.stop());
    }
    expect(await closed(top)).toEqual([50]);
  });

  it("adds up where every worker is killed, and another one takes over", async () => {
    const top = bench();
    await top.send(source, FIFTY, { end: false });
    const quietFromMs = await processed(top, 50);
    const quietMs = (): number => top.clock.now() - quietFromMs;
    while ((await closed(top)).length === 0 && quietMs() < 60_000) {
      const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
      const worker = top.app("app", { adapter, member: { session: "1 s" } });
      await top.settle(worker.run(counting));
      await top.clock.advance(3_000);
      adapter.crash();
    }
    expect(await closed(top)).toEqual([50]);
    expect(quietMs()).toBeGreaterThan(29_800);
    expect(quietMs()).toBeLessThan(36_000);
  });

  it("goes on where the last owner has left it, and does not begin before the last record was committed", async () => {
    const top = bench();
    await top.send(source, FIFTY, { end: false });
    await top.clock.advance(3_600_000);
    await processed(top, 50);
    await top.clock.advance(20_000);
    const running = await top.settle(top.app().run(counting));
    await top.clock.advance(8_000);
    expect(await closed(top)).toEqual([]);
    await top.clock.advance(5_000);
    expect(await closed(top)).toEqual([50]);
    await top.settle(running.stop());
  });

  it("is over at once where a record came while nobody ran: it counts in its window", async () => {
    const top = bench();
    await top.send(source, FIFTY, { end: false });
    await processed(top, 50);
    await top.clock.advance(29_000);
    await top.send(source, [{ key: "k0", n: 50, at: 50_000 }], { end: false });
    await top.clock.advance(3_600_000);
    const running = await top.settle(top.app().run(counting));
    await top.clock.advance(29_000);
    expect(await closed(top)).toEqual([]);
    await top.clock.advance(4_000);
    expect(await closed(top)).toEqual([51]);
    expect(tagged(top.events, "LateRecord")).toEqual([]);
    await top.settle(running.stop());
  });

  it("begins anew with every record, however often the worker is restarted between them", async () => {
    const top = bench();
    await top.send(source, FIFTY, { end: false });
    await processed(top, 50);
    for (let n = 50; n < 55; n += 1) {
      await top.clock.advance(20_000);
      await top.send(source, [{ key: "k0", n, at: n * 1_000 }], { end: false });
      await processed(top, 1);
    }
    expect(await closed(top)).toEqual([]);
    expect(tagged(top.events, "LateRecord")).toEqual([]);
  });

  it("closes nothing where the topic does not say `idle`", async () => {
    const top = bench();
    const trusting = items("source", { partitions: 1 });
    const plan: Pipeline = pipeline(
      "count",
      stream(trusting).pipe(
        window(tumbling("1 minute"), { count: count() }, { grace: "0 s" }),
        map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
        sink(counts),
      ),
    );
    await top.send(trusting, FIFTY, { end: false });
    for (let restart = 0; restart < 3; restart += 1) {
      const running = await top.settle(top.app().run(plan));
      await top.clock.advance(60_000);
      await top.settle(running.stop());
      await top.clock.advance(60_000);
    }
    expect(await closed(top)).toEqual([]);
  });
});

describe("quiet time by a clock that cannot be trusted", () => {
  /** The worker's clock, which can be put forward and back; timers are not wrong. */
  function skewed(top: Bench): Clock & { jump: (ms: number) => void } {
    let skewMs = 0;
    return {
      now: () => top.clock.now() + skewMs,
      after: (delayMs, callback) => top.clock.after(delayMs, callback),
      jump: (ms) => {
        skewMs += ms;
      },
    };
  }

  const HOUR = 3_600_000;

  it.each([
    ["forward", [HOUR]],
    ["back", [-HOUR]],
    ["back, then forward", [-HOUR, HOUR]],
    ["forward, then back", [HOUR, -HOUR]],
  ])("is not wrong by the hour by which it jumps: %s", async (_, jumps) => {
    const top = bench();
    const clock = skewed(top);
    const app = createApp({ name: "app", adapter: top.adapter, clock });
    await top.send(source, FIFTY, { end: false });
    const running = await top.settle(app.run(counting));
    await top.caughtUp(running, 50);
    for (const ms of jumps) {
      await top.clock.advance(5_300);
      clock.jump(ms);
    }
    // A read under way at the jump counts for two seconds at most, and for none where the clock went back.
    await top.clock.advance(28_000 - jumps.length * 6_300);
    expect(await closed(top)).toEqual([]);
    await top.clock.advance(6_000 + jumps.length * 1_000);
    expect(await closed(top)).toEqual([50]);
    await top.settle(running.stop());
  });

  it("does not count the hour in which the store did not answer", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    await top.send(source, FIFTY, { end: false });
    const running = await top.settle(top.app("app", { adapter }).run(counting));
    await top.caughtUp(running, 50);
    await top.clock.advance(10_000);
    adapter.cut("log");
    await top.clock.advance(HOUR);
    adapter.mend();
    await top.clock.advance(15_000);
    expect(await closed(top)).toEqual([]);
    await top.clock.advance(30_000);
    expect(await closed(top)).toEqual([50]);
    await top.settle(running.stop());
  });

  it("does not count the time in which the worker had no credits to read with", async () => {
    const top = bench();
    const waiting = new AbortController();
    const plan = pipeline(
      "count",
      stream(source).pipe(
        mapOrdered(async (item: Item) => {
          await sleep(top.clock, HOUR, waiting.signal);
          return item;
        }),
        window(tumbling("1 minute"), { count: count() }, { grace: "0 s" }),
        map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
        sink(counts),
      ),
    );
    const adapter: Adapter = top.adapter;
    const app = top.app("app", { adapter, limits: { maxRecords: 512 } });
    const values = Array.from({ length: 512 }, (_, n) => ({ key: "k0", n, at: n * 90 }));
    await top.send(source, values, { end: false });
    const running = await top.settle(app.run(plan));
    await top.clock.advance(600_000);
    waiting.abort();
    await top.clock.advance(20_000);
    expect(running.status()[0]?.processed).toBe(512);
    expect(await closed(top)).toEqual([]);
    await top.clock.advance(15_000);
    expect(await closed(top)).toEqual([512]);
    await top.settle(running.stop());
  });
});
