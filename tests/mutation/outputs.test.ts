/** Where outputs go, when batches leave, and what a value that fails has changed. */
import { batch, fold, hopping, map, mapOrdered, pipeline, sink, stream, window } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "../runtime/support/bench-top.ts";

const source = items("source", { partitions: 2 });

it("G1: what a task writes lies in the partition of its key, in the order of the input", async () => {
  const { app, send, complete, read } = bench();
  const wide = items("wide", { partitions: 4 });
  await send(source, sequence(60, 6));
  await complete(
    app(),
    pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered((item) => Promise.resolve(item)),
        sink(wide),
      ),
    ),
  );
  const found = new Map<string, { readonly partitions: Set<number>; readonly numbers: number[] }>();
  for (const { partition, value } of await read(wide)) {
    const of = found.get(value.key) ?? { partitions: new Set(), numbers: [] };
    found.set(value.key, of);
    of.partitions.add(partition);
    of.numbers.push(value.n);
  }
  expect(found.size).toBe(6);
  expect(new Set([...found.values()].flatMap(({ partitions }) => [...partitions])).size).toBeGreaterThan(1);
  for (const { partitions, numbers } of found.values()) {
    expect(partitions.size).toBe(1);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
});

it("G4: a batch leaves with its unit also where event time stands still, and is acknowledged with what it became", async () => {
  const { app, send, settle, clock, read } = bench();
  const one = items("one", { partitions: 1 });
  const batches = items("batches", { partitions: 1 });
  await send(
    one,
    sequence(20).map((item) => ({ ...item, at: 0 })),
    { end: false },
  );
  const plan = pipeline(
    "batches",
    stream(one).pipe(
      batch(7, { within: "100 ms" }),
      map((values) => batches.of({ key: "", n: values.length, at: 0 })),
      sink(batches),
    ),
  );
  const running = await settle(app().run(plan));
  await clock.advance(1_000);
  // By now all is known of event time that there is to know.
  await send(
    one,
    sequence(3).map((item) => ({ ...item, at: 0 })),
    { end: false },
  );
  await clock.advance(1_000);
  expect(running.status()).toMatchObject([{ processed: 23 }]);
  expect((await read(batches)).reduce((sum, { value }) => sum + value.n, 0)).toBe(23);
  await settle(running.stop());
});

it("G4: a value that one of its windows cannot take has changed none of them", async () => {
  const { app, send, complete, read } = bench();
  const one = items("one", { partitions: 1 });
  const totals = items("totals", { partitions: 1 });
  const BAD = 100;
  const strict = fold(0, (total: number, { n }: Item) => {
    if (n === BAD && total === 0) {
      throw new RangeError("it cannot be the first");
    }
    return total + n;
  });
  const plan = pipeline(
    "totals",
    stream(one).pipe(
      window(hopping("10 s", "5 s"), { n: strict }, { grace: "0 s", onError: "skip" }),
      map((w) => totals.of({ key: w.key, n: w.value.n, at: w.start })),
      sink(totals),
    ),
  );
  const at = (seconds: number, n: number): Item => ({ key: "k", n, at: seconds * 1_000 });
  await send(one, [at(1, 1), at(6, BAD), at(60, 2)]);
  await complete(app(), plan);
  expect((await read(totals)).map(({ value }) => [value.at, value.n])).toEqual([
    [-5_000, 1],
    [0, 1],
    [55_000, 2],
    [60_000, 2],
  ]);
});
