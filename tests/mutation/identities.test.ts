/** What external systems are told by, so that they do a thing once. */
import { type Call, mapOrdered, pipeline, type SinkCall, sink, stream } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "../runtime/support/bench-top.ts";

const source = items("source", { partitions: 2 });
const COUNT = 20;

it("G4: handlers and sinks that see the same record have keys of their own, though nobody has named them", async () => {
  const { app, send, complete } = bench();
  const keys: string[] = [];
  const handler = mapOrdered((item: Item, _record, { idempotencyKey }: Call) => {
    keys.push(idempotencyKey);
    return Promise.resolve(item);
  });
  const external = sink(async (_values: readonly Item[], { idempotencyKeys }: SinkCall) => {
    keys.push(...idempotencyKeys);
  });
  const worked = stream(source).pipe(handler, handler);
  await send(source, sequence(COUNT));
  await complete(app(), pipeline("keys", worked.pipe(external), worked.pipe(external)));
  expect(keys).toHaveLength(4 * COUNT);
  expect(new Set(keys).size).toBe(4 * COUNT);
});
