import { map, pipeline, sink, stream } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "../runtime/support/bench-top.ts";
import { numbers } from "../runtime/support/breakable.ts";
import { pick, workerOf } from "../runtime/support/workers.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

it("G3: a quarantined partition stands still under the next worker too, repaired or not, until it is resumed", async () => {
  const top = bench();
  let attempts = 0;
  // It would get on with the record, were it asked again and again.
  const check = (item: Item): Item => {
    attempts += item.n === 3 ? 1 : 0;
    if (item.n === 3 && attempts < 4) {
      throw new RangeError("not yet");
    }
    return item;
  };
  const plan = pipeline("copy", stream(source).pipe(map(check, { onError: "quarantine" }), sink(copy)));
  await top.send(source, sequence(6));
  const first = workerOf(top);
  const running = await top.settle(first.app.run(plan));
  await top.clock.advance(2_000);
  expect(pick(first.events, "Quarantined")).toHaveLength(1);
  await top.settle(running.stop());
  attempts = 4;
  const second = workerOf(top);
  const again = await top.settle(second.app.run(plan));
  await top.clock.advance(5_000);
  expect(numbers(await top.read(copy))).toEqual([0, 1, 2]);
  expect(again.status()).toMatchObject([{ state: "quarantined", processed: 3 }]);
  expect(await top.settle(second.app.resume(plan))).toBe(1);
  await top.settle(again.done);
  expect(numbers(await top.read(copy))).toEqual([0, 1, 2, 3, 4, 5]);
});
