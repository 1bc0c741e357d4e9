import { type Adapter, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, items, rejection, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 2 });
const copy = items("copy", { partitions: 1 });

describe("a topic", () => {
  it("that exists with another number of partitions is refused at start, and nothing runs", async () => {
    const { app, send, settle, events } = bench();
    await send(source, sequence(3));
    const other = items("source", { partitions: 3 });
    const error = await settle(rejection(app().run(pipeline("copy", stream(other).pipe(sink(copy))))));
    expect(error).toMatchObject({ _tag: "TopicMismatch", code: "MR_TOPIC_MISMATCH" });
    expect((error as Error).message).toMatch(/source.*2.*3/s);
    expect(events.filter(({ _tag }) => _tag === "Joined")).toEqual([]);
  });

  it("that is deleted under its tasks stops them with TopicLost, also where they only wait", async () => {
    const { app, send, settle, adapter } = bench();
    await send(source, sequence(3), { end: false });
    const running = await settle(app().run(pipeline("copy", stream(source).pipe(sink(copy)))));
    adapter.deleteTopic("source");
    expect(await settle(rejection(running.done))).toMatchObject({ _tag: "TopicLost" });
  });
});

describe("a store", () => {
  it("that refuses to be opened rejects run, and is asked again by the next run", async () => {
    const { app, adapter, settle, send } = bench();
    let asked = 0;
    const moody: Adapter = {
      name: "moody",
      open: () => async () => {
        asked += 1;
        return asked === 1
          ? { _tag: "Left", left: { _tag: "Refused", code: "MR_REFUSED", retriable: false, message: "not today" } }
          : adapter.open()();
      },
    };
    await send(source, sequence(3));
    const moodyApp = app("app", { adapter: moody });
    const plan = pipeline("copy", stream(source).pipe(sink(copy)));
    expect(await settle(rejection(moodyApp.run(plan)))).toMatchObject({ _tag: "Refused", message: "not today" });
    const running = await settle(moodyApp.run(plan));
    await settle(running.done);
    expect(asked).toBe(2);
  });
});
