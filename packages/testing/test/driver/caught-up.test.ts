import type { GroupDescription } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type LiveWorker, pendingMoves, pendingWork } from "../../src/driver/caught-up.ts";

type Member = GroupDescription["members"][number];
type Task = GroupDescription["tasks"][number];

function member(name: string, target: readonly string[], more: Partial<Member> = {}): Member {
  const own = { member: name, tasks: target, target, weight: 1, runs: ["orders"], host: "here", pid: 1 };
  return { ...own, isLeaving: false, expiresInMs: 10_000, ...more };
}

function task(number: number, worker: string | null, more: Partial<Task> = {}): Task {
  const at = { task: `orders/${number}`, member: worker, generation: 1, offset: "0-0/0" };
  return { ...at, processed: 0, lag: 0, lagMs: 0, isComplete: false, ...more };
}

function group(members: readonly Member[], tasks: readonly Task[]): GroupDescription {
  return { group: "test.plan", epoch: 1, generation: 1, members, tasks };
}

/** A worker that runs these tasks, and knows and has done everything. */
function live(name: string, tasks: readonly string[], more: Partial<LiveWorker> = {}): LiveWorker {
  return {
    name,
    isUpToDate: () => true,
    doing: (id) => (tasks.includes(id) ? "running" : "nothing"),
    knowsTime: () => true,
    waitsFor: () => null,
    ...more,
  };
}

const settled = group([member("a", ["orders/0"]), member("b", ["orders/1"])], [task(0, "a"), task(1, "b")]);
const a = live("a", ["orders/0"]);
const b = live("b", ["orders/1"]);

describe("workers have caught up", () => {
  it("when each runs what it is to run, and knows all there is to know", () => {
    expect(pendingMoves(settled, [a, b])).toBeNull();
    expect(pendingWork(settled, [a, b])).toBeNull();
  });

  it("where there is none", () => {
    expect(pendingMoves(settled, [])).toBeNull();
    expect(
      pendingMoves(group([member("a", ["orders/0"], { expiresInMs: -1 })], [task(0, "a", { lag: 5 })]), []),
    ).toBeNull();
  });

  it("where tasks are with a worker that is dead and not yet missed", () => {
    expect(pendingMoves(settled, [b])).toBeNull();
    const wanted = group([member("a", []), member("b", ["orders/0"])], [task(0, "a")]);
    expect(pendingMoves(wanted, [live("b", [])])).toBeNull();
  });

  it("where what is left waits for other records, or its task is paused", () => {
    const behind = group([member("a", ["orders/0"])], [task(0, "a", { lag: 3 })]);
    expect(pendingWork(behind, [a])).toBeNull();
    const paused = live("a", [], { doing: () => "paused", waitsFor: () => "a call", knowsTime: () => false });
    expect(pendingWork(behind, [paused])).toBeNull();
    expect(pendingMoves(behind, [paused])).toBeNull();
  });
});

describe("it is waited for", () => {
  it.each([
    [
      "a worker that is about to join",
      settled,
      [a, live("c", [], { isUpToDate: () => false })],
      "worker c is about to find",
    ],
    [
      "the end of a session to be noticed",
      group([member("a", ["orders/0"], { expiresInMs: 0 }), member("b", ["orders/1"])], [task(0, "a"), task(1, "b")]),
      [b],
      "the session of worker a is over",
    ],
    [
      "a task that nobody has",
      group([member("a", ["orders/0"])], [task(0, null)]),
      [live("a", [])],
      "task test.plan/orders/0 is on its way to worker a",
    ],
    [
      "a task that another living worker has",
      group([member("a", []), member("b", ["orders/0"])], [task(0, "a")]),
      [a, live("b", [])],
      "task test.plan/orders/0 is on its way to worker b",
    ],
    [
      "a task that was taken, and does not run yet",
      group([member("a", ["orders/0"])], [task(0, "a")]),
      [live("a", [])],
      "task test.plan/orders/0 is on its way to worker a",
    ],
    [
      "a task of a worker that is gone",
      group([member("b", ["orders/0"])], [task(0, "a")]),
      [live("b", [])],
      "task test.plan/orders/0 is on its way to worker b",
    ],
    [
      "event time",
      settled,
      [a, live("b", ["orders/1"], { knowsTime: () => false })],
      "event time is on its way to task test.plan/orders/1 on worker b",
    ],
    [
      "workers that are about to leave",
      group([member("a", ["orders/0"])], [task(0, "a", { isComplete: true })]),
      [a],
      "group test.plan is complete, and worker a about to leave it",
    ],
  ] satisfies [string, GroupDescription, LiveWorker[], string][])("%s", (_what, description, workers, text) => {
    expect(pendingMoves(description, workers)).toContain(text);
  });

  it("what a record waits for", () => {
    const behind = group([member("a", ["orders/0"])], [task(0, "a", { lag: 3 })]);
    const waiting = live("a", ["orders/0"], { waitsFor: () => "a batch to be filled" });
    expect(pendingWork(behind, [waiting])).toBe("task test.plan/orders/0 on worker a waits for a batch to be filled");
    expect(pendingWork(settled, [waiting])).toBeNull();
  });
});
