import {
  type Aggregate,
  count,
  map,
  mean,
  type Pipeline,
  pipeline,
  sink,
  stream,
  sum,
  tumbling,
  type WindowSpec,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 4 });

describe("windows of another kind under the same name", () => {
  const totals = items("totals", { partitions: 1 });
  const windowed = (spec: WindowSpec, n: Aggregate<Item, number> = count()): Pipeline =>
    pipeline(
      "copy",
      stream(source).pipe(
        window(spec, { n }, { grace: "0 s" }),
        map((w) => totals.of({ key: w.key, n: w.value.n, at: w.start })),
        sink(totals),
      ),
    );
  const minutes = windowed(tumbling("1 minute"));

  it.each([
    ["another size", windowed(tumbling("1 hour")), /60000 ms.*3600000 ms/s],
    [
      "another aggregate",
      windowed(
        tumbling("1 minute"),
        sum<Item>((item) => item.n),
      ),
      /n count.*n sum/s,
    ],
  ])("with %s are refused beside the others, and behind them while windows are open", async (_name, other, text) => {
    const top = bench();
    await top.send(source, sequence(40, 8), { end: false });
    const first = await top.settle(workerOf(top).app.run(minutes));
    await top.clock.advance(1_000);
    const beside = await top.settle(rejection(workerOf(top).app.run(other)));
    expect(beside).toMatchObject({ _tag: "TopologyMismatch", code: "MR_TOPOLOGY_MISMATCH" });
    expect((beside as Error).message).toMatch(text);
    await top.settle(first.stop());

    const behind = await top.settle(rejection(workerOf(top).app.run(other)));
    expect(behind).toMatchObject({ _tag: "TopologyMismatch" });
    expect((behind as Error).message).toMatch(text);

    // The version that opened the windows closes them; then nothing is in the way.
    await top.send(source, [], { end: true });
    const again = await top.settle(workerOf(top).app.run(minutes));
    await top.settle(again.done);
    const last = await top.settle(workerOf(top).app.run(other));
    await top.settle(last.done);
  });

  it("may spell the same size in another way, and have another grace", async () => {
    const top = bench();
    await top.send(source, sequence(40, 8), { end: false });
    await top.settle(workerOf(top).app.run(minutes));
    await top.clock.advance(500);
    const other = pipeline(
      "copy",
      stream(source).pipe(
        window(tumbling("60 s"), { n: count() }, { grace: "5 s" }),
        map((w) => totals.of({ key: w.key, n: w.value.n, at: w.start })),
        sink(totals),
      ),
    );
    await top.settle(workerOf(top).app.run(other));
  });

  it("are told apart by their aggregates' names, so that state never changes its meaning", async () => {
    const top = bench();
    await top.send(source, sequence(8, 8), { end: false });
    const first = await top.settle(
      workerOf(top).app.run(
        windowed(
          tumbling("1 minute"),
          sum<Item>((i) => i.n),
        ),
      ),
    );
    await top.clock.advance(1_000);
    await top.settle(first.stop());
    const means = windowed(
      tumbling("1 minute"),
      mean<Item>((i) => i.n),
    );
    const refusal = await top.settle(rejection(workerOf(top).app.run(means)));
    expect(refusal).toMatchObject({ _tag: "TopologyMismatch" });
  });
});
