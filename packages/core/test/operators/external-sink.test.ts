import {
  asRecords,
  flatMap,
  type MillraceError,
  map,
  pipeline,
  type RecordInfo,
  type SinkCall,
  type SinkOptions,
  type Stream,
  type Sunk,
  sink,
  stream,
} from "@millrace/core";
import { concat, EMPTY, NEVER, of, range, Subject, take } from "rxjs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { collect, settled } from "../support/collect.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");

/** A sink's function that notes its calls and writes at once. */
function noting<A>(): { readonly calls: A[][]; readonly write: (values: readonly A[]) => Promise<void> } {
  const calls: A[][] = [];
  return { calls, write: async (values) => void calls.push([...values]) };
}

describe("sink(fn) on an ordinary Observable", () => {
  it("gets what comes in one go in batches of up to 100, in order, and passes each on when its call has resolved", async () => {
    const { calls, write } = noting<number>();
    const results = collect(range(0, 250).pipe(sink(write)));
    expect(results.values).toEqual([]);
    await settled();
    expect(calls.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(calls.flat()).toEqual(Array.from({ length: 250 }, (_, n) => n));
    expect(results).toMatchObject({ values: calls.flat(), end: "completed" });
  });

  it("makes one call at a time: what comes meanwhile is the next batch", async () => {
    const source = new Subject<number>();
    const ends: (() => void)[] = [];
    const calls: (readonly number[])[] = [];
    const write = (values: readonly number[]): Promise<void> => {
      calls.push(values);
      return new Promise((resolve) => ends.push(resolve));
    };
    const results = collect(source.pipe(sink(write, { maxBatch: 3 })));
    source.next(1);
    await settled();
    for (const n of [2, 3, 4, 5]) {
      source.next(n);
    }
    source.complete();
    await settled();
    expect(calls).toEqual([[1]]);
    ends[0]?.();
    await settled();
    expect(calls).toEqual([[1], [2, 3, 4]]);
    expect(results).toMatchObject({ values: [1], end: "open" });
    ends[1]?.();
    await settled();
    ends[2]?.();
    await settled();
    expect(calls).toEqual([[1], [2, 3, 4], [5]]);
    expect(results).toMatchObject({ values: [1, 2, 3, 4, 5], end: "completed" });
  });

  it("completes with an empty source, without a call", async () => {
    const { calls, write } = noting<number>();
    expect(collect(EMPTY.pipe(sink(write))).end).toBe("completed");
    await settled();
    expect(calls).toEqual([]);
  });

  it("ends with what the function rejects with, or throws before it is asynchronous", async () => {
    const sync = (): never => {
      throw boom;
    };
    for (const write of [() => Promise.reject(boom), sync]) {
      const results = collect(of(1).pipe(sink(write)));
      await settled();
      expect(results).toMatchObject({ values: [], end: { error: boom } });
    }
  });

  it("calls nothing more behind a failure", async () => {
    let calls = 0;
    const write = async (): Promise<never> => {
      calls += 1;
      throw boom;
    };
    collect(concat(of(1, 2, 3), NEVER).pipe(sink(write, { maxBatch: 1 })));
    await settled();
    expect(calls).toBe(1);
  });

  it("aborts the call and begins none when nobody listens any more", async () => {
    const source = new Subject<number>();
    const signals: AbortSignal[] = [];
    const ends: (() => void)[] = [];
    const write = (_values: readonly number[], { signal }: SinkCall): Promise<void> => {
      signals.push(signal);
      return new Promise((resolve) => ends.push(resolve));
    };
    const results = collect(source.pipe(sink(write, { maxBatch: 1 })));
    source.next(1);
    source.next(2);
    await settled();
    results.unsubscribe();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    ends[0]?.();
    await settled();
    expect(signals).toHaveLength(1);
    expect(results).toMatchObject({ values: [], end: "open" });
  });

  it("stops in the middle of a batch when the operator behind it has enough", async () => {
    const { calls, write } = noting<number>();
    const results = collect(concat(of(1, 2, 3), NEVER).pipe(sink(write), take(1)));
    await settled();
    expect(calls).toEqual([[1, 2, 3]]);
    expect(results).toMatchObject({ values: [1], end: "completed" });
  });
});

describe("what the function of a sink is told", () => {
  it("the records beneath the values, in their order", async () => {
    const seen: (readonly string[])[] = [];
    const write = async (values: readonly Order[], { records, attempt }: SinkCall): Promise<void> => {
      expect(attempt).toBe(1);
      seen.push(records.map(({ key, timestamp }, n) => `${key} ${timestamp} ${values[n]?.id}`));
    };
    const input = ["a", "b"].map((customer, n) => orderOf({ customer, id: `${customer}${n}`, at: n }));
    collect(of(...input).pipe(asRecords(orders), sink(write)));
    await settled();
    expect(seen).toEqual([["a 0 a0", "b 1 b1"]]);
  });

  it("an idempotency key for each value, another one for each of those that were made of one record", async () => {
    const seen: string[] = [];
    const write = async (_values: readonly string[], { idempotencyKeys }: SinkCall): Promise<void> => {
      seen.push(...idempotencyKeys);
    };
    const input = [orderOf({ id: "a" }), orderOf({ id: "b" })];
    const parts = flatMap(({ id }: Order) => [`${id}1`, `${id}2`]);
    collect(of(...input).pipe(asRecords(orders), parts, sink(write, { name: "index" })));
    await settled();
    expect(new Set(seen).size).toBe(4);
    expect(seen.every((key) => key.startsWith("index/orders/"))).toBe(true);
  });

  it("the idempotency key that the option makes of a value and its record", async () => {
    const seen: string[] = [];
    const write = async (_values: readonly Order[], { idempotencyKeys }: SinkCall): Promise<void> => {
      seen.push(...idempotencyKeys);
    };
    const idempotencyKey = (order: Order, record: RecordInfo): string => `${order.id} of ${record.key}`;
    collect(of(orderOf(), orderOf({ id: "o-2" })).pipe(asRecords(orders), sink(write, { idempotencyKey })));
    await settled();
    expect(seen).toEqual(["o-1 of c-1", "o-2 of c-1"]);
  });

  it("no key that is no text: whoever asks for the keys fails", async () => {
    const idempotencyKey = (): string => 7 as unknown as string;
    const results = collect(of(1).pipe(sink(async (_values, call) => call.idempotencyKeys, { idempotencyKey })));
    await settled();
    const { error } = results.end as { readonly error: MillraceError };
    expect(error).toMatchObject({
      _tag: "InvalidOperator",
      message: expect.stringMatching(/idempotencyKey.*a number/),
    });
  });

  it("an array of its own, which it may change", async () => {
    const results = collect(
      of(1, 2, 3).pipe(sink(async (values) => void (values as number[]).splice(0), { maxBatch: 2 })),
    );
    await settled();
    expect(results).toMatchObject({ values: [1, 2, 3], end: "completed" });
  });
});

describe("sink(fn) in a plan", () => {
  const write = async (): Promise<void> => {};

  it("ends a stream, under its name or that of its function", () => {
    expect(pipeline("p", stream(orders).pipe(sink(write))).toText()).toContain("sink (write, batches of up to 100)");
    const named = stream(orders).pipe(sink(async () => {}, { name: "index", maxBatch: 7 }));
    expect(pipeline("p", named).toText()).toContain("sink index (batches of up to 7)");
  });

  it("has nothing behind it", () => {
    const behind = stream(orders).pipe(sink(write), map(String), sink(write));
    expect(() => pipeline("p", behind)).toThrow(/a sink ends the stream/);
  });

  it("infers the values, of lambdas too", () => {
    const end = stream(orders).pipe(
      map(({ id }) => id),
      sink(
        async (values, { signal, records, attempt, idempotencyKeys }) => {
          expectTypeOf(values).toEqualTypeOf<readonly string[]>();
          expectTypeOf(records[0]).toEqualTypeOf<RecordInfo>();
          expectTypeOf([signal, attempt, idempotencyKeys] as const).toEqualTypeOf<
            readonly [AbortSignal, number, readonly string[]]
          >();
        },
        { idempotencyKey: (id) => id.toUpperCase() },
      ),
    );
    expectTypeOf(end).toEqualTypeOf<Stream<Sunk>>();
    expect(pipeline("p", end).name).toBe("p");
  });
});

describe("options of sink(fn)", () => {
  it.each([
    [{ maxBatch: 0 }, "sink: maxBatch must be a whole number from 1 to 500, not 0"],
    [{ maxBatch: 501 }, "sink: maxBatch must be a whole number from 1 to 500, not 501"],
    [{ maxBatch: 1.5 }, "sink: maxBatch must be a whole number from 1 to 500, not 1.5"],
    [{ maxBatch: Number.POSITIVE_INFINITY }, "sink: maxBatch must be a whole number from 1 to 500, not Infinity"],
    [{ timeout: "0 s" }, "sink: timeout must be longer than 0 s"],
    [{ timeout: "soon" }, "sink: timeout"],
    [{ settle: "later" }, "sink: settle"],
    [{ retry: { attempts: 0 } }, "sink: retry.attempts must be a whole number >= 1, not 0"],
    [{ retry: { attempts: 2, backoff: "x" } }, "sink: retry.backoff"],
    [{ retry: { attempts: 2, longest: "x" } }, "sink: retry.longest"],
    [{ retry: { attempts: 2, when: true } }, "sink: retry.when must be a function, not true"],
    [{ limit: { max: 3 } }, "sink: limit must be made by limiter(max)"],
    [{ idempotencyKey: "id" }, 'sink: idempotencyKey must be a function, not "id"'],
    [{ onError: "ignore" }, "sink: onError"],
  ])("%j are refused", (options, message) => {
    expect(() => sink(async () => {}, options as SinkOptions<unknown>)).toThrow(
      expect.objectContaining({ _tag: "InvalidOption", message: expect.stringContaining(message) }) as Error,
    );
  });

  it("take the largest batch, and a name", () => {
    expect(() => sink(async () => {}, { maxBatch: 500, name: "a" })).not.toThrow();
    expect(() => sink(async () => {}, { name: "a b" })).toThrow(
      expect.objectContaining({ _tag: "InvalidName" }) as Error,
    );
  });
});
