/** The store loses its newest writes while a worker goes on: what was lost is processed again, and reported. */
import { aggregate, map, mapOrdered, pipeline, sink, stream, sum } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "../runtime/support/bench-top.ts";
import { pick, workerOf } from "../runtime/support/workers.ts";

const source = items("source", { partitions: 1 });
const sums = items("sums", { partitions: 1 });
const COUNT = 200;

it("G3: a worker whose store has lost commits forgets what it knew, reports it, and processes those records again", async () => {
  const top = bench();
  await top.send(source, sequence(COUNT, 1));
  const slowly = mapOrdered(
    (item: Item) =>
      new Promise<Item>((resolve) => {
        top.clock.after(20, () => resolve(item));
      }),
    { concurrency: 1 },
  );
  const plan = pipeline(
    "sums",
    stream(source).pipe(
      slowly,
      aggregate({ n: sum((item: Item) => item.n) }),
      map(({ key, value: { n } }) => ({ key, n, at: 0 })),
      sink(sums),
    ),
  );
  const worker = workerOf(top);
  const running = await top.settle(worker.app.run(plan));
  await top.caughtUp(running, COUNT / 4);
  const putBack = top.adapter.snapshot();
  await top.caughtUp(running, COUNT / 2);
  putBack();
  await top.settle(running.done);
  expect(pick(worker.events, "Regressed")).toHaveLength(1);
  const totals = (await top.read(sums)).map(({ value: { n } }) => n);
  expect(totals).toEqual(Array.from({ length: COUNT }, (_, n) => (n * (n + 1)) / 2));
});
