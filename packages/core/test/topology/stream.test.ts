import { filter, map, pipeline, sink, stream, tap } from "@millrace/core";
import { Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import { nodeOf } from "../support/plan.ts";
import { anything, orders } from "../support/topics.ts";

const kinds = (from: { describe(): { nodes: readonly { kind: string }[] } }): readonly string[] =>
  from.describe().nodes.map(({ kind }) => kind);

describe("a stream", () => {
  it("does not change when something is put behind it", () => {
    const source = stream(orders);
    const positive = source.pipe(filter((order) => order.total > 0));
    positive.pipe(map((order) => order.id));
    expect(kinds(source)).toEqual(["stream"]);
    expect(kinds(positive)).toEqual(["stream", "filter"]);
  });

  it("shares what is in front of two pipes", () => {
    const shared = stream(orders).pipe(tap(() => {}));
    const [a, b] = [shared.pipe(map((order) => order.id)), shared.pipe(map((order) => order.total))];
    expect(nodeOf(a).parent).toBe(nodeOf(b).parent);
    const plan = pipeline("both", a.pipe(sink(anything)), b.pipe(sink(anything))).describe();
    expect(plan.nodes.map(({ kind }) => kind)).toEqual(["stream", "tap", "map", "sink", "map", "sink"]);
    expect(plan.nodes.filter(({ inputs }) => inputs.includes("tap-2")).map(({ id }) => id)).toEqual(["map-3", "map-5"]);
  });

  it("is one source, however often the topic's stream was asked for", () => {
    const plan = pipeline("twice", stream(orders).pipe(sink(anything)), stream(orders).pipe(sink(anything))).describe();
    expect(plan.nodes.map(({ id, inputs }) => [id, ...inputs])).toEqual([
      ["stream-1"],
      ["sink-2", "stream-1"],
      ["sink-3", "stream-1"],
    ]);
  });

  it("is no Observable: nobody can read it past the acknowledgement", () => {
    expect(stream(orders)).not.toBeInstanceOf(Observable);
    expect("subscribe" in stream(orders)).toBe(false);
    expect(Symbol.asyncIterator in stream(orders)).toBe(false);
  });

  it("calls no function of its operators while the plan is made", () => {
    const called: string[] = [];
    const note = (name: string) => (): boolean => called.push(name) > 0;
    stream(orders)
      .pipe(filter(note("filter")), tap(note("tap")), map(note("map")), sink(anything))
      .describe();
    expect(called).toEqual([]);
  });
});
