/** Releases of a pipeline that follow each other, and what becomes of the state: in memory, and on a real Redis. */
import {
  type AggregateOptions,
  aggregate,
  count,
  filter,
  map,
  type Pipeline,
  pipeline,
  sink,
  stream,
  sum,
  tumbling,
  type WindowSpec,
  window,
} from "@millrace/core";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Item, rejection } from "./support/bench-top.ts";
import { counting, GROUP, inMemory, onRedis, type Place, source, stopRedis, totals } from "./support/evolution.ts";

const TIMEOUT_MS = 60_000;

describe.each<readonly [string, () => Place | Promise<Place>]>([
  ["in memory", inMemory],
  ["on Redis", onRedis],
])("a release, %s,", { timeout: TIMEOUT_MS }, (_where, make) => {
  let place: Place;
  beforeEach(async () => {
    place = await make();
  }, TIMEOUT_MS);
  afterEach(() => place.dispose(), TIMEOUT_MS);
  afterAll(stopRedis, TIMEOUT_MS);

  /** Deploys it, expects that it is refused and nothing runs, and returns what is said. */
  async function refusal(plan: Pipeline, tag = "TopologyMismatch"): Promise<string> {
    const error = await place.settle(rejection(place.app().run(plan)));
    expect(error).toMatchObject({ name: "MillraceError", _tag: tag });
    return (error as Error).message;
  }

  describe("that changes nothing of what is kept", () => {
    it("goes on where the one before stopped, as often as it is deployed", async () => {
      await place.send(2);
      await place.deploy(counting());
      await place.send(1);
      await place.deploy(counting());
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2, 3]);
    });

    it("may add, drop and rename operators that keep nothing", async () => {
      const kept = aggregate<Item, { readonly n: number }>({ n: count() }, { name: "totals" });
      const out = map(({ value }: { readonly value: { readonly n: number } }) => ({ key: "k", n: value.n, at: 0 }));
      const all = filter((item: Item) => item.n >= 0);
      await place.send(1);
      await place.deploy(pipeline("totals", stream(source).pipe(all, kept, out, sink(totals))));
      await place.send(1);
      const same = map((item: Item) => item, { name: "same", onError: "deadLetter" });
      await place.deploy(pipeline("totals", stream(source).pipe(same, kept, out, sink(totals))));
      await place.send(1);
      const doubled = map((item: Item) => ({ ...item, n: item.n * 10 }));
      await place.deploy(pipeline("totals", stream(source).pipe(kept, out, doubled, sink(totals))));
      expect(await place.numbers()).toEqual([1, 2, 30]);
    });

    it("may add a store, which begins empty", async () => {
      const countedAs = (name: string) =>
        stream(source).pipe(
          aggregate<Item, { readonly n: number }>({ n: count() }, { name }),
          map(({ value }) => ({ key: name, n: value.n, at: 0 })),
          sink(totals),
        );
      await place.send(2);
      await place.deploy(counting());
      await place.send(1);
      await place.deploy(pipeline("totals", countedAs("totals"), countedAs("second")));
      expect((await place.numbers()).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 3]);
    });
  });

  describe("is refused, and the one before goes on as if nothing had been,", () => {
    const other: readonly (readonly [string, AggregateOptions<Item>, readonly (string | RegExp)[]])[] = [
      [
        "with a store by another name",
        { name: "sums" },
        ['store "totals" is not there any more; it looks like a rename of "totals" to "sums"', "keep the old name"],
      ],
      [
        "with a version of state that is higher and does not migrate",
        { state: { version: 2 } },
        [/- of each key: n count \(version 1,/, /\+ of each key: n count \(version 2,/, "give state.migrate"],
      ],
    ];

    it.each(other)("%s", async (_, options, texts) => {
      await place.send(2);
      await place.deploy(counting());
      const text = await refusal(counting(options));
      for (const part of [...texts, 'group "app.totals"', 'pipeline "totals"', 'reset: ["totals"]', "pipeline name"]) {
        expect(text).toMatch(part);
      }
      await place.send(1);
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2, 3]);
    });

    it("without a store that has entries", async () => {
      await place.send(1);
      await place.deploy(counting());
      const text = await refusal(pipeline("totals", stream(source).pipe(sink(totals))));
      expect(text).toContain('store "totals" is not there any more\n');
      expect(text).toContain("+ nothing");
      await place.deploy(counting());
    });

    it("with a store that holds something else", async () => {
      await place.send(1);
      await place.deploy(counting());
      const sums = pipeline(
        "totals",
        stream(source).pipe(
          aggregate({ n: sum((item: Item) => item.n) }, { name: "totals" }),
          map(({ value }) => ({ key: "k", n: value.n, at: 0 })),
          sink(totals),
        ),
      );
      expect(await refusal(sums)).toMatch(
        /holds something else\n +- of each key: n count .*\n +\+ of each key: n sum /,
      );
    });

    it("with a version of state that is lower", async () => {
      const second = counting({ state: { version: 2, migrate: (states) => states } });
      await place.send(1);
      await place.deploy(second);
      expect(await refusal(counting())).toContain("holds entries of a later version");
      await place.send(1);
      await place.deploy(second);
      expect(await place.numbers()).toEqual([1, 2]);
    });

    it("by a memory of the group that a later Millrace has written", async () => {
      const { group } = await place.ports();
      const ref = { group: GROUP, member: "later", instance: "1" };
      const times = { sessionMs: 10_000, revocationMs: 1_000 };
      await group.join({ ...ref, ...times, previous: null, weight: 1, plan: {}, host: "", pid: 1 })();
      await group.storeTopology(ref, { expected: null, topology: '{"format":2}', onlyAlone: false })();
      await group.leave(ref)();
      expect(await refusal(counting())).toMatch(
        /cannot be read: it is of format 2, and this version of Millrace reads 1/,
      );
    });
  });

  describe("that migrates its state", () => {
    const migrating = counting({
      state: { version: 2, migrate: (states) => ({ ...states, n: Number(states["n"]) + 100 }) },
    });

    it("reads what the version before has written, entry by entry", async () => {
      await place.send(2);
      await place.deploy(counting());
      await place.send(1);
      await place.deploy(migrating);
      await place.send(1);
      await place.deploy(migrating);
      expect(await place.numbers()).toEqual([1, 2, 103, 104]);
    });

    it("cannot give that up while entries of the version before may be there", async () => {
      await place.send(1);
      await place.deploy(counting());
      await place.deploy(migrating);
      expect(await refusal(counting({ state: { version: 2 } }))).toContain("has no migrate any more");
    });

    it("does not join workers of the version before: what it writes they could not read", async () => {
      await place.send(1);
      const running = await place.settle(place.app().run(counting()));
      await place.caughtUp(running);
      const text = await refusal(migrating, "GroupMismatch");
      expect(text).toMatch(/n count\).*n count, version 2\)/s);
      expect(text).toMatch(/its version, can change only while no worker of the earlier version runs: stop those/);
      await place.settle(running.stop());
      // Nothing was remembered of the one that was refused.
      await place.send(1);
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2]);
    });
  });

  describe("whose state is empty", () => {
    const windows = (spec: WindowSpec, name = "windows"): Pipeline =>
      pipeline(
        "totals",
        stream(source).pipe(
          window(spec, { n: count() }, { name, grace: "0 s" }),
          map((w) => ({ key: w.key, n: w.value.n, at: 0 })),
          sink(totals),
        ),
      );
    const minutes = windows(tumbling("1 minute"));
    const hours = windows(tumbling("1 hour"));

    it("may change it in every way, since there is nothing to lose", async () => {
      await place.send(3);
      await place.deploy(minutes);
      expect(await refusal(hours)).toContain("tumbling 3600000 ms");
      expect(await refusal(windows(tumbling("1 minute"), "renamed"))).toContain('"windows" to "renamed"');
      // The version that opened the windows closes them.
      await place.send(0, { end: true });
      await place.settle((await place.settle(place.app().run(minutes))).done);
      for (const plan of [hours, windows(tumbling("1 minute"), "renamed"), minutes]) {
        await place.settle((await place.settle(place.app().run(plan))).done);
      }
      expect(await place.numbers()).toEqual([3]);
    });
  });

  it("that begins on two workers at once, in two versions, is one of them", async () => {
    const plans = [counting(), counting({ state: { version: 2, migrate: (states) => states } })];
    await place.send(1);
    const runs = plans.map((plan) => place.app().run(plan));
    const settled = await place.settle(Promise.allSettled(runs));
    const running = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const refused = settled.flatMap((each) => (each.status === "rejected" ? [each.reason as { _tag: string }] : []));
    expect(refused.map(({ _tag }) => _tag)).toEqual([expect.stringMatching(/^(Group|Topology)Mismatch$/)]);
    await place.send(1);
    await Promise.all(running.map((each) => place.caughtUp(each)));
    await Promise.all(running.map((each) => place.settle(each.stop())));
    expect(await place.numbers()).toEqual([1, 2]);
  });

  it("that begins on many workers at once is agreed on by all", async () => {
    await place.send(1);
    await place.deploy(counting());
    const migrating = counting({ state: { version: 2, migrate: (states) => states } });
    const runs = await place.settle(Promise.all([1, 2, 3, 4].map(() => place.app().run(migrating))));
    await place.send(1);
    await Promise.all(runs.map((each) => place.settle(each.stop())));
    await place.deploy(migrating);
    expect(await place.numbers()).toEqual([1, 2]);
  });
});
