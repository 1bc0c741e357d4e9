import { pipeline, sink, stream } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });
const extra: Item = { key: "k", n: -1, at: 0 };

describe("a worker that takes a task over behind the last record, before the input has ended", () => {
  it("refuses what an operator adds at the end, as the worker before it would have", async () => {
    const { app, send, settle, caughtUp } = bench();
    const adding = pipeline("copy", stream(source).pipe(rx.endWith(extra), sink(copy)));
    const first = await settle(app().run(adding));
    await send(source, sequence(3), { end: false });
    await caughtUp(first, 3);
    await settle(first.stop());
    await send(source, [], { end: true });
    const second = await settle(app().run(adding));
    expect(await rejection(settle(second.done))).toMatchObject({
      _tag: "NativeOperatorError",
      message: expect.stringContaining("emitted at the end of its input"),
    });
  });

  it("completes operators that add nothing", async () => {
    const { app, send, settle, caughtUp, read, complete } = bench();
    const doubling = pipeline(
      "copy",
      stream(source).pipe(
        rx.map((item) => item),
        sink(copy),
      ),
    );
    const first = await settle(app().run(doubling));
    await send(source, sequence(3), { end: false });
    await caughtUp(first, 3);
    await settle(first.stop());
    await send(source, [], { end: true });
    await complete(app(), doubling);
    expect(await read(copy)).toHaveLength(3);
  });
});

describe("an operator of Millrace inside another operator's callback", () => {
  it("is refused where it would write nothing", async () => {
    const { app, send, complete } = bench();
    await send(source, sequence(1));
    const inner = (item: Item): rx.Observable<Item> =>
      rx.of(item).pipe(
        sink(copy),
        rx.map(() => item),
      );
    const error = await rejection(complete(app(), pipeline("p", stream(source).pipe(rx.mergeMap(inner), sink(copy)))));
    expect(error).toMatchObject({ message: expect.stringContaining("inside another operator's callback") });
  });
});
