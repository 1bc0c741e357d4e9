/** A worker is killed around each of its commits in turn: whatever goes into a commit goes into it as a whole. */
import { aggregate, mapOrdered, type Pipeline, pipeline, sink, stream, sum } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "../runtime/support/bench-top.ts";
import { type Kill, killedAdapter, killedAtEachCommit } from "../runtime/support/crash.ts";
import { pick, workerOf } from "../runtime/support/workers.ts";

const source = items("source", { partitions: 1 });
const copies = items("copies", { partitions: 1 });
const sums = items("sums", { partitions: 1 });
const COUNT = 12;

/** Writes each item, and with each the sum of its key so far: a record that counted twice, or not at all, shows. */
function plan(clock: { readonly after: (ms: number, call: () => void) => unknown }): Pipeline {
  const worked = stream(source).pipe(
    mapOrdered(
      (item: Item) =>
        new Promise<Item>((resolve) => {
          clock.after(40, () => resolve(item));
        }),
    ),
  );
  return pipeline(
    "crash",
    worked.pipe(sink(copies)),
    worked.pipe(
      aggregate({ n: sum((item: Item) => item.n) }),
      mapOrdered(({ key, value: { n } }) => Promise.resolve({ key, n, at: 0 })),
      sink(sums),
    ),
  );
}

it("G3, G4: outputs, state and offset of a commit are there together or not at all, whenever its worker is killed", async () => {
  const kills = await killedAtEachCommit(async (kill: Kill) => {
    const top = bench();
    await top.send(source, sequence(COUNT));
    const victim = killedAdapter(top.adapter);
    victim.arm(kill);
    const session = { session: "1 s" } as const;
    const first = await top.settle(workerOf(top, session, { adapter: victim }).app.run(plan(top.clock)));
    await Promise.race([first.done, top.clock.advance(3_000)]);
    const second = workerOf(top, session);
    await top.settle((await top.settle(second.app.run(plan(top.clock)))).done);
    expect(pick(second.events, "Regressed")).toEqual([]);
    const values = sequence(COUNT);
    expect((await top.read(copies)).map(({ value }) => value)).toEqual(values);
    expect((await top.read(sums)).map(({ value: { key, n } }) => [key, n])).toEqual(
      values.map(({ key, n }) => [
        key,
        values.filter((each) => each.key === key && each.n <= n).reduce((total, each) => total + each.n, 0),
      ]),
    );
    return victim.isKilled;
  });
  expect(kills).toBeGreaterThan(4);
});
