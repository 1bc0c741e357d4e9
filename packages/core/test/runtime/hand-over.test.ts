import type { Clock, GiveRequest, Group, GroupView, TakeAnswer } from "@millrace/core";
import * as TE from "fp-ts/lib/TaskEither.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HandOver } from "../../src/runtime/hand-over.ts";
import type { RunnerEnd, TaskRunner } from "../../src/runtime/task-runner.ts";

const REF = { group: "app.p", member: "a", instance: "1" };

const clock: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

function view(generation: number, target: readonly string[] | null): GroupView {
  const members = { members: 2, staying: 2, nextExpiryMs: 10_000, proposal: null, completed: 0 };
  return { epoch: generation, generation, target, ...members };
}

/** A hand-over with a group that answers as the test says, and runners that run until they are stopped. */
function scene() {
  const taken: string[][] = [];
  const given: string[] = [];
  const begun: string[] = [];
  const answers: ((answer: TakeAnswer) => void)[] = [];
  const stops: (() => void)[] = [];
  const ends: ((how: RunnerEnd) => void)[] = [];
  const group = {
    take: (_ref: unknown, _generation: number, tasks: readonly string[]) => {
      taken.push([...tasks]);
      return TE.fromTask(() => new Promise<TakeAnswer>((resolve) => answers.push(resolve)));
    },
    give: (_ref: unknown, { released }: GiveRequest) => {
      given.push(...released.map(({ task }) => task));
      return TE.right(0);
    },
  } as unknown as Group;
  const makeRunner = (task: string): TaskRunner => {
    begun.push(task);
    let end: (how: RunnerEnd) => void = () => {};
    const ended = new Promise<RunnerEnd>((resolve) => {
      end = resolve;
    });
    ends.push((how) => end(how));
    const runner = {
      run: () => ended,
      handlersEnded: () => Promise.resolve(),
      abandon: () => end("stopped"),
      stop: () =>
        new Promise<boolean>((resolve) => {
          stops.push(() => {
            end("stopped");
            resolve(true);
          });
        }),
    };
    return runner as unknown as TaskRunner;
  };
  const ignore = (): void => {};
  const handOver = new HandOver({
    group,
    clock,
    name: "app.p",
    revocationMs: 10_000,
    makeRunner,
    began: ignore,
    emit: ignore,
    outdated: ignore,
    completed: ignore,
    failed: ignore,
    stalled: ignore,
  });
  const answer = async (granted: readonly string[], held: TakeAnswer["held"] = []): Promise<void> => {
    // The call is on its way.
    await vi.advanceTimersByTimeAsync(0);
    answers.shift()?.({ isCurrent: true, granted: granted.map((task) => ({ task, pausedMs: null })), held });
    await vi.advanceTimersByTimeAsync(0);
  };
  return { handOver, taken, given, begun, answer, stops, ends };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a worker's tasks", () => {
  it("that were granted when they were wanted no more are given back", async () => {
    const { handOver, given, begun, answer } = scene();
    handOver.confirm(REF, view(1, ["t/0", "t/1"]));
    handOver.confirm(REF, view(2, ["t/1"]));
    await answer(["t/0", "t/1"]);
    expect(begun).toEqual(["t/1"]);
    expect(given).toEqual(["t/0"]);
  });

  it("that come back while they are on their way out are given back, and taken again", async () => {
    const { handOver, given, taken, begun, answer, stops } = scene();
    handOver.confirm(REF, view(1, ["t/0"]));
    await answer(["t/0"]);
    handOver.confirm(REF, view(2, []));
    handOver.confirm(REF, view(3, ["t/0"]));
    expect(given).toEqual([]);
    stops.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(given).toEqual(["t/0"]);
    expect(taken).toEqual([["t/0"], ["t/0"]]);
    await answer(["t/0"]);
    expect(begun).toEqual(["t/0", "t/0"]);
  });

  it("that others hold are looked for again, without a hint or a heartbeat, when they are free at the latest (H7)", async () => {
    const { handOver, taken, begun, answer } = scene();
    handOver.confirm(REF, view(1, ["t/0"]));
    await answer([], [{ task: "t/0", member: "b", forMs: 5_000 }]);
    await vi.advanceTimersByTimeAsync(250);
    expect(taken).toHaveLength(2);
    await answer([], [{ task: "t/0", member: "b", forMs: 100 }]);
    await vi.advanceTimersByTimeAsync(101);
    expect(taken).toHaveLength(3);
    await answer(["t/0"]);
    expect(begun).toEqual(["t/0"]);
  });

  it("that are complete, and of which the store has lost commits, are given back and taken again: they are complete no more", async () => {
    const { handOver, begun, answer, given, taken, ends } = scene();
    handOver.confirm(REF, view(1, ["t/0"]));
    await answer(["t/0"]);
    const [runner] = handOver.tasks.runners;
    ends[0]?.("complete");
    await vi.advanceTimersByTimeAsync(0);
    expect(handOver.tasks.complete).toHaveLength(1);
    handOver.setBack(runner ?? ({} as TaskRunner), "lost");
    await answer(["t/0"]);
    expect(given).toEqual(["t/0"]);
    expect(taken).toEqual([["t/0"], ["t/0"]]);
    expect(begun).toEqual(["t/0", "t/0"]);
  });

  it("that run when the group ends are dropped", async () => {
    const { handOver, begun, answer, given } = scene();
    handOver.confirm(REF, view(1, ["t/0"]));
    await answer(["t/0"]);
    const [runner] = handOver.tasks.runners;
    const abandon = vi.spyOn(runner ?? ({} as TaskRunner), "abandon");
    handOver.finish();
    expect(abandon).toHaveBeenCalledOnce();
    expect(begun).toEqual(["t/0"]);
    expect(given).toEqual([]);
  });
});
