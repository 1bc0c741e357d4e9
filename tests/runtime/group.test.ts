import { mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";
import { pick, shares, slow, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 8 });
const copy = items("copy", { partitions: 1 });
const plain = pipeline("copy", stream(source).pipe(sink(copy)));
const GROUP = "app.copy";

describe("workers of one group", () => {
  it("share the tasks evenly, and a join moves no more than it must (A6, H6)", async () => {
    const top = bench();
    const first = workerOf(top);
    await top.settle(first.app.run(plain));
    await top.clock.advance(1_000);
    expect(await shares(top, first.app, plain)).toEqual([8]);

    const second = workerOf(top);
    await top.settle(second.app.run(plain));
    await top.clock.advance(1_000);
    expect(await shares(top, first.app, plain)).toEqual([4, 4]);
    expect(pick(second.events, "Assigned")).toHaveLength(4);
    expect(pick(first.events, "Revoked")).toHaveLength(4);
    // What stays is neither acquired again nor dropped.
    expect(pick(first.events, "Assigned")).toHaveLength(8);
    expect([...pick(first.events, "Lost"), ...pick(second.events, "Lost")]).toEqual([]);

    const third = workerOf(top);
    await top.settle(third.app.run(plain));
    await top.clock.advance(1_000);
    expect(await shares(top, first.app, plain)).toEqual([2, 3, 3]);
    expect(pick(third.events, "Assigned")).toHaveLength(2);
    expect(pick([...first.events, ...second.events], "Revoked")).toHaveLength(6);
  });

  it("that join at once settle with one target", async () => {
    const top = bench();
    const workers = Array.from({ length: 5 }, () => workerOf(top));
    await top.settle(Promise.all(workers.map(({ app }) => app.run(plain))));
    await top.clock.advance(1_000);
    const [first] = workers;
    expect(await shares(top, first?.app ?? top.app(), plain)).toEqual([1, 1, 2, 2, 2]);
    const generations = new Set(
      workers.flatMap(({ events }) => pick(events, "RebalanceStarted")).map((e) => e.generation),
    );
    expect(generations.size).toBe(1);
  });

  it("hand tasks over in the middle of the work, without loss, double or disorder (G1, G3, G4)", async () => {
    const top = bench();
    const plan = pipeline("copy", stream(source).pipe(slow(top, 30), sink(copy)));
    await top.send(source, sequence(2_000, 40));
    const first = workerOf(top);
    await top.settle(first.app.run(plan));
    await top.clock.advance(700);
    const second = workerOf(top);
    const running = await top.settle(second.app.run(plan));
    await top.clock.advance(700);
    await top.settle(first.app.close());
    await top.settle(running.done);
    const values = (await top.read(copy)).map(({ value }) => value);
    expect(values.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(sequence(2_000).map(({ n }) => n));
    for (const key of new Set(values.map(({ key: each }) => each))) {
      const order = values.filter((value) => value.key === key).map(({ n }) => n);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    expect(pick(second.events, "Assigned")).toHaveLength(8);
    expect(pick(first.events, "Committed").length).toBeGreaterThan(0);
    expect(pick([...first.events, ...second.events], "Fenced")).toEqual([]);
  });

  it("end when all tasks are complete, each of them, wherever they ran", async () => {
    const top = bench();
    await top.send(source, sequence(100, 40));
    const workers = [workerOf(top), workerOf(top), workerOf(top)];
    const runs = await top.settle(Promise.all(workers.map(({ app }) => app.run(plain))));
    await top.settle(Promise.all(runs.map(({ done }) => done)));
    expect(await top.read(copy)).toHaveLength(100);
    expect(workers.map(({ events }) => pick(events, "Finished").length)).toEqual([1, 1, 1]);
    // Whoever starts later finds it all complete.
    const late = await top.settle(workerOf(top).app.run(plain));
    await top.settle(late.done);
    expect(await top.read(copy)).toHaveLength(100);
  });
});

describe("a worker that is more than there are tasks for", () => {
  it("waits, says so, and takes over when it is needed", async () => {
    const top = bench();
    const narrow = items("narrow", { partitions: 1 });
    const plan = pipeline("copy", stream(narrow).pipe(sink(copy)));
    const first = workerOf(top);
    await top.settle(first.app.run(plan));
    await top.clock.advance(500);
    const spare = workerOf(top);
    await top.settle(spare.app.run(plan));
    await top.clock.advance(500);
    expect(pick(spare.events, "Idle")).toEqual([{ _tag: "Idle", group: GROUP }]);
    expect(pick(spare.events, "Assigned")).toEqual([]);
    await top.settle(first.app.close());
    await top.clock.advance(300);
    expect(pick(spare.events, "Assigned")).toHaveLength(1);
  });
});

describe("a worker that dies", () => {
  it("is replaced when its session is over, and not before (M1, H2)", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const dying = workerOf(top, { session: "2 s" }, { adapter });
    await top.settle(dying.app.run(plain));
    await top.clock.advance(1_000);
    const heir = workerOf(top, { session: "2 s" });
    await top.settle(heir.app.run(plain));
    await top.clock.advance(1_000);
    expect(await shares(top, heir.app, plain)).toEqual([4, 4]);
    adapter.crash();
    await top.clock.advance(1_500);
    expect(pick(heir.events, "Assigned")).toHaveLength(4);
    await top.clock.advance(700);
    expect(pick(heir.events, "Assigned")).toHaveLength(8);
    expect(pick(heir.events, "SessionLost")).toEqual([]);
  });

  it("is replaced at that moment, however seldom the others send heartbeats", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const dying = workerOf(top, { session: "3 s", heartbeat: "900 ms" }, { adapter });
    const heir = workerOf(top, { session: "3 s", heartbeat: "900 ms" });
    await top.settle(dying.app.run(plain));
    await top.clock.advance(350);
    await top.settle(heir.app.run(plain));
    await top.clock.advance(1_000);
    adapter.crash();
    await top.clock.advance(3_100);
    expect(pick(heir.events, "Assigned")).toHaveLength(8);
  });

  it("and comes back under its name takes its place and its tasks at once (M6, A8)", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const dying = workerOf(top, { id: "worker-1", session: "1 hour" }, { adapter });
    const other = workerOf(top, { id: "worker-2", session: "1 hour" });
    await top.settle(Promise.all([dying.app.run(plain), other.app.run(plain)]));
    await top.clock.advance(1_000);
    const had = new Set(pick(dying.events, "Assigned").map(({ task }) => task));
    adapter.crash();
    const back = workerOf(top, { id: "worker-1", session: "1 hour" });
    await top.settle(back.app.run(plain));
    await top.clock.advance(1_000);
    expect(new Set(pick(back.events, "Assigned").map(({ task }) => task))).toEqual(had);
    expect(pick(other.events, "Revoked")).toEqual([]);
  });
});

describe("a worker that is cut off", () => {
  it("drops its tasks when its session is over, and joins again afterwards (M1)", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const lonely = workerOf(top, { session: "2 s" }, { adapter });
    const other = workerOf(top, { session: "2 s" });
    await top.settle(Promise.all([lonely.app.run(plain), other.app.run(plain)]));
    await top.clock.advance(1_000);
    adapter.cut();
    await top.clock.advance(2_100);
    expect(pick(lonely.events, "SessionLost")).toHaveLength(1);
    expect(pick(lonely.events, "Lost")).toHaveLength(4);
    await top.clock.advance(500);
    expect(pick(other.events, "Assigned")).toHaveLength(8);
    adapter.mend();
    await top.clock.advance(2_000);
    expect(pick(lonely.events, "Joined")).toHaveLength(2);
    expect(await shares(top, other.app, plain)).toEqual([4, 4]);
  });

  it("together with all others keeps its tasks: then it was the store that was away", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const workers = [workerOf(top, { session: "2 s" }, { adapter }), workerOf(top, { session: "2 s" }, { adapter })];
    await top.settle(Promise.all(workers.map(({ app }) => app.run(plain))));
    await top.clock.advance(1_000);
    const tools = top.app();
    const before = await top.settle(tools.describeGroup(plain));
    adapter.cut();
    await top.clock.advance(10_000);
    adapter.mend();
    await top.clock.advance(3_000);
    const after = await top.settle(tools.describeGroup(plain));
    expect(after.members.map(({ member, tasks }) => ({ member, tasks: tasks.toSorted() }))).toEqual(
      before.members.map(({ member, tasks }) => ({ member, tasks: tasks.toSorted() })),
    );
    // Both have joined again, and nobody was removed meanwhile.
    expect(after.epoch).toBe(before.epoch + 2);
  });
});

describe("a task whose handler hangs", () => {
  it("goes to its next worker when the time to give it up is over (H2, H4)", async () => {
    const top = bench();
    const narrow = items("narrow", { partitions: 2 });
    let isHanging = true;
    const plan = pipeline(
      "copy",
      stream(narrow).pipe(
        mapOrdered((item: Item) => (isHanging ? new Promise<Item>(() => {}) : Promise.resolve(item))),
        sink(copy),
      ),
    );
    await top.send(narrow, sequence(40, 20));
    const stuck = workerOf(top, { session: "1 hour", revocation: "3 s" });
    await top.settle(stuck.app.run(plan));
    await top.clock.advance(1_000);
    isHanging = false;
    const next = workerOf(top, { session: "1 hour", revocation: "3 s" });
    await top.settle(next.app.run(plan));
    await top.clock.advance(2_500);
    expect(pick(next.events, "Assigned")).toEqual([]);
    expect(pick(next.events, "Waiting")).toMatchObject([{ tasks: 1 }]);
    await top.clock.advance(1_500);
    expect(pick(next.events, "Assigned")).toHaveLength(1);
    expect(pick(stuck.events, "Lost")).toMatchObject([{ reason: expect.stringMatching(/3000 ms/) }]);
  });
});

describe("a second worker with the same id", () => {
  it("takes the place of the first, which stops with an error that says why (M6)", async () => {
    const top = bench();
    const first = workerOf(top, { id: "worker-1" });
    const running = await top.settle(first.app.run(plain));
    await top.clock.advance(1_000);
    const second = workerOf(top, { id: "worker-1" });
    await top.settle(second.app.run(plain));
    const error = await top.settle(rejection(running.done));
    expect(error).toMatchObject({ _tag: "Fenced", code: "MR_FENCED" });
    expect((error as Error).message).toMatch(/worker-1/);
    await top.clock.advance(1_000);
    expect(pick(second.events, "Assigned")).toHaveLength(8);
    expect(await shares(top, second.app, plain)).toEqual([8]);
  });
});

describe("a worker with another pipeline under the same name", () => {
  it("is refused at start, and told the difference; one that only adds a filter is not (M7)", async () => {
    const top = bench();
    const first = workerOf(top);
    await top.settle(first.app.run(plain));
    const elsewhere = items("elsewhere");
    const other = pipeline("copy", stream(source).pipe(sink(elsewhere)));
    const error = await top.settle(rejection(workerOf(top).app.run(other)));
    expect(error).toMatchObject({ _tag: "GroupMismatch", code: "MR_GROUP_MISMATCH" });
    expect((error as Error).message).toMatch(/source.*copy.*elsewhere/s);
    await top.settle(workerOf(top).app.run(pipeline("copy", stream(source).pipe(slow(top, 1), sink(copy)))));
    await top.clock.advance(1_000);
    expect(await shares(top, first.app, plain)).toEqual([4, 4]);
  });

  it("shares what both can run, and what only one can run stays with it", async () => {
    const top = bench();
    const extra = items("extra", { partitions: 4 });
    const wider = pipeline("copy", stream(source).pipe(sink(copy)), stream(extra).pipe(sink(copy)));
    const [old, young] = [workerOf(top), workerOf(top)];
    await top.settle(Promise.all([old.app.run(plain), young.app.run(wider)]));
    await top.clock.advance(1_000);
    const { members } = await top.settle(old.app.describeGroup("copy"));
    const kinds = members.map(({ tasks }) => [
      tasks.filter((task) => task.startsWith("source/")).length,
      tasks.filter((task) => task.startsWith("extra/")).length,
    ]);
    expect(kinds.toSorted((a, b) => (a[1] ?? 0) - (b[1] ?? 0))).toEqual([
      [6, 0],
      [2, 4],
    ]);
  });
});
