/** Releases of a pipeline whose parts, workers or options change in less usual ways. */
import {
  count,
  map,
  mapOrdered,
  type Pipeline,
  partitionBy,
  pipeline,
  type RunOptions,
  sink,
  sleep,
  stream,
  tumbling,
  window,
} from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { counted, counting, GROUP, onRedis, stopRedis, totals } from "./support/evolution.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";

const source = items("source", { partitions: 2 });
const beside = items("beside", { partitions: 2 });
const copy = items("copy", { partitions: 1 });

const minutes = (from: typeof source, name: string) =>
  stream(from).pipe(
    window(tumbling("1 minute"), { n: count() }, { name, grace: "0 s" }),
    map((w) => copy.of({ key: w.key, n: w.value.n, at: 0 })),
    sink(copy),
  );

describe("a change of key", () => {
  /** `isStuck`: what is behind the change takes records in, and never finishes one. */
  const through = (
    name: string,
    options: { readonly isStuck?: boolean; readonly partitions?: number } = {},
  ): Pipeline =>
    pipeline(
      "copy",
      stream(source).pipe(
        partitionBy((item) => item.key, {
          name,
          ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
        }),
        mapOrdered((item: Item) => (options.isStuck === true ? new Promise<Item>(() => {}) : Promise.resolve(item))),
        sink(copy),
      ),
    );

  it("cannot have another name while its topic has unread records, and can when all are read", async () => {
    const { app, send, settle, clock, read } = bench();
    await send(source, sequence(4), { end: false });
    const stuck = await settle(app().run(through("by-key", { isStuck: true })));
    await settle(sleep(clock, 1_000));
    await settle(stuck.stop({ within: "100 ms" }));
    const refused = await settle(rejection(app().run(through("renamed"))));
    expect(refused).toMatchObject({ _tag: "TopologyMismatch" });
    expect((refused as Error).message).toContain(
      'topic "app.copy.by-key.repartition", between two parts of the pipeline, is not read any more, and holds unread records',
    );

    const draining = await settle(app().run(through("by-key")));
    await settle(sleep(clock, 1_000));
    await settle(draining.stop());
    const renamed = await settle(app().run(through("renamed")));
    await send(source, sequence(5).slice(4), { end: false });
    await settle(sleep(clock, 1_000));
    await settle(renamed.stop());
    expect((await read(copy)).map(({ value }) => value.n).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it("can have another name when its unread records are given up", async () => {
    const { app, send, settle, clock, read } = bench();
    await send(source, sequence(4), { end: false });
    const stuck = await settle(app().run(through("by-key", { isStuck: true })));
    await settle(sleep(clock, 1_000));
    await settle(stuck.stop({ within: "100 ms" }));
    const reset = ["app.copy.by-key.repartition"];
    const renamed = await settle(app().run(through("renamed"), { reset }));
    await settle(renamed.stop());
    await settle((await settle(app().run(through("renamed")))).stop());
    expect(await read(copy)).toEqual([]);
  });

  it("keeps its number of partitions, said or not", async () => {
    const { app, settle } = bench();
    await settle((await settle(app().run(through("by-key")))).stop());
    await settle((await settle(app().run(through("by-key", { partitions: 2 })))).stop());
    const refused = await settle(rejection(app().run(through("by-key", { partitions: 3 }))));
    expect(refused).toMatchObject({ _tag: "TopologyMismatch" });
    expect((refused as Error).message).toMatch(/another number of partitions\n +- 2 partitions\n +\+ 3 partitions/);
    expect((refused as Error).message).not.toContain("reset");
  });
});

describe("a part of a pipeline that keeps state", () => {
  const one = pipeline("copy", minutes(source, "one"));
  const both = pipeline("copy", minutes(source, "one"), minutes(beside, "two"));

  it("is not dropped beside workers that run it, however empty it is; later it is, and may come back", async () => {
    const { app, settle } = bench();
    const running = await settle(app().run(both));
    const refused = await settle(rejection(app().run(one)));
    expect(refused).toMatchObject({ _tag: "TopologyMismatch" });
    expect((refused as Error).message).toContain(
      'store "two" is not there any more (workers of the group still run it)',
    );
    await settle(running.stop());
    await settle((await settle(app().run(one))).stop());
    await settle((await settle(app().run(both))).stop());
  });

  it("is remembered when it was dropped empty: what a worker of the old version adds is not lost unnoticed", async () => {
    const { app, send, settle, caughtUp } = bench();
    await settle((await settle(app().run(both))).stop());
    await settle((await settle(app().run(one))).stop());
    const again = await settle(app().run(both));
    await send(beside, sequence(3), { end: false });
    await caughtUp(again, 3);
    await settle(again.stop());
    expect(await settle(rejection(app().run(one)))).toMatchObject({ _tag: "TopologyMismatch" });
  });

  it("may be added beside workers that do not have it", async () => {
    const { app, settle } = bench();
    const running = await settle(app().run(one));
    const more = await settle(app().run(both));
    await settle(Promise.all([running.stop(), more.stop()]));
  });
});

describe("workers that run", () => {
  it("notice nothing of one that is refused: it does not even join", async () => {
    const { app, send, settle, caughtUp } = bench();
    const observer = app();
    await send(source, sequence(2, 1), { end: false });
    const running = await settle(app().run(counting()));
    await caughtUp(running, 2);
    const before = await settle(observer.describeGroup("totals"));
    const by = (item: Item): string => item.key;
    const refused: readonly (readonly [Pipeline, RunOptions])[] = [
      [counting({ name: "sums", by }), {}],
      [counting({ state: { version: 2 } }), {}],
      [counting(), { reset: ["totals"] }],
    ];
    for (const [plan, options] of refused) {
      expect(await settle(rejection(app().run(plan, options)))).toMatchObject({ _tag: "TopologyMismatch" });
    }
    expect((await settle(observer.describeGroup("totals"))).epoch).toBe(before.epoch);
    // The topic of the one that is refused is not there: whoever comes makes it, with as many partitions as he likes.
    const made = items("app.totals.sums.repartition", { partitions: 7 });
    await settle(observer.producer(made));
    await settle(running.stop());
  });
});

describe("a worker with a name of its own", () => {
  it("may reset when it comes back after a crash, while its last stay is still listed", async () => {
    const { adapter, app, send, settle, caughtUp, read } = bench();
    const member = { id: "one" };
    const crashing = faultyAdapter(adapter, { seed: 1, rate: 0 });
    await send(source, sequence(2, 1), { end: false });
    await caughtUp(await settle(app("app", { adapter: crashing, member }).run(counting())), 2);
    crashing.crash();
    await settle((await settle(app("app", { member }).run(counting(), { reset: ["totals"] }))).stop());
    await send(source, sequence(3, 1).slice(2), { end: false });
    const last = await settle(app("app", { member }).run(counting()));
    await caughtUp(last, 3);
    await settle(last.stop());
    expect((await read(totals)).map(({ value }) => value.n)).toEqual([1, 2, 1]);
  });
});

describe("a worker that was away", () => {
  const migrating = counting({ state: { version: 2, migrate: (states) => states } });

  it.each<readonly [string, Pipeline, RunOptions, readonly number[]]>([
    ["reset", counting(), { reset: ["totals"] }, [1, 2, 1]],
    ["taken over by a later version", migrating, {}, [1, 2, 3]],
  ])("does not come back where its stores were %s meanwhile", async (_, plan, options, expected) => {
    const { adapter, clock, app, send, settle, caughtUp, read } = bench();
    const frozen = faultyAdapter(adapter, { seed: 1, rate: 0 });
    await send(source, sequence(2, 1), { end: false });
    const away = await settle(app("app", { adapter: frozen, member: { session: "1 s" } }).run(counting()));
    await caughtUp(away, 2);
    frozen.freeze();
    await settle(sleep(clock, 2_000));
    await settle((await settle(app().run(plan, options))).stop());
    frozen.mend();
    const error = await settle(rejection(away.done));
    expect(error).toMatchObject({ _tag: "GroupMismatch" });
    expect((error as Error).message).toMatch(
      /away from group app\.totals, its stores were reset.* Start the worker again/,
    );

    await send(source, sequence(3, 1).slice(2), { end: false });
    const last = await settle(app().run(plan));
    await caughtUp(last, 3);
    await settle(last.stop());
    expect((await read(totals)).map(({ value }) => value.n)).toEqual(expected);
  });

  it("comes back where they were not, also beside a later version that adds a part", async () => {
    const { adapter, clock, app, send, settle, caughtUp, read } = bench();
    const frozen = faultyAdapter(adapter, { seed: 1, rate: 0 });
    const plan = counting();
    const away = await settle(app("app", { adapter: frozen, member: { session: "1 s" } }).run(plan));
    frozen.freeze();
    await settle(sleep(clock, 2_000));
    const wider = pipeline("totals", counted(), minutes(beside, "two"));
    await settle((await settle(app().run(wider))).stop());
    frozen.mend();
    await settle(sleep(clock, 2_000));
    await send(source, sequence(2, 1), { end: false });
    await caughtUp(away, 2);
    await settle(away.stop());
    expect((await read(totals)).map(({ value }) => value.n)).toEqual([1, 2]);
  });
});

describe("a group that Redis has lost", () => {
  afterAll(stopRedis);

  it("remembers its stores again as soon as a worker comes back", { timeout: 60_000 }, async () => {
    const place = await onRedis();
    const running = await place.app({ member: { session: "1 s" } }).run(counting());
    const { group } = await place.ports();
    const before = await group.topology(GROUP)();
    const admin = new Redis(place.url);
    const keys = await admin.keys(`${place.namespace}:{${GROUP}}:*`);
    await admin.del(...keys);
    admin.disconnect();
    await expect
      .poll(async () => await group.topology(GROUP)(), { timeout: 20_000 })
      .toMatchObject({ right: { topology: (before as { right: { topology: string } }).right.topology } });
    await place.send(2);
    await place.caughtUp(running);
    await running.stop();
    expect(await place.numbers()).toEqual([1, 2]);
    await place.dispose();
  });
});

describe("the options of run", () => {
  it.each<readonly [string, unknown, RegExp]>([
    ["are no others", { resets: [] }, /^run: there is no option "resets"; there are reset, signal$/],
    [
      "have a list of names to reset",
      { reset: "totals" },
      /^run: reset must be a list of names of stores, not "totals"$/,
    ],
    [
      "have nothing but names in it",
      { reset: ["totals", 7] },
      /^run: reset must be a list of names of stores; it has 7$/,
    ],
  ])("%s", async (_, options, message) => {
    const { app, settle } = bench();
    const error = await settle(rejection(app().run(counting(), options as RunOptions)));
    expect(error).toMatchObject({ _tag: "InvalidOption", message: expect.stringMatching(message) });
  });

  it("reset in the pipelines of the call that have the store, and leave the others alone", async () => {
    const { app, send, settle, clock, caughtUp, read } = bench();
    const copying = pipeline("copy", stream(source).pipe(sink(copy)));
    await send(source, sequence(2, 1), { end: false });
    const elsewhere = await settle(app().run(copying));
    const first = await settle(app().run(counting()));
    await caughtUp(first, 2);
    await settle(first.stop());
    const both = await settle(app().run([copying, counting()], { reset: ["totals"] }));
    await send(source, sequence(3, 1).slice(2), { end: false });
    await settle(sleep(clock, 2_000));
    await settle(Promise.all([elsewhere.stop(), both.stop()]));
    expect((await read(totals)).map(({ value }) => value.n)).toEqual([1, 2, 1]);
  });
});
