/** State that is larger than a page of the store, over a restart: the next owner must not take the first page for all of it. */
import { aggregate, count, json, map, pipeline, sink, stream, topic, tumbling, window } from "@millrace/core";
import * as t from "io-ts";
import { expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";

const KEYS = 5_000;
const Result = t.type({ key: t.string, n: t.number });
const source = items("source", { partitions: 1 });
const round = (at: number): readonly Item[] =>
  Array.from({ length: KEYS }, (_, n) => ({ key: `k${n}`, n, at: at + n }));

it.each([
  ["running aggregates", aggregate<Item, { n: number }>({ n: count() })],
  ["open windows", window(tumbling("1 day"), { n: count() }, { grace: "0 s" })],
] as const)("%s of 5,000 keys go on where the worker before has left them", async (_, counting) => {
  const results = topic("results", { codec: json(Result), key: (r) => r.key, partitions: 1 });
  const counted = pipeline(
    "counted",
    stream(source).pipe(
      counting,
      map(({ key, value }) => results.of({ key, n: value.n })),
      sink(results),
    ),
  );
  const top = bench();
  await top.send(source, round(0), { end: false });
  const first = await top.settle(top.app().run(counted));
  await top.caughtUp(first, KEYS);
  await top.settle(first.stop());
  await top.send(source, round(10_000));
  const second = await top.settle(top.app().run(counted));
  await top.settle(second.done);
  const last = new Map((await top.read(results)).map(({ value }) => [value.key, value.n]));
  expect(last.size).toBe(KEYS);
  expect([...last].filter(([, n]) => n !== 2)).toEqual([]);
});
