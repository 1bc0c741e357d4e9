/** Calls of `sink(fn)` that fail or are late, and what becomes of their values. */
import type { SinkCall } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { settled } from "../support/collect.ts";
import { type BenchOptions, type Row, rowsOf, sinkBench } from "./external-sink-bench.ts";

const boom = new Error("boom");

/** Refuses every batch that holds one of these numbers. */
function refusing(...poison: readonly number[]): NonNullable<BenchOptions["write"]> {
  return async (values) => {
    const found = values.find(({ n }) => poison.includes(n));
    if (found !== undefined) {
      throw new Error(`refused ${found.n}`);
    }
  };
}

describe("a call that fails", () => {
  it("is repeated with the same values, keys and records; those that came meanwhile wait", async () => {
    const seen: string[] = [];
    const bench = sinkBench({
      retry: { attempts: 3, backoff: "1 s" },
      write: async (values, { attempt, idempotencyKeys, records }) => {
        seen.push(`${attempt}: ${idempotencyKeys.join(" ")}, ${records.map(({ key }) => key).join(" ")}`);
        if (attempt < 3) {
          throw boom;
        }
        expect(values.map(({ n }) => n)).toEqual([1, 2]);
      },
      maxBatch: 2,
    });
    bench.push(0, rowsOf(1, 2));
    await settled();
    bench.push(1, rowsOf(3));
    await bench.clock.advance(400);
    expect(bench.calls).toEqual([[1, 2]]);
    await bench.clock.advance(600);
    expect(bench.calls).toHaveLength(2);
    const keys = "app.rows/0/1/rows/0/1 app.rows/0/1/rows/0/2, k k";
    expect(seen).toEqual([`1: ${keys}`, `2: ${keys}`]);
    bench.stage.stop();
    expect(bench.retried).toEqual([
      ["1", 2],
      ["1", 3],
    ]);
    expect(bench.log).toEqual(["stop"]);
  });

  it("fails the task with its last error when all attempts are used up", async () => {
    let calls = 0;
    const bench = sinkBench({
      retry: { attempts: 3, backoff: "1 s" },
      write: async () => {
        calls += 1;
        throw new Error(`call ${calls}`);
      },
    });
    bench.push(0, rowsOf(1, 2));
    await bench.clock.advance(60_000);
    expect(bench.failed).toMatchObject([{ message: "call 3" }]);
    expect(bench.log).toEqual([]);
  });

  it("is not repeated where `when` says so; where `when` throws, that is the error", async () => {
    const whens = [
      (): boolean => false,
      (): boolean => {
        throw new Error("when failed");
      },
    ];
    const messages: unknown[] = [];
    for (const when of whens) {
      const bench = sinkBench({ retry: { attempts: 5, when }, write: () => Promise.reject(boom) });
      bench.push(0, rowsOf(1));
      await bench.clock.advance(60_000);
      expect(bench.calls).toHaveLength(1);
      messages.push((bench.failed[0] as Error).message);
    }
    expect(messages).toEqual(["boom", "when failed"]);
  });
});

describe("a call that is late", () => {
  it("has its signal aborted, has failed when it then rejects, and is repeated", async () => {
    const bench = sinkBench({
      timeout: "2 s",
      retry: { attempts: 2, backoff: "1 s" },
      write: (_values, { signal, attempt }) =>
        new Promise((resolve, reject) => {
          if (attempt === 2) {
            resolve(null);
          }
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    });
    bench.push(0, rowsOf(1));
    await bench.clock.advance(1_999);
    expect(bench.calls).toHaveLength(1);
    await bench.clock.advance(1_001);
    expect(bench.calls).toHaveLength(2);
    expect(bench.log).toEqual(["1", "release 0"]);
    expect(bench.clock.pending).toBe(0);
  });

  it("and resolves all the same has written: it is not repeated", async () => {
    const bench = sinkBench({
      timeout: "2 s",
      retry: { attempts: 2 },
      write: (_values, _call, clock) => new Promise((resolve) => clock.after(3_000, () => resolve(null))),
    });
    bench.push(0, rowsOf(1));
    await bench.clock.advance(10_000);
    expect(bench.calls).toHaveLength(1);
    expect(bench.log).toEqual(["1", "release 0"]);
  });

  it.each([
    ["no policy", {}],
    ["a policy that would skip", { decide: () => "skip" }],
  ] satisfies [string, BenchOptions][])(
    "and never settles fails the task, and nothing is called beside it, with %s",
    async (_name, options) => {
      const bench = sinkBench({
        ...options,
        timeout: "2 s",
        settle: "1 s",
        retry: { attempts: 5 },
        write: () => new Promise(() => {}),
      });
      bench.push(0, rowsOf(1, 2));
      await bench.clock.advance(2_999);
      expect(bench.failed).toEqual([]);
      await bench.clock.advance(60_000);
      expect(bench.failed).toMatchObject([{ _tag: "HandlerTimeout" }]);
      expect(bench.calls).toHaveLength(1);
    },
  );
});

describe("a poisonous value in a batch", () => {
  it("is found by calls with one value each, and only it is skipped", async () => {
    const bench = sinkBench({ decide: () => "skip", write: refusing(2) });
    bench.push(0, rowsOf(1, 2, 3), 10);
    bench.push(1, rowsOf(4));
    await settled();
    expect(bench.calls).toEqual([[1, 2, 3, 4], [1], [2], [3], [4]]);
    expect(bench.log).toEqual(["1", "skip 2", "3", "time 10", "release 0", "4", "release 1"]);
    expect(bench.failed).toEqual([]);
  });

  it("has attempts of its own, counted anew", async () => {
    const seen: string[] = [];
    const decided: string[] = [];
    const bench = sinkBench({
      retry: { attempts: 2, backoff: "1 s" },
      decide: (n, cause) => {
        decided.push(`${n}: ${(cause as Error).message}`);
        return "fail";
      },
      write: async (values, call, clock) => {
        seen.push(`${values.map(({ n }) => n).join(" ")} #${call.attempt}`);
        await refusing(2)(values, call, clock);
      },
    });
    bench.push(0, rowsOf(1, 2, 3));
    await bench.clock.advance(60_000);
    expect(seen).toEqual(["1 2 3 #1", "1 2 3 #2", "1 #1", "2 #1", "2 #2"]);
    expect(decided).toEqual(["2: refused 2"]);
    expect(bench.failed).toMatchObject([{ message: "decided to fail at 2 after 2" }]);
    expect(bench.log).toEqual(["1"]);
  });

  it("alone in its batch is decided about at once", async () => {
    const bench = sinkBench({ decide: () => "skip", write: refusing(1) });
    bench.push(0, rowsOf(1));
    await settled();
    expect(bench.calls).toEqual([[1]]);
    expect(bench.log).toEqual(["skip 1", "release 0"]);
  });

  it("parks its key: later values of the key are not written, in this batch or the next, others are", async () => {
    const rows = (...all: readonly (readonly [string, number])[]): Row[] => all.map(([key, n]) => ({ key, n }));
    const bench = sinkBench({ decide: () => "park", write: refusing(2), maxBatch: 4 });
    bench.push(0, rows(["b", 1], ["a", 2], ["a", 3], ["b", 4]));
    bench.push(1, rows(["a", 5], ["b", 6]));
    bench.push(2, rows(["a", 7], ["a", 8]), 10);
    await settled();
    expect(bench.calls).toEqual([[1, 2, 3, 4], [1], [2], [4], [6]]);
    const units = [
      ["1", "park 2", "behind 3", "4", "release 0"],
      ["behind 5", "6", "release 1"],
      ["behind 7", "behind 8", "time 10", "release 2"],
    ];
    expect(bench.log).toEqual(units.flat());
  });

  it("does not have those behind it written while it is tried again and again", async () => {
    const bench = sinkBench({ retry: { attempts: 3, backoff: "10 s" }, decide: () => "skip", write: refusing(1) });
    bench.push(0, rowsOf(1, 2));
    // Four pauses of at least 5 s.
    await bench.clock.advance(19_000);
    expect(bench.calls.filter((values) => !values.includes(1))).toEqual([]);
    await bench.clock.advance(60_000);
    expect(bench.calls.at(-1)).toEqual([2]);
    expect(bench.log).toEqual(["skip 1", "2", "release 0"]);
  });

  it("stops nothing but itself when the sink is stopped in the middle of the search", async () => {
    const calls: SinkCall[] = [];
    const bench = sinkBench({
      decide: () => "skip",
      write: (values, call) => {
        calls.push(call);
        return values.length > 1 ? Promise.reject(boom) : new Promise(() => {});
      },
    });
    bench.push(0, rowsOf(1, 2, 3));
    await settled();
    bench.stage.stop();
    await settled();
    expect(bench.calls).toEqual([[1, 2, 3], [1]]);
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(bench.log).toEqual(["stop"]);
  });
});
