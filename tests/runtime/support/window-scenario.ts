/** What the property of windows draws: an input, two levels of windows, and what befalls their workers. */
import { type Duration, hopping, session, sliding, tumbling, unlimited, type WindowSpec } from "@millrace/core";
import * as fc from "fast-check";
import { type Cut, END_OF_TIME } from "./batch-windows.ts";
import type { Item } from "./bench-top.ts";
import { random } from "./faulty-adapter.ts";
import { type Fate, fates } from "./worker-turns.ts";

/** How windows are cut, and what they wait for. */
export interface Level {
  readonly cut: Cut;
  readonly graceMs: number;
  /** The windows have a key of their own, which needs a repartition topic of so many partitions. */
  readonly by: number | null;
}

export interface WindowScenario {
  readonly items: readonly Item[];
  readonly partitions: number;
  readonly outOfOrdernessMs: number;
  readonly first: Level;
  readonly emit: "final" | "updates" | Duration;
  /** Windows over the final results of the first ones. */
  readonly second: Level;
  readonly fate: Fate;
}

/** Their order as UTF-8 is another one than as UTF-16. */
const KEYS = ["a", "\uff5e", "\u{1f600}"] as const;

/** The key of windows that do not take that of the topic. */
export function otherKey({ n }: Item): string {
  return KEYS[Math.floor(n / 2) % KEYS.length] ?? "";
}

export function specOf(cut: Cut): WindowSpec {
  switch (cut.kind) {
    case "tumbling":
      return tumbling(ms(cut.sizeMs), ms(cut.offsetMs));
    case "hopping":
      return hopping(ms(cut.sizeMs), ms(cut.everyMs));
    case "sliding":
      return sliding(ms(cut.sizeMs));
    case "session":
      return session(ms(cut.gapMs));
    case "unlimited":
      return unlimited(cut.fromMs);
  }
}

export function ms(time: number): Duration {
  return `${time} ms`;
}

/**
 * Times of everyday size, where all sorts of distances occur; or of a few ms, where bounds of windows, times and watermarks
 * meet each other.
 */
type Scale = "coarse" | "fine";

/** A length of time (ms) up to about `max` on the coarse scale. */
const length = (scale: Scale, max: number, min = 0): fc.Arbitrary<number> =>
  scale === "fine"
    ? fc.oneof(fc.integer({ min, max: min + 2 }), fc.integer({ min, max: min + 6 }))
    : fc.integer({ min, max });

/** How long (ms) to wait for what is late: not at all, not for all of it, for everything. */
const patience = (scale: Scale): fc.Arbitrary<number> =>
  fc.oneof(
    { arbitrary: fc.constant(0), weight: 5 },
    { arbitrary: length(scale, 3_000), weight: 5 },
    { arbitrary: fc.constant(100_000), weight: 1 },
  );

const cuts = (scale: Scale): fc.Arbitrary<Cut> => {
  const tumblings: fc.Arbitrary<Cut> = fc.record({
    kind: fc.constant("tumbling"),
    sizeMs: length(scale, 4_000, 1),
    offsetMs: length(scale, 5_000),
  });
  const hoppings: fc.Arbitrary<Cut> = fc
    .record({ everyMs: length(scale, 2_000, scale === "fine" ? 1 : 150), moreMs: length(scale, 2_000) })
    .map(({ everyMs, moreMs }) => ({ kind: "hopping", sizeMs: everyMs + moreMs, everyMs }));
  const slidings: fc.Arbitrary<Cut> = fc.record({ kind: fc.constant("sliding"), sizeMs: length(scale, 3_000) });
  const sessions: fc.Arbitrary<Cut> = fc.record({ kind: fc.constant("session"), gapMs: length(scale, 1_500, 1) });
  const unlimiteds: fc.Arbitrary<Cut> = fc.record({
    kind: fc.constant("unlimited"),
    fromMs: fc.constantFrom(-END_OF_TIME, scale === "fine" ? 2 : -10_000),
  });
  const weight = 3;
  return fc.oneof(
    { arbitrary: tumblings, weight },
    { arbitrary: hoppings, weight },
    { arbitrary: slidings, weight },
    { arbitrary: sessions, weight },
    // It has one window only.
    { arbitrary: unlimiteds, weight: 1 },
  );
};

const levels = (scale: Scale): fc.Arbitrary<Level> =>
  fc.record({
    cut: cuts(scale),
    graceMs: patience(scale),
    by: fc.option(fc.integer({ min: 1, max: 3 })),
  });

const coarseInputs: fc.Arbitrary<readonly Item[]> = fc
  .array(
    fc.record({
      key: fc.constantFrom(...KEYS),
      stepMs: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1_500 })),
      backMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 8_000 })),
      // Now and then a clock that is wrong.
      aheadMs: fc.oneof({ arbitrary: fc.constant(0), weight: 40 }, { arbitrary: fc.constant(15_000), weight: 1 }),
    }),
    { maxLength: 100, size: "max" },
  )
  .map((drawn) => {
    let clockMs = -20_000;
    return drawn.map(({ key, stepMs, backMs, aheadMs }, n) => {
      clockMs += stepMs;
      return { key, n, at: clockMs - backMs + aheadMs };
    });
  });

const fineInputs: fc.Arbitrary<readonly Item[]> = fc
  .record({
    drawn: fc.array(fc.record({ key: fc.constantFrom(...KEYS), ms: fc.nat({ max: 24 }) }), {
      maxLength: 80,
      size: "max",
    }),
    disorderMs: fc.constantFrom(4, 8, 25),
    /** Records of about the same time. */
    pace: fc.constantFrom(1, 2, 4),
  })
  .map(({ drawn, disorderMs, pace }) =>
    drawn.map(({ key, ms: of }, n) => ({ key, n, at: (of % disorderMs) - 10 + Math.floor(n / pace) })),
  );

/** So many keys that a task's store has more than one page, and that windows close in more than one commit. */
const crowds: fc.Arbitrary<readonly Item[]> = fc
  .record({ seed: fc.integer(), count: fc.integer({ min: 1_050, max: 1_600 }) })
  .map(({ seed, count }) => {
    const next = random(seed);
    return Array.from({ length: count }, (_, n) => ({
      key: `k${Math.floor(next() * 20) === 0 ? 1 : n}`,
      n,
      // The last ones close all of the others, and each other.
      at: Math.floor(next() * 2_000) + Math.max(0, n - count + 20) * 20_000,
    }));
  });

const scenarios = (scale: Scale, items: fc.Arbitrary<readonly Item[]>): fc.Arbitrary<WindowScenario> =>
  fc.record({
    items,
    partitions: fc.integer({ min: 1, max: 4 }),
    outOfOrdernessMs: patience(scale),
    first: levels(scale),
    emit: fc.constantFrom<WindowScenario["emit"]>("final", "final", "final", "updates", "20 ms", "1 minute"),
    second: levels(scale),
    fate: fates,
  });

export const windowScenarios: fc.Arbitrary<WindowScenario> = fc.oneof(
  scenarios("coarse", coarseInputs),
  scenarios("fine", fineInputs),
);

/** With the keys of the topic, of which there are many. */
export const crowdedScenarios: fc.Arbitrary<WindowScenario> = scenarios("coarse", crowds).map((scenario) => ({
  ...scenario,
  partitions: 1,
  first: { ...scenario.first, by: null },
  second: { ...scenario.second, by: null },
  fate: { ...scenario.fate, portion: 200 },
}));
