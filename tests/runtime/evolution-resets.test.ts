/** Stores that are reset: in memory, and on a real Redis. */
import { type Adapter, portError } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { rejection } from "./support/bench-top.ts";
import { counting, GROUP, inMemory, onRedis, type Place, stopRedis } from "./support/evolution.ts";

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

  /** The keys of a store of the first partitions' tasks, by the name under which it lies. */
  async function keysIn(store: string): Promise<readonly string[]> {
    const { state, log } = await place.ports();
    const topic = await log.ensureTopic({ name: "source", partitions: null, defaultPartitions: 2 })();
    if (E.isLeft(topic)) {
      throw new Error(topic.left.message);
    }
    const keys: string[] = [];
    for (const partition of [0, 1]) {
      const page = await state.scan({ group: GROUP, topic: topic.right, partition }, store, null)();
      keys.push(...(E.isRight(page) ? page.right.entries.map(([key]) => key) : []));
    }
    return keys;
  }

  describe("that resets", () => {
    it("begins empty where the one before stopped, and the old state is gone", async () => {
      await place.send(2);
      await place.deploy(counting());
      expect(await keysIn("totals")).toEqual(["k"]);
      await place.send(1);
      await place.deploy(counting({ state: { version: 2 } }), { reset: ["totals"] });
      expect([await keysIn("totals"), await keysIn("totals~1")]).toEqual([[], ["k"]]);
      await place.send(1);
      await place.deploy(counting({ state: { version: 2 } }));
      expect(await place.numbers()).toEqual([1, 2, 1, 2]);
    });

    it("does so again when it is started with it again", async () => {
      await place.send(2);
      await place.deploy(counting());
      for (const each of [1, 2]) {
        await place.send(1);
        await place.deploy(counting(), { reset: ["totals"] });
        expect(await keysIn(`totals~${each}`)).toEqual(["k"]);
      }
      expect(await place.numbers()).toEqual([1, 2, 1, 1]);
      expect([await keysIn("totals"), await keysIn("totals~1")]).toEqual([[], []]);
    });

    it("forgets a store that the pipeline has no more, and one of that name begins empty", async () => {
      await place.send(2);
      await place.deploy(counting());
      await place.deploy(counting({ name: "sums" }), { reset: ["totals"] });
      expect(await keysIn("totals")).toEqual([]);
      await place.send(1);
      await place.deploy(counting({ name: "sums" }));
      await place.deploy(counting(), { reset: ["sums"] });
      await place.send(1);
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2, 1, 1]);
    });

    it("what no pipeline has or had is refused before anything is touched", async () => {
      await place.send(1);
      await place.deploy(counting());
      const error = await place.settle(rejection(place.app().run(counting(), { reset: ["totals", "sums"] })));
      expect(error).toMatchObject({
        _tag: "InvalidOption",
        message: 'run: reset: app.totals has no store "sums"; there are totals',
      });
      await place.send(1);
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2]);
    });

    it("is refused while other workers run, and they notice nothing", async () => {
      await place.send(1);
      const running = await place.settle(place.app({ member: { id: "first" } }).run(counting()));
      await place.caughtUp(running);
      const error = await place.settle(rejection(place.app().run(counting(), { reset: ["totals"] })));
      expect(error).toMatchObject({ _tag: "TopologyMismatch" });
      expect((error as Error).message).toMatch(
        /cannot reset "totals" of group "app.totals" while other workers run: first \(.*, process \d+\)\. Stop all of them first/,
      );
      await place.send(1);
      await place.caughtUp(running);
      await place.settle(running.stop());
      expect(await place.numbers()).toEqual([1, 2]);
    });

    it("is refused to one of two that do so at once: nobody resets what another one uses", async () => {
      await place.send(2);
      await place.deploy(counting());
      const runs = [1, 2].map(() => place.app().run(counting(), { reset: ["totals"] }));
      const settled = await place.settle(Promise.allSettled(runs));
      const running = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      expect(running.length).toBeLessThan(2);
      await Promise.all(running.map((each) => place.settle(each.stop())));
      await place.send(1);
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2, running.length === 0 ? 3 : 1]);
    });

    it("may do so when it runs for the first time", async () => {
      await place.send(1);
      await place.deploy(counting(), { reset: ["totals"] });
      await place.send(1);
      await place.deploy(counting());
      expect(await place.numbers()).toEqual([1, 2]);
    });

    it("and dies before the old state is deleted leaves that to the next worker", async () => {
      await place.send(2);
      await place.deploy(counting());
      const dying = place.app({ adapter: withoutDrops(place.adapter) });
      const error = await place.settle(rejection(dying.run(counting(), { reset: ["totals"] })));
      expect(error).toMatchObject({ _tag: "Unavailable" });
      expect(await keysIn("totals")).toEqual(["k"]);
      await place.send(1);
      await place.deploy(counting());
      expect([await keysIn("totals"), await keysIn("totals~1")]).toEqual([[], ["k"]]);
      expect(await place.numbers()).toEqual([1, 2, 1]);
    });
  });
});

/** An adapter whose stores cannot be deleted: as if the worker died before. */
function withoutDrops(inner: Adapter): Adapter {
  return {
    name: inner.name,
    open: () => async () => {
      const opened = await inner.open()();
      return E.map((ports: Extract<typeof opened, { _tag: "Right" }>["right"]) => ({
        log: ports.log,
        tasks: ports.tasks,
        group: ports.group,
        state: {
          scan: (...args: Parameters<typeof ports.state.scan>) => ports.state.scan(...args),
          get: (...args: Parameters<typeof ports.state.get>) => ports.state.get(...args),
          due: (...args: Parameters<typeof ports.state.due>) => ports.state.due(...args),
          drop: () => async () => E.left(portError("Unavailable", "the worker has died")),
        },
        close: () => ports.close(),
      }))(opened);
    },
  };
}
