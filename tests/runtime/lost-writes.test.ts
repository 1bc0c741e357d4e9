import {
  type Adapter,
  type AppEvent,
  createApp,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  portError,
  sink,
  stream,
  type Tasks,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { pick } from "./support/workers.ts";

const source = items("source", { partitions: 1 });
const out = items("out", { partitions: 1 });
const copy = pipeline(
  "copy",
  stream(source).pipe(
    map((item) => item),
    sink(out),
  ),
);

/** The same, with a handler that waits until it is told to end. */
function holding(): { readonly plan: Pipeline; readonly release: readonly (() => void)[] } {
  const release: (() => void)[] = [];
  const hold = (item: Item): Promise<Item> =>
    new Promise((resolve) => {
      release.push(() => resolve(item));
    });
  return { plan: pipeline("held", stream(source).pipe(mapOrdered(hold), sink(out))), release };
}

async function numbersIn(top: Bench): Promise<readonly number[]> {
  return (await top.read(out)).map(({ value }) => value.n);
}

/** A store that has lost commits whenever one is made. */
function alwaysRegressed(inner: Adapter): Adapter {
  return {
    name: inner.name,
    open: () => async () => {
      const opened = await inner.open()();
      if (E.isLeft(opened)) {
        return opened;
      }
      const { tasks, ...ports } = opened.right;
      const regressed: Tasks = {
        acquire: (task, generation) => tasks.acquire(task, generation),
        positions: (refs) => tasks.positions(refs),
        commit: () => async () => E.left(portError("Regressed", "the store lost writes, of the test")),
      };
      return E.right({ ...ports, tasks: regressed, close: () => opened.right.close() });
    },
  };
}

/** Default session: workers look once in so long whether the store has what it acknowledged. */
const SESSION_MS = 10_000;

describe("a store that has come back without its last writes", () => {
  it("G3: has an idle task do again what was lost, without a new record", async () => {
    const top = bench();
    const running = await top.settle(top.app().run(copy));
    await top.send(source, sequence(2), { end: false, id: "p" });
    await top.caughtUp(running, 2);
    const restore = top.adapter.snapshot();
    await top.send(source, sequence(4), { end: false, id: "p" });
    await top.caughtUp(running, 4);
    expect(await numbersIn(top)).toEqual([0, 1, 2, 3]);
    restore();
    // Who has its input still sends it again.
    await top.send(source, sequence(4), { end: false, id: "p" });
    await top.clock.advance(SESSION_MS);
    await top.clock.advance(1_000);
    expect(await numbersIn(top)).toEqual([0, 1, 2, 3]);
    expect(pick(top.events, "Regressed")).toHaveLength(1);
    await top.settle(running.stop());
  });

  it("G3: notices within a session also where nothing else happens", async () => {
    const top = bench();
    const { plan, release } = holding();
    const running = await top.settle(top.app().run(plan));
    await top.send(source, sequence(1), { end: false, id: "p" });
    const restore = top.adapter.snapshot();
    release[0]?.();
    await top.caughtUp(running, 1);
    expect(await numbersIn(top)).toEqual([0]);
    restore();
    expect(await numbersIn(top)).toEqual([]);
    await top.clock.advance(SESSION_MS);
    release[1]?.();
    await top.clock.advance(1_000);
    expect(await numbersIn(top)).toEqual([0]);
    await top.settle(running.stop());
  });

  it("G6: has a complete task do again what was lost, and the group finish", async () => {
    const top = bench();
    const waiting = items("waiting", { partitions: 1 });
    const both = pipeline("both", stream(source).pipe(sink(out)), stream(waiting).pipe(sink(items("others"))));
    const running = await top.settle(top.app().run(both));
    await top.send(source, sequence(1), { end: false, id: "p" });
    const restore = top.adapter.snapshot();
    await top.send(source, sequence(2), { id: "p" });
    await top.caughtUp(running, 2);
    expect(pick(top.events, "Completed")).toHaveLength(1);
    restore();
    await top.send(source, sequence(2), { id: "p" });
    await top.send(waiting, []);
    await top.settle(running.done);
    expect(await numbersIn(top)).toEqual([0, 1]);
    expect(pick(top.events, "Regressed").length).toBeGreaterThan(0);
  });

  it("G4: refuses a commit of records that it has lost, and counts those that come in their place once", async () => {
    const top = bench();
    const { plan, release } = holding();
    const running = await top.settle(top.app().run(plan));
    await top.clock.advance(500);
    const restore = top.adapter.snapshot();
    await top.send(source, sequence(1), { end: false, id: "p" });
    await top.clock.advance(1_000);
    expect(release).toHaveLength(1);
    restore();
    await top.send(source, sequence(1), { end: false, id: "p" });
    release[0]?.();
    await top.clock.advance(1_000);
    expect(pick(top.events, "Regressed")).toMatchObject([{ task: "app.held/source/0" }]);
    for (let n = 1; n < release.length; n += 1) {
      release[n]?.();
    }
    await top.clock.advance(1_000);
    expect(await numbersIn(top)).toEqual([0]);
    await top.settle(running.stop());
  });

  it("G3: does not let a producer end an input of which it has lost a part", async () => {
    const top = bench();
    const app = top.app("load");
    const producer = await top.settle(app.producer(source, { id: "p" }));
    await top.settle(producer.send({ key: "a", n: 0, at: 0 }));
    const restore = top.adapter.snapshot();
    await top.settle(producer.send({ key: "a", n: 1, at: 0 }));
    restore();
    expect(await rejection(top.settle(producer.end()))).toMatchObject({ _tag: "SequenceGap" });
    const again = await top.settle(app.producer(source, { id: "p" }));
    await top.settle(again.sendAll([0, 1].map((n) => ({ key: "a", n, at: 0 }))));
    await top.settle(again.end());
    expect((await top.read(source)).map(({ value }) => value.n)).toEqual([0, 1]);
  });

  it("G6: is not asked without a pause where it says so again and again", async () => {
    const top = bench();
    const worker = createApp({ name: "app", adapter: alwaysRegressed(top.adapter), clock: top.clock });
    const events: AppEvent[] = [];
    worker.events$.subscribe((event) => events.push(event));
    const running = await top.settle(worker.run(copy));
    await top.send(source, sequence(1), { end: false });
    await top.clock.advance(5_000);
    const times = pick(events, "Regressed").length;
    expect(times).toBeGreaterThan(5);
    expect(times).toBeLessThan(200);
    await top.settle(running.stop({ within: "1 s" }));
  });
});
