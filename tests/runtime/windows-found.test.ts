/** What the properties of windows and of `deduplicate` have found, as small as it gets. */
import { deduplicate, partitionBy, partitionOf, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";
import { INVARIANTS } from "./support/window-invariants.ts";
import type { WindowScenario } from "./support/window-scenario.ts";
import { outcomeOf } from "./support/window-world.ts";

/** One worker that nothing befalls, and a record at a time. */
const quiet: Pick<WindowScenario, "emit" | "outOfOrdernessMs" | "second" | "fate"> = {
  emit: "final",
  outOfOrdernessMs: 0,
  second: { cut: { kind: "unlimited", fromMs: 0 }, graceMs: 0, by: null },
  fate: {
    seed: 0,
    portion: 1,
    pauseMs: 300,
    turns: [],
    rate: 0,
    latencyMs: 0,
    isDeaf: false,
    maxStateBytes: null,
  },
};

const rows = (of: readonly (readonly [key: string, n: number, at: number])[]): readonly Item[] =>
  of.map(([key, n, at]) => ({ key, n, at }));

const keyIn = (partition: number): string =>
  ["a", "b", "c", "d", "e"].find((key) => partitionOf(key, 2) === partition) ?? "";

describe("windows hold what they should when", () => {
  it.each<[string, WindowScenario]>([
    [
      "a session begins where one began that is closed: two results, two idempotency keys",
      {
        ...quiet,
        partitions: 1,
        first: { cut: { kind: "session", gapMs: 10 }, graceMs: 0, by: null },
        items: rows([
          ["a", 0, 10],
          ["b", 1, 21],
          ["a", 2, 20],
          ["a", 3, 10],
        ]),
      },
    ],
    [
      "sessions of two keys end together, and one of the keys has an older session: by end, then by key",
      {
        ...quiet,
        outOfOrdernessMs: 100_000,
        partitions: 1,
        first: { cut: { kind: "session", gapMs: 1 }, graceMs: 0, by: null },
        items: rows([
          ["a", 0, 0],
          ["a", 1, 2],
          ["b", 2, 2],
        ]),
      },
    ],
    [
      "a sliding window is closed for a record of a fast partition, and open for a later one of a slow partition",
      {
        ...quiet,
        partitions: 2,
        first: { cut: { kind: "sliding", sizeMs: 10 }, graceMs: 0, by: 1 },
        items: rows([
          [keyIn(0), 0, 5],
          [keyIn(0), 1, 10],
          [keyIn(1), 2, 12],
          [keyIn(1), 6, 8],
          [keyIn(0), 7, 9],
        ]),
      },
    ],
  ])("%s", async (_name, scenario) => {
    const outcome = await outcomeOf(scenario);
    for (const holds of INVARIANTS) {
      holds(outcome);
    }
  });

  it("records of two partitions arrive in another order: the same sessions", async () => {
    const sessions = async (order: readonly (readonly [key: string, n: number, at: number])[]): Promise<unknown> => {
      const first = { cut: { kind: "session", gapMs: 10 }, graceMs: 0, by: 1 } as const;
      const outcome = await outcomeOf({ ...quiet, partitions: 2, first, items: rows(order) });
      return outcome.first.map(({ value: { key, start, end, of } }) => ({ key, start, end, of }));
    };
    const slow = [keyIn(0), 0, 0] as const;
    const fast = [
      [keyIn(1), 2, 12],
      [keyIn(1), 1, 8],
    ] as const;
    expect(await sessions([slow, ...fast])).toEqual(await sessions([...fast, slow]));
  });
});

it("deduplicate lets no value pass that is as old as one that has passed, behind a newer one", async () => {
  const { app, send, complete, read } = bench();
  const source = items("source", { partitions: 1, outOfOrderness: "1 s" });
  const passed = items("passed", { partitions: 1 });
  const values = [100, 0, 0].map((at, n) => ({ key: "k", n, at }));
  await send(source, values);
  const plan = stream(source).pipe(
    deduplicate(() => "same", { within: "10 ms" }),
    sink(passed),
  );
  await complete(app(), pipeline("single", plan));
  expect((await read(passed)).map(({ value }) => value.n)).toEqual([0, 1]);
});

it("deduplicate remembers for a slow partition what is too old for a fast one", async () => {
  const { app, clock, send, settle, read } = bench();
  const source = items("source", { partitions: 2 });
  const passed = items("passed", { partitions: 1 });
  const plan = stream(source).pipe(
    partitionBy(() => "all", { partitions: 1 }),
    deduplicate(() => "same", { within: "1 ms" }),
    sink(passed),
  );
  const running = await settle(app().run(pipeline("single", plan)));
  const [slow, fast] = [keyIn(0), keyIn(1)];
  const arrivals = [
    [slow, 0, 0],
    [fast, 1, 2],
    [fast, 2, 3],
    [slow, 3, 0],
  ] as const;
  for (const arrival of arrivals) {
    await send(source, rows([arrival]), { end: false });
    await clock.advance(300);
  }
  await send(source, []);
  await settle(running.done);
  expect((await read(passed)).map(({ value }) => value.n)).toEqual([0, 1, 2]);
});
