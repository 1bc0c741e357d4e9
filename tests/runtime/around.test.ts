/** `around` in a pipeline: with policies for failures, and with what a handler carries on to the function. */
import { AsyncLocalStorage } from "node:async_hooks";
import { type AroundHandler, around, map, mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";
import { pick, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

it("a handler goes around every call of a pipeline's operators, repetitions included, with the records of the topic", async () => {
  const top = bench();
  const calls: string[] = [];
  const noted: AroundHandler = (next, { operator, record, attempt }) => {
    calls.push(`${operator} ${record.topic} ${record.key} ${attempt}`);
    return next();
  };
  const double = (item: Item): Item => ({ ...item, n: item.n * 2 });
  const enrich = async (item: Item, _record: unknown, { attempt }: { readonly attempt: number }): Promise<Item> => {
    if (attempt === 1) {
      throw new Error("once");
    }
    return item;
  };
  const index: number[] = [];
  const write = async (values: readonly Item[]): Promise<void> => void index.push(...values.map(({ n }) => n));
  const watched = around(noted);
  const plan = pipeline(
    "copy",
    stream(source).pipe(
      watched(map(double)),
      watched(mapOrdered(enrich, { retry: { attempts: 2, backoff: "10 ms" } })),
      watched(sink(write)),
    ),
  );
  await top.send(source, sequence(2, 1));
  await top.complete(top.app(), plan);
  expect(index).toEqual([0, 2]);
  expect(calls.toSorted()).toEqual([
    "map double source k0 1",
    "map double source k0 1",
    "mapOrdered enrich source k0 1",
    "mapOrdered enrich source k0 1",
    "mapOrdered enrich source k0 2",
    "mapOrdered enrich source k0 2",
    "sink write source k0 1",
    "sink write source k0 1",
  ]);
});

it("what a handler throws is decided about by the operator's policy", async () => {
  const top = bench();
  const strict: AroundHandler = (next, { record }) => {
    if (record.key === "k1") {
      throw new Error("forbidden");
    }
    return next();
  };
  const plan = pipeline(
    "copy",
    stream(source).pipe(around(strict)(map((item: Item) => item, { onError: "skip" })), sink(copy)),
  );
  await top.send(source, sequence(6, 3));
  const { app, events } = workerOf(top);
  await top.complete(app, plan);
  expect((await top.read(copy)).map(({ value }) => value.n)).toEqual([0, 2, 3, 5]);
  expect(pick(events, "Skipped").map(({ error }) => (error as Error).message)).toEqual(["forbidden", "forbidden"]);
});

it("a handler can give a context to the function, which keeps it over its promises", async () => {
  const top = bench();
  const current = new AsyncLocalStorage<string>();
  const traced: AroundHandler = (next, { record }) => current.run(record.key, next);
  const lookUp = async (item: Item): Promise<Item> => {
    await new Promise<void>((resolve) => {
      top.clock.after(10, resolve);
    });
    return { ...item, key: `${item.key} ${current.getStore()}` };
  };
  const plan = pipeline("copy", stream(source).pipe(around(traced)(mapOrdered(lookUp)), sink(copy)));
  await top.send(source, sequence(4, 2));
  await top.complete(top.app(), plan);
  expect((await top.read(copy)).map(({ value }) => value.key)).toEqual(["k0 k0", "k1 k1", "k0 k0", "k1 k1"]);
});
