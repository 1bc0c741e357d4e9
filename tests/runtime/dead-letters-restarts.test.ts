/** What runs beside a failure, and behind it, while its task stops, starts again or goes elsewhere. */
import {
  type Adapter,
  filter,
  map,
  mapOrdered,
  native,
  type Ports,
  pipeline,
  sink,
  sleep,
  stream,
} from "@millrace/core";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as rx from "rxjs";
import { expect, it } from "vitest";
import { type Bench, bench, type Item, items, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });
const restart = { backoff: "20 ms", longest: "100 ms" } as const;

/** Calls of one lane, as they overlap. */
class Lane {
  private readonly open = new Map<string, number>();
  most = 0;

  async run<A>(key: string, call: () => Promise<A>): Promise<A> {
    this.open.set(key, (this.open.get(key) ?? 0) + 1);
    this.most = Math.max(this.most, this.open.get(key) ?? 0);
    try {
      return await call();
    } finally {
      this.open.set(key, (this.open.get(key) ?? 0) - 1);
    }
  }
}

/** Throws the first time that it is asked for a number. */
function failsOnceFor(...numbers: readonly number[]): (item: Item) => Item {
  const bad = new Set(numbers);
  return (item) => {
    if (bad.delete(item.n)) {
      throw new Error(`not yet ${item.n}`);
    }
    return item;
  };
}

const later = ({ clock }: Bench, ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

it("G1: a call that hangs beyond its limits is waited for before the task that it has stopped calls for its key again", async () => {
  const top = bench();
  const lane = new Lane();
  let calls = 0;
  const hangs = (item: Item): Promise<Item> =>
    lane.run(item.key, async () => {
      calls += 1;
      if (calls === 1) {
        // 120 ms after the task has stopped; the next run would begin after 20 ms.
        await later(top, 200);
      }
      return item;
    });
  await top.send(source, sequence(3, 1));
  const timed = mapOrdered(hangs, { timeout: "50 ms", settle: "30 ms" });
  await top.complete(top.app("app", { restart }), pipeline("copy", stream(source).pipe(timed, sink(copy))));
  expect(await top.read(copy)).toHaveLength(3);
  expect(lane.most).toBe(1);
});

it("G1: so it is in an external sink", async () => {
  const top = bench();
  const lane = new Lane();
  let calls = 0;
  const write = (): Promise<void> =>
    lane.run("", async () => {
      calls += 1;
      if (calls === 1) {
        await later(top, 200);
      }
    });
  await top.send(source, sequence(3, 1));
  const timed = sink(write, { timeout: "50 ms", settle: "30 ms" });
  await top.complete(top.app("app", { restart }), pipeline("copy", stream(source).pipe(timed)));
  expect(calls).toBeGreaterThan(1);
  expect(lane.most).toBe(1);
});

it("G1: a task that fails on its way to another worker is not called there before its calls here have ended", async () => {
  const top = bench();
  const lane = new Lane();
  // The first value fails while the second one, which takes longer, is still at work.
  const plan = () =>
    pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered((item: Item) =>
          lane.run(item.key, async () => {
            await later(top, item.key === "k0" ? 150 : 190);
            return item;
          }),
        ),
        map((item) => {
          if (item.n === 0 && top.clock.now() < endsAtMs) {
            throw new Error("not yet");
          }
          return item;
        }),
        sink(copy),
      ),
    );
  const endsAtMs = top.clock.now() + 1_500;
  await top.send(source, sequence(2, 2));
  const first = await top.settle(top.app("app", { restart }).run(plan()));
  await top.clock.advance(300);
  const second = await top.settle(top.app("app", { restart }).run(plan()));
  await top.clock.advance(200);
  await top.settle(first.stop());
  await top.settle(second.done);
  expect(await top.read(copy)).toHaveLength(2);
  expect(lane.most).toBe(1);
});

it("G6: a task that is to stop in front of a failure does so when its last handler ends behind a record that is held", async () => {
  const top = bench();
  await top.send(source, sequence(8, 1));
  const plan = pipeline(
    "copy",
    stream(source).pipe(
      mapOrdered(async (item: Item) => {
        await later(top, 5);
        return item;
      }),
      filter(({ n }) => n % 2 === 0),
      // 0 is held and 1 dropped, when 2 lets the pair go and fails.
      native(
        "pairs",
        rx.pipe(
          rx.bufferCount<Item>(2),
          rx.mergeMap((pair) => rx.from(pair)),
        ),
      ),
      map(failsOnceFor(2, 6)),
      sink(copy),
    ),
  );
  await top.complete(top.app("app", { restart }), plan);
  expect((await top.read(copy)).map(({ value }) => value.n)).toEqual([0, 2, 4, 6]);
});

/** A store in which each commit takes its time. */
function slowCommits({ adapter, clock }: Bench, ms: number): Adapter {
  const slow = (ports: Ports): Ports => ({
    log: ports.log,
    group: ports.group,
    state: ports.state,
    tasks: {
      acquire: (...of) => ports.tasks.acquire(...of),
      positions: (...of) => ports.tasks.positions(...of),
      commit: (commit) => async () => {
        await sleep(clock, ms);
        return ports.tasks.commit(commit)();
      },
    },
    close: () => ports.close(),
  });
  return { name: "slow commits", open: () => TE.map(slow)(adapter.open()) };
}

it("G1: nothing behind a value that fails is written elsewhere before it, not even while a commit is on its way", async () => {
  const top = bench();
  const written: number[] = [];
  const plan = pipeline(
    "copy",
    stream(source).pipe(
      mapOrdered(
        async (item: Item) => {
          // Those of the second half end one by one, while the first half commits.
          await later(top, 100 + 5 * item.n);
          return item;
        },
        { lane: "none" },
      ),
      map(failsOnceFor(4)),
      sink(async (values: readonly Item[]) => void written.push(...values.map(({ n }) => n))),
    ),
  );
  const running = await top.settle(top.app("app", { restart, adapter: slowCommits(top, 100) }).run(plan));
  await top.clock.advance(500);
  await top.send(source, sequence(4, 1), { end: false, id: "first" });
  await top.send(source, sequence(8, 1).slice(4), { id: "second" });
  await top.settle(running.done);
  const firsts = [...new Set(written)];
  expect(firsts).toHaveLength(8);
  expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
});

it("many calls at once with a time limit are no reason for a warning of Node", async () => {
  const top = bench();
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  try {
    await top.send(source, sequence(40, 40));
    const slow = mapOrdered(
      async (item: Item) => {
        await later(top, 5);
        return item;
      },
      { concurrency: 16, timeout: "1 s" },
    );
    await top.complete(top.app("app"), pipeline("copy", stream(source).pipe(slow, sink(copy))));
    expect(warnings).toEqual([]);
  } finally {
    process.off("warning", note);
  }
});
