/** Records whose event time is ahead of the time at which they were appended: what each policy does with them. */
import { count, map, pipeline, sink, stream, tumbling, window } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { append, copy, counting, counts, rows, START, source, TEN, YEAR } from "./support/ahead.ts";
import { bench, items, rejection } from "./support/bench-top.ts";
import { numbers, tagged } from "./support/breakable.ts";

describe("a record that is a year ahead", () => {
  it("makes all that follows it late where the topic trusts times", async () => {
    const top = bench();
    await top.send(source(), TEN);
    await top.complete(top.app(), counting(source()));
    expect(await rows(top)).toEqual([
      [0, 4],
      [YEAR, 1],
    ]);
    expect(tagged(top.events, "LateRecord")).toHaveLength(5);
    expect(tagged(top.events, "AheadOfTime")).toEqual([]);
  });

  it("is processed at the time of its append and what the topic allows (clamp), and makes nothing late", async () => {
    const top = bench();
    await top.send(source("clamp"), TEN);
    await top.complete(top.app(), counting(source("clamp")));
    expect(await rows(top)).toEqual([[0, 10]]);
    expect(tagged(top.events, "LateRecord")).toEqual([]);
    const [appendedMs = Number.NaN, ...others] = (await top.read(source())).map(({ offset }) =>
      Number.parseInt(offset, 10),
    );
    expect(others.every((ms) => ms === appendedMs)).toBe(true);
    expect(tagged(top.events, "AheadOfTime")).toEqual([
      {
        _tag: "AheadOfTime",
        task: "app.count/source/0",
        id: expect.stringMatching(/^source\/0\/\d+-4\/0$/),
        aheadMs: START + 4_000 + YEAR - appendedMs,
        policy: "clamp",
      },
    ]);
  });

  it("moves event time on when it is clamped, to its new time and no further", async () => {
    const top = bench();
    const topics = source("clamp");
    await top.send(topics, TEN, { end: false });
    const running = await top.settle(top.app().run(counting(topics)));
    await top.caughtUp(running, 10);
    await top.clock.advance(1_000);
    const appendedMs = Number.parseInt((await top.read(source()))[4]?.offset ?? "", 10);
    expect(running.status()[0]?.watermarkMs).toBe(appendedMs + 10_000);
    await top.settle(running.stop());
  });

  it("is late for every window (late), here and behind a change of key, keeps its time and moves none", async () => {
    const top = bench();
    const from = source("late");
    const plan = pipeline(
      "count",
      stream(from).pipe(sink(copy)),
      stream(from).pipe(
        window(tumbling("1 minute"), { count: count() }, { grace: "1 h", by: () => "all" }),
        map((w) => counts.of({ key: w.key, start: w.start - START, ...w.value })),
        sink(counts),
      ),
    );
    const behind = pipeline(
      "behind",
      stream(copy).pipe(
        window(tumbling("1 minute"), { count: count() }, { grace: "1 h" }),
        map((w) => counts.of({ key: w.key, start: w.start - START, ...w.value })),
        sink(counts),
      ),
    );
    await top.send(from, TEN);
    await top.complete(top.app(), [plan, behind]);
    expect(await rows(top)).toEqual([
      [0, 9],
      [0, 9],
    ]);
    expect(tagged(top.events, "LateRecord").map(({ task }) => task.split("/")[0])).toEqual(
      expect.arrayContaining(["app.count", "app.behind"]),
    );
    expect(tagged(top.events, "LateRecord")).toHaveLength(2);
    expect((await top.read(copy)).map(({ timestamp }) => timestamp)).toEqual(TEN.map(({ at }) => at));
    expect(tagged(top.events, "AheadOfTime")).toMatchObject([{ policy: "late" }]);
  });

  it("is refused like an entry that does not decode (reject): dropped and counted (skip)", async () => {
    const top = bench();
    await top.send(source("reject"), TEN);
    await top.complete(top.app(), counting(source("reject"), "skip"));
    expect(await rows(top)).toEqual([[0, 9]]);
    expect(tagged(top.events, "LateRecord")).toEqual([]);
    expect(tagged(top.events, "AheadOfTime")).toMatchObject([{ policy: "reject" }]);
    const message = expect.stringMatching(/^is \d+ ms ahead .* the topic allows 10000 ms$/);
    expect(tagged(top.events, "Skipped")).toMatchObject([
      { node: "source", error: { _tag: "DecodeError", issues: [{ path: "timestamp", message }] } },
    ]);
  });

  it("is refused with a letter (reject, deadLetter), and processed with its own time when that is redriven", async () => {
    const top = bench();
    const plan = counting(source("reject"), "deadLetter");
    await top.send(source("reject"), TEN, { end: false });
    const app = top.app();
    const running = await top.settle(app.run(plan));
    await top.caughtUp(running, 10);
    await top.clock.advance(1_000);
    const letters = await top.settle(app.deadLetters(plan).list());
    expect(letters).toMatchObject([
      { node: "source", isForeign: false, timestamp: START + 4_000 + YEAR, input: JSON.stringify(TEN[4]) },
    ]);
    const watermarkMs = running.status()[0]?.watermarkMs;
    expect(watermarkMs).toBe(START + 9_000);
    expect(await top.settle(app.deadLetters(plan).redrive({ all: true }))).toMatchObject({ done: 1 });
    expect(running.status()[0]?.watermarkMs).toBe(watermarkMs);
    await top.send(source("reject"), []);
    await top.settle(running.done);
    expect(await rows(top)).toEqual([
      [0, 9],
      [YEAR, 1],
    ]);
  });

  it("stops the task where the stream has no policy (reject), with all in front of it committed", async () => {
    const top = bench();
    const plan = pipeline("copy", stream(source("reject")).pipe(sink(copy)));
    await top.send(source("reject"), TEN);
    const running = await top.settle(top.app().run(plan));
    const error = await top.settle(rejection(running.done));
    expect(error).toMatchObject({ _tag: "DecodeError", message: expect.stringMatching(/timestamp: is \d+ ms ahead/) });
    expect(numbers(await top.read(copy))).toEqual([0, 1, 2, 3]);
  });

  it("is not examined where a task has written it: what that had read was", async () => {
    const top = bench();
    const derived = items("derived", { partitions: 1, ahead: { by: "0 s", policy: "reject" } });
    await top.send(source(), TEN);
    await top.complete(top.app(), [
      pipeline("first", stream(source()).pipe(sink(derived))),
      pipeline("second", stream(derived).pipe(sink(copy))),
    ]);
    expect(numbers(await top.read(copy))).toEqual(TEN.map(({ n }) => n));
    expect(tagged(top.events, "AheadOfTime")).toEqual([]);
  });

  it("is one from the first ms on that is more than the topic allows", async () => {
    const top = bench();
    const appendedMs = top.clock.now();
    await append(top, source(), [
      { timestampMs: appendedMs + 10_000 },
      { timestampMs: appendedMs + 10_001 },
      { timestampMs: appendedMs - YEAR },
    ]);
    await top.send(source(), []);
    await top.complete(top.app(), counting(source("late")));
    expect(tagged(top.events, "AheadOfTime")).toMatchObject([
      { id: `source/0/${appendedMs}-1/0`, aheadMs: 10_001, policy: "late" },
    ]);
  });
});
