/** Event times that are none, in records that no producer of Millrace has written; and those before 1970. */
import { type DecodeError, type NewRecord, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { append, copy, counting, MINUTE, type Policy, rows, START, source } from "./support/ahead.ts";
import { bench, rejection } from "./support/bench-top.ts";
import { tagged } from "./support/breakable.ts";

describe("a time that is none", () => {
  const BAD: readonly Partial<NewRecord>[] = [
    { timestampMs: Number.NaN },
    { timestampMs: 1.5 },
    { timestampMs: 1e18 },
    { timestampMs: -1e18 },
    { timestampMs: Infinity },
    { timestampMs: -Infinity },
    { timestampMs: 8.64e15 + 1 },
    { watermarkMs: Number.NaN },
    { timestampMs: Number.NaN, watermarkMs: 5 },
  ];
  /** The append of what is bad would move event time on by an hour. */
  const OLD = START - 3_600_000;
  const GOOD = [{ timestampMs: OLD }, { timestampMs: OLD + 1_000 }];

  it.each<[string, Policy | undefined]>([
    ["where times are trusted", undefined],
    ["where what is ahead is clamped", "clamp"],
  ])("is refused, and moves no event time: %s", async (_, policy) => {
    const top = bench();
    await append(top, source(policy), [...GOOD, ...BAD, { timestampMs: OLD + 2_000 }]);
    const running = await top.settle(top.app().run(counting(source(policy), "skip")));
    await top.caughtUp(running, 3 + BAD.length);
    await top.clock.advance(1_000);
    expect(running.status()[0]?.watermarkMs).toBe(OLD + 2_000);
    const errors = tagged(top.events, "Skipped").map(({ error }) => (error as DecodeError).message);
    expect(errors).toHaveLength(BAD.length);
    expect(errors.slice(0, 3)).toEqual([
      expect.stringMatching(/timestamp: must be a whole number of ms since 1970 that a Date can hold, not NaN$/),
      expect.stringMatching(/timestamp: .* not 1\.5$/),
      expect.stringMatching(/timestamp: .* not 1000000000000000000$/),
    ]);
    expect(errors[7]).toMatch(/watermark: must be a number of ms or infinite, not NaN$/);
    await top.send(source(policy), []);
    await top.settle(running.done);
    expect(await rows(top)).toEqual([[OLD - START, 3]]);
  });

  it("leaves a letter with the time of its append, which can be discarded only", async () => {
    const top = bench();
    const appendedMs = top.clock.now();
    await append(top, source(), BAD);
    const app = top.app();
    const plan = counting(source(), "deadLetter");
    const running = await top.settle(app.run(plan));
    await top.caughtUp(running, BAD.length);
    const letters = await top.settle(app.deadLetters(plan).list());
    expect(letters.map(({ timestamp, isForeign }) => [timestamp, isForeign])).toEqual(
      BAD.map(() => [appendedMs, true]),
    );
    expect(await top.settle(app.deadLetters(plan).redrive({ all: true }))).toMatchObject({ done: 0 });
    expect(await top.settle(app.deadLetters(plan).discard({ node: "source" }))).toMatchObject({ done: BAD.length });
    await top.settle(running.stop());
  });

  it("stops the task where the stream has no policy, and the text says why", async () => {
    const top = bench();
    await append(top, source(), [...GOOD, { timestampMs: Number.NaN }]);
    const running = await top.settle(top.app().run(pipeline("copy", stream(source()).pipe(sink(copy)))));
    expect(await top.settle(rejection(running.done))).toMatchObject({
      _tag: "DecodeError",
      message: expect.stringMatching(/timestamp: .* not NaN/),
    });
    expect(await top.read(copy)).toHaveLength(GOOD.length);
  });

  it("is not a time before 1970, which counts as any other", async () => {
    const top = bench();
    await append(
      top,
      source(),
      [-90_000, -61_000, -1, 0, -8.64e15, 8.64e15].map((timestampMs) => ({ timestampMs })),
    );
    const running = await top.settle(top.app().run(counting(source())));
    await top.caughtUp(running, 6);
    await top.clock.advance(1_000);
    expect(tagged(top.events, "Skipped")).toEqual([]);
    expect((await rows(top)).map(([start, n]) => [start + START, n])).toEqual([
      [-2 * MINUTE, 2],
      [-MINUTE, 1],
      [0, 1],
    ]);
    expect(tagged(top.events, "LateRecord")).toHaveLength(1);
    await top.settle(running.stop());
  });
});
