import { type MemberOptions, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, items, sequence } from "./support/bench-top.ts";
import { shares, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 8 });
const copy = items("copy", { partitions: 1 });
const plain = pipeline("copy", stream(source).pipe(sink(copy)));
const GROUP = "app.copy";

describe("the options of a member", () => {
  it.each([
    [{ session: "900 ms" }, /at least 1 s/],
    [{ session: "3 s", heartbeat: "1100 ms" }, /third/],
    [{ heartbeat: "1 ms" }, /20 ms/],
    [{ weight: 0 }, /above 0/],
    [{ id: "a/b" }, /member name/],
  ] satisfies [MemberOptions, RegExp][])("%j are refused", (member, reason) => {
    expect(() => bench().app("app", { member })).toThrow(reason);
  });

  it("share the tasks by weight", async () => {
    const top = bench();
    const [heavy, light] = [workerOf(top, { weight: 3 }), workerOf(top)];
    await top.settle(Promise.all([heavy.app.run(plain), light.app.run(plain)]));
    await top.clock.advance(1_000);
    expect(await shares(top, heavy.app, plain)).toEqual([2, 6]);
  });
});

describe("describeGroup", () => {
  it("tells members, tasks, offsets and lag, also to an app that runs nothing", async () => {
    const top = bench();
    await top.send(source, sequence(100, 40), { end: false });
    const worker = workerOf(top, { id: "worker-1" });
    const running = await top.settle(worker.app.run(plain));
    await top.clock.advance(1_000);
    const group = await top.settle(top.app().describeGroup("copy"));
    expect(group).toMatchObject({
      group: GROUP,
      members: [{ member: "worker-1", pid: process.pid, isLeaving: false }],
    });
    expect(group.tasks).toHaveLength(8);
    expect(group.tasks.reduce((sum, { processed }) => sum + processed, 0)).toBe(100);
    expect(group.tasks.every(({ lag, lagMs, isComplete }) => lag === 0 && lagMs === 0 && !isComplete)).toBe(true);
    await top.settle(running.stop());
    await top.clock.advance(5_000);
    await top.send(source, sequence(200, 40).slice(100), { end: false, id: "later" });
    const behind = await top.settle(top.app().describeGroup("copy"));
    expect(behind.members).toEqual([]);
    expect(behind.tasks.reduce((sum, { lag }) => sum + lag, 0)).toBe(100);
    expect(
      behind.tasks.every(({ member, lag, lagMs }) => member === null && (lag === 0 || (lagMs ?? 0) >= 5_000)),
    ).toBe(true);
  });

  it("of a group that never was is empty, and creates nothing", async () => {
    const top = bench();
    expect(await top.settle(top.app().describeGroup("nothing"))).toMatchObject({
      members: [],
      tasks: [],
      generation: 0,
    });
  });
});
