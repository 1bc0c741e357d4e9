/** Functions that users compose of operators, of RxJS and of Millrace, in a task. */
import { filter, map, mapOrdered, native, partitionOf, pipeline, sink, stream } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { type Op, plain, planOf, refusalOf, restartedAt, sendNumbers, valuesOf } from "./support/native-run.ts";

type Numbers = rx.Observable<number>;
const COUNT = 8;
const isEven = (n: number): boolean => n % 2 === 0;
const double = map((n: number) => 2 * n);

describe("a composite gives what it gives on an Observable, also over a crash:", () => {
  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>]>([
    ["of Millrace's operators", rx.pipe(filter(isEven), double)],
    [
      "of both kinds",
      rx.pipe(
        double,
        rx.mergeMap((n) => [n, -n]),
        filter(isEven),
        rx.bufferCount(2),
      ),
    ],
    [
      "a function around pipe",
      (numbers) =>
        numbers.pipe(
          filter(isEven),
          rx.map((n) => [n]),
        ),
    ],
    [
      "composites in a composite",
      (numbers) =>
        numbers.pipe(
          rx.pipe(
            double,
            rx.pipe(
              filter(isEven),
              rx.map((n) => n + 1),
            ),
          ),
        ),
    ],
    ["one that changes nothing", rx.identity],
    ["with merge", (numbers) => rx.merge(numbers, numbers.pipe(double))],
    [
      "with merge of parts",
      (numbers) =>
        rx.merge(
          numbers.pipe(filter(isEven)),
          numbers.pipe(
            rx.filter((n) => !isEven(n)),
            rx.map((n) => -n),
          ),
        ),
    ],
    ["with partition", (numbers) => rx.merge(...rx.partition(numbers, isEven))],
    ["with zip", (numbers) => rx.zip(numbers, numbers.pipe(double))],
    ["with combineLatest", (numbers) => rx.combineLatest([numbers, rx.of(-1)])],
    ["with defer", (numbers) => rx.defer(() => numbers.pipe(double))],
    ["with iif", (numbers) => rx.iif(() => true, numbers, rx.EMPTY)],
    [
      "with using",
      (numbers) =>
        rx.using(
          () => new rx.Subscription(),
          () => numbers,
        ),
    ],
    ["with a new Observable", (numbers) => new rx.Observable((to) => numbers.pipe(double).subscribe(to))],
    [
      "with an operator of Millrace in a foreign callback",
      rx.mergeMap((n) => rx.of(n, n + 1).pipe(filter(isEven), double)),
    ],
    ["publish and refCount", rx.pipe(rx.publish(), rx.refCount()) as Op],
  ])("%s", async (_name, op) => {
    const whole = plain(op, 0, COUNT);
    expect(await valuesOf(op, COUNT)).toEqual(whole);
    expect((await restartedAt(op, 3, { count: COUNT, by: "crash" })).values).toEqual(whole);
  });
});

it("a source that is combined with itself gives what it gives on a hot Observable", async () => {
  const both = (numbers: Numbers): rx.Observable<unknown> =>
    rx.combineLatest([numbers, numbers.pipe(rx.map((n) => -n))]);
  expect(await valuesOf(both, 3)).toEqual(["[0,0]", "[1,0]", "[1,-1]", "[2,-1]", "[2,-2]"]);
});

describe("an operator of Millrace that keeps records works only in the pipeline itself:", () => {
  const slowly = mapOrdered(async (n: number) => n);

  it("in a foreign operator's callback, its first record fails, and the message says where it belongs", async () => {
    const top = bench();
    await sendNumbers(top, 0, COUNT, true);
    const inside = native(
      "strange",
      rx.mergeMap((n: number) => rx.of(n).pipe(slowly)),
    );
    const error = await top.settle(rejection(top.complete(top.app(), planOf(inside))));
    expect(error).toMatchObject({ _tag: "HandlerError", cause: { _tag: "InvalidOperator" } });
    expect(String(error)).toMatch(/strange.*put it into the pipeline itself/);
  });

  it.each<[string, (numbers: Numbers) => Numbers]>([
    ["merge", (numbers) => rx.merge(numbers.pipe(slowly), numbers)],
    ["defer", (numbers) => rx.defer(() => numbers.pipe(slowly))],
  ])("in %s, the task does not start", async (_name, op) => {
    const { message, acknowledged } = await refusalOf(native("strange", op));
    expect(message).toMatch(/failed when it was subscribed: "mapOrdered" was subscribed inside/);
    expect(acknowledged).toBe(0);
  });

  it("behind a foreign operator, it ends with it", async () => {
    const top = bench();
    await sendNumbers(top, 0, 1, false);
    let isAborted = false;
    const waiting = mapOrdered((_n: number, _record, { signal }) => {
      signal.addEventListener("abort", () => {
        isAborted = true;
      });
      return new Promise<number>(() => {});
    });
    const running = await top.settle(
      top.app().run(
        planOf(
          rx.pipe(
            native(
              "in front",
              rx.map((n: number) => n),
            ),
            waiting,
          ),
        ),
      ),
    );
    await top.clock.advance(500);
    await top.settle(running.stop({ within: "0 s" }));
    expect(isAborted).toBe(true);
  });

  it("in a composite that unfolds, it is in the pipeline", async () => {
    expect(await valuesOf(rx.pipe(double, slowly, rx.bufferCount(4)), COUNT)).toEqual(["[0,2,4,6]", "[8,10,12,14]"]);
  });
});

describe("each task has operators of its own:", () => {
  const source = items("source", { partitions: 2 });
  const copy = items("copy", { partitions: 1 });

  /** The numbers that were written for keys of two partitions, by key. */
  async function byKey(
    op: rx.OperatorFunction<Item, Item>,
    values: readonly Item[],
  ): Promise<Record<string, number[]>> {
    const { app, send, complete, read } = bench();
    await send(source, values);
    await complete(app(), pipeline("copy", stream(source).pipe(op, sink(copy))));
    const found: Record<string, number[]> = {};
    for (const { value } of await read(copy)) {
      found[value.key] = [...(found[value.key] ?? []), value.n];
    }
    return found;
  }

  /** A key of each partition. */
  const [a, b] = [0, 1].map(
    (partition) => ["a", "b", "c", "d", "e"].find((key) => partitionOf(key, 2) === partition) ?? "",
  );
  const input = (count: number): Item[] =>
    Array.from({ length: count }, (_, n) => ({ key: (n % 2 === 0 ? a : b) ?? "", n, at: n }));

  it.each<[string, rx.OperatorFunction<Item, Item>, number[], number[]]>([
    ["scan", rx.scan((sum, item) => ({ ...item, n: sum.n + item.n })), [0, 2, 6], [1, 4, 9]],
    ["share, given a name", native("shared", rx.share()), [0, 2, 4], [1, 3, 5]],
    ["share without a name", rx.share(), [0, 2, 4], [1, 3, 5]],
    ["shareReplay", rx.shareReplay(1), [0, 2, 4], [1, 3, 5]],
    ["an operator that keeps its last record for the end", rx.takeLast(1), [4], [5]],
  ])("%s", async (_name, op, ofFirst, ofSecond) => {
    expect(await byKey(op, input(6))).toEqual({ [`${a}`]: ofFirst, [`${b}`]: ofSecond });
  });

  it("a task without records completes nothing: not even a count", async () => {
    const counted = native(
      "counted",
      rx.pipe(
        rx.count<Item>(),
        rx.map((n): Item => ({ key: "all", n, at: 0 })),
      ),
    );
    expect(await byKey(counted, input(6))).toEqual({ all: [3, 3] });
    expect(
      await byKey(
        counted,
        input(6).filter(({ key }) => key === a),
      ),
    ).toEqual({ all: [3] });
  });
});

describe("values that a foreign operator makes of one record are told apart", () => {
  const source = items("source", { partitions: 1 });
  const copy = items("copy", { partitions: 1 });

  /** The idempotency keys of the calls behind an operator: of a worker that is given up, and of the one that does all again. */
  async function keysOf(op: rx.OperatorFunction<Item, Item>): Promise<readonly [readonly string[], readonly string[]]> {
    const top = bench();
    const planWith = (keys: string[], answer: (item: Item) => Promise<Item>): ReturnType<typeof pipeline> => {
      const noted = mapOrdered(
        (item: Item, _record, { idempotencyKey }) => {
          keys.push(idempotencyKey);
          return answer(item);
        },
        { lane: "none" },
      );
      return pipeline("copy", stream(source).pipe(op, noted, sink(copy)));
    };
    const [before, again]: [string[], string[]] = [[], []];
    await top.send(source, sequence(3, 1));
    const first = await top.settle(top.app().run(planWith(before, () => new Promise(() => {}))));
    await top.clock.advance(500);
    await top.settle(first.stop({ within: "0 s" }));
    await top.complete(
      top.app(),
      planWith(again, async (item) => item),
    );
    return [before, again];
  }

  it.each<[string, rx.OperatorFunction<Item, Item>, number]>([
    ["one", rx.mergeMap((item) => rx.of(item, item)), 6],
    [
      "two that follow each other",
      rx.pipe(
        rx.mergeMap((item: Item) => rx.of(item, item)),
        rx.mergeMap((item) => rx.of(item, item)),
      ),
      12,
    ],
    [
      "one that emits at the end",
      rx.pipe(
        rx.takeLast<Item>(2),
        rx.mergeMap((item) => rx.of(item, item)),
      ),
      4,
    ],
  ])(
    "by the idempotency keys of handlers behind it, which are the same when all is done again: %s",
    async (_name, op, count) => {
      const [before, again] = await keysOf(op);
      expect(new Set(before).size).toBe(count);
      expect(again).toEqual(before);
    },
  );
});
