import {
  type AroundHandler,
  around,
  asRecords,
  type CallInfo,
  count,
  filter,
  flatMap,
  json,
  map,
  partitionBy,
  pipeline,
  type SinkCall,
  type Stream,
  type Sunk,
  sink,
  stream,
  tap,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import * as rx from "rxjs";
import { type OperatorFunction, of, pipe } from "rxjs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { collect, settled } from "../support/collect.ts";
import { kindsOf } from "../support/plan.ts";
import { countingUnit, inUnit, taskStage } from "../support/task-stage.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");

/** A handler that notes each call and its end. */
function noting(): { readonly log: string[]; readonly handler: AroundHandler } {
  const log: string[] = [];
  const handler: AroundHandler = (next, { operator, attempt }) => {
    log.push(`> ${operator} ${attempt}`);
    const result = next();
    log.push(`< ${operator}`);
    return result;
  };
  return { log, handler };
}

describe("a handler around an operator", () => {
  const isOdd = (n: number): boolean => n % 2 === 1;
  const twice = (n: number): number => n * 2;
  const pair = (n: number): number[] => [n, n + 1];
  const note = (): void => {};

  it.each<[string, OperatorFunction<number, number>, number[]]>([
    ["map twice", map(twice), [2, 4]],
    ["filter isOdd", filter(isOdd), [1]],
    ["tap note", tap(note), [1, 2]],
    ["flatMap pair", flatMap(pair), [1, 2, 2, 3]],
    ["map named", map(twice, { name: "named" }), [2, 4]],
    ["map", map((n) => n), [1, 2]],
  ])(
    "goes around every call of %s, on an ordinary Observable and in a task, and changes no result",
    (name, op, results) => {
      const plain = noting();
      expect(collect(of(1, 2).pipe(around(plain.handler)(op)))).toMatchObject({ values: results, end: "completed" });
      expect(plain.log).toEqual([`> ${name} 1`, `< ${name}`, `> ${name} 1`, `< ${name}`]);

      const inTask = noting();
      const out: number[] = [];
      const stage = taskStage(around(inTask.handler)(op), { next: (value) => out.push(value) });
      inUnit(countingUnit(), () => {
        stage.next(1);
        stage.next(2);
      });
      expect(out).toEqual(results);
      expect(inTask.log).toEqual(plain.log);
    },
  );

  it("is told the record", () => {
    const keys: string[] = [];
    const handler: AroundHandler = (next, { record }) => {
      keys.push(record.key);
      return next();
    };
    const input = [orderOf({ customer: "a" }), orderOf({ customer: "b" })];
    collect(of(...input).pipe(asRecords(orders), around(handler)(map(({ id }: Order) => id))));
    expect(keys).toEqual(["a", "b"]);
  });

  it("goes around the calls of sink(fn), with the first record of the batch", async () => {
    const seen: string[] = [];
    const handler: AroundHandler = async (next, { operator, record, attempt }) => {
      const result = await next();
      seen.push(`${operator} ${record.key} ${attempt} ${String(result)}`);
      return result;
    };
    let failures = 1;
    const index = async (values: readonly Order[], { records }: SinkCall): Promise<number> => {
      expect(records).toHaveLength(2);
      failures -= 1;
      if (failures >= 0) {
        throw boom;
      }
      return values.length;
    };
    const input = [orderOf({ customer: "a" }), orderOf({ customer: "b" })];
    const retry = { attempts: 2, backoff: "0 s" } as const;
    const source = of(...input).pipe(asRecords(orders), around(handler)(sink(index, { retry })));
    expect(await rx.lastValueFrom(source.pipe(rx.toArray()))).toEqual(input);
    expect(seen).toEqual(["sink index a 2 2"]);
  });

  it("lets a function of flatMap be a generator: its body is part of the call", () => {
    const log: string[] = [];
    const handler: AroundHandler = (next) => {
      log.push("before");
      const result = next();
      log.push("after");
      return result;
    };
    const counted = flatMap(function* (n: number) {
      log.push("body");
      yield n;
    });
    expect(collect(of(1).pipe(around(handler)(counted))).values).toEqual([1]);
    expect(log).toEqual(["before", "body", "after"]);
  });

  it("leaves the operator as it is in a plan", () => {
    const { handler } = noting();
    const op = map(twice, { name: "m", onError: "skip" });
    const kinds = (one: OperatorFunction<number, number>): readonly string[] => kindsOf(one);
    expect(kinds(around(handler)(op))).toEqual(["map"]);
    const through = (one: OperatorFunction<Order, Sunk>): string => pipeline("p", stream(orders).pipe(one)).toText();
    const write = async (): Promise<void> => {};
    expect(through(around(handler)(sink(write)))).toBe(through(sink(write)));
  });

  it("can be put around an operator that has one: the last is called first", () => {
    const log: string[] = [];
    const named =
      (name: string): AroundHandler =>
      (next) => {
        log.push(name);
        return next();
      };
    collect(of(1).pipe(around(named("outer"))(around(named("inner"))(map(twice)))));
    expect(log).toEqual(["outer", "inner"]);
  });

  it("infers types through the operator, of lambdas too", () => {
    const { handler } = noting();
    const watched = around(handler);
    const end = stream(orders).pipe(
      watched(filter((order: Order): order is Order & { readonly total: 1 } => order.total === 1)),
      watched(map(({ total }) => ({ total }))),
      watched(sink(async (values) => expectTypeOf(values).toEqualTypeOf<readonly { total: 1 }[]>())),
    );
    expectTypeOf(end).toEqualTypeOf<Stream<Sunk>>();
    expectTypeOf<Parameters<AroundHandler>[1]>().toEqualTypeOf<CallInfo>();
  });
});

describe("a handler that does something else", () => {
  it("may leave the call out: its own result takes the place of the function's", () => {
    let calls = 0;
    const op = map((n: number) => {
      calls += 1;
      return n;
    });
    const handler: AroundHandler = <R>(_next: () => R): R => 7 as R;
    expect(collect(of(1, 2).pipe(around(handler)(op))).values).toEqual([7, 7]);
    expect(calls).toBe(0);
  });

  it("may call again: so is the function, and the result is what the handler returns", () => {
    const seen: number[] = [];
    const op = map((n: number) => {
      seen.push(n);
      return seen.length;
    });
    const handler: AroundHandler = (next) => {
      next();
      return next();
    };
    expect(collect(of(5).pipe(around(handler)(op))).values).toEqual([2]);
    expect(seen).toEqual([5, 5]);
  });

  it("fails as the function would when it throws, and may answer for what the function throws", () => {
    const throwing: AroundHandler = () => {
      throw boom;
    };
    expect(collect(of(1).pipe(around(throwing)(map(String)))).end).toEqual({ error: boom });
    const saving: AroundHandler = <R>(next: () => R): R => {
      try {
        return next();
      } catch {
        return "saved" as R;
      }
    };
    const failing = map((): string => {
      throw boom;
    });
    expect(collect(of(1).pipe(around(saving)(failing))).values).toEqual(["saved"]);
  });

  it("has what it rejects with treated as a failure of the call, which is repeated", async () => {
    const attempts: number[] = [];
    const handler: AroundHandler = async (next, { attempt }) => {
      attempts.push(attempt);
      const result = await next();
      if (attempt < 3) {
        throw boom;
      }
      return result;
    };
    let calls = 0;
    const write = async (): Promise<void> => {
      calls += 1;
    };
    const wrapped = around(handler)(sink(write, { retry: { attempts: 3, backoff: "0 s" } }));
    await rx.lastValueFrom(of(1).pipe(wrapped));
    expect(attempts).toEqual([1, 2, 3]);
    expect(calls).toBe(3);
  });

  it("may not be asynchronous around a synchronous operator, also when it then rejects", async () => {
    const handlers: readonly AroundHandler[] = [
      async (next) => await next(),
      async () => {
        throw boom;
      },
    ];
    for (const handler of handlers) {
      const results = collect(of(1).pipe(around(handler)(map((n: number) => n))));
      expect(results.end).toMatchObject({
        error: { _tag: "InvalidOperator", message: expect.stringContaining('"map" is synchronous') },
      });
      await settled();
    }
  });

  it("may return the promise that a synchronous operator's function returns", () => {
    const { handler } = noting();
    const promised = Promise.resolve(1);
    expect(collect(of(1).pipe(around(handler)(map(() => promised)))).values).toEqual([promised]);
  });

  it("may not make more of a record than flatMap may", () => {
    const many: AroundHandler = <R>(_next: () => R): R => Array.from({ length: 1_001 }, () => 0) as R;
    const stage = taskStage(around(many)(flatMap((n: number) => [n])), {});
    expect(() => inUnit(countingUnit(), () => stage.next(1))).toThrow(/more than 1000 values/);
  });
});

describe("a handler around a composite", () => {
  it("goes around each operator in it", () => {
    const { log, handler } = noting();
    const both = pipe(
      filter((n: number) => n > 1),
      map(function double(n: number) {
        return n * 2;
      }),
    );
    const wrapped = around(handler)(both);
    expect(kindsOf(wrapped)).toEqual(["filter", "map"]);
    expect(collect(of(1, 2).pipe(wrapped)).values).toEqual([4]);
    expect(log).toEqual(["> filter 1", "< filter", "> filter 1", "< filter", "> map double 1", "< map double"]);
  });
});

describe("around refuses", () => {
  const { handler } = noting();
  const names = topic("names", { codec: json(t.string), key: null });

  it.each<[string, OperatorFunction<never, unknown>]>([
    ["sink names", sink(names)],
    ["partitionBy", partitionBy(String)],
    ["window per-day", window(tumbling("1 day"), { n: count() }, { grace: "0 s", name: "per-day" })],
    ["native", rx.map(String)],
    ["native", pipe(map(String), rx.pairwise())],
    ["asRecords", asRecords(orders) as OperatorFunction<never, unknown>],
  ])('"%s", which calls no function for its values', (name, op) => {
    expect(() => around(handler)(op)).toThrow(
      expect.objectContaining({
        _tag: "InvalidOption",
        message: expect.stringContaining(`"${name}" calls no`),
      }) as Error,
    );
  });

  it("nothing at all, and a handler that is no function", () => {
    expect(() => around(handler)(pipe())).toThrow(/no operator/);
    expect(() => around(7 as unknown as AroundHandler)).toThrow(
      expect.objectContaining({
        _tag: "InvalidOption",
        message: "around: the handler must be a function, not 7",
      }) as Error,
    );
  });
});
