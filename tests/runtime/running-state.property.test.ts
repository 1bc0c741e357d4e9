import {
  type Aggregate,
  aggregate,
  deduplicate,
  json,
  map,
  type Pipeline,
  partitionBy,
  pipeline,
  type StreamRecord,
  sink,
  stream,
  type Topic,
  topic,
} from "@millrace/core";
import * as fc from "fast-check";
import * as t from "io-ts";
import { expect, it } from "vitest";
import { batchAggregate, batchDeduplicate, type RunningResult } from "./support/batch-running.ts";
import type { BatchRecord } from "./support/batch-windows.ts";
import { type Item, items } from "./support/bench-top.ts";
import { random } from "./support/faulty-adapter.ts";
import { grouped } from "./support/grouped.ts";
import { nameOfItem, seenOf } from "./support/seen.ts";
import { ms } from "./support/window-scenario.ts";
import { type Fate, failuresIn, fates, type Played, playOut } from "./support/worker-turns.ts";

const RUNS = Number(process.env["MILLRACE_RUNS"] ?? 30);
const SEED = process.env["MILLRACE_SEED"];
const parameters = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) };
/** Of inputs with more keys than one page of a store has. */
const crowded = { ...parameters, numRuns: Math.ceil(RUNS / 20) };

interface Scenario {
  readonly items: readonly Item[];
  readonly partitions: number;
  readonly outOfOrdernessMs: number;
  /** How long (ms) something is remembered; `null`: for ever. */
  readonly memoryMs: number | null;
  /** Another key than that of the topic, through a repartition topic of so many partitions. */
  readonly by: number | null;
  readonly fate: Fate;
}

const KEYS = ["a", "b", "c"] as const;

/** Times of a few ms, so that they meet what is just forgotten; mostly, they grow. */
const inputs: fc.Arbitrary<readonly Item[]> = fc
  .record({
    drawn: fc.array(
      fc.record({
        key: fc.constantFrom(...KEYS),
        backMs: fc.nat({ max: 24 }),
        stepMs: fc.oneof({ arbitrary: fc.nat({ max: 2 }), weight: 9 }, { arbitrary: fc.nat({ max: 60 }), weight: 1 }),
      }),
      { maxLength: 80, size: "max" },
    ),
    disorderMs: fc.constantFrom(1, 4, 25),
  })
  .map(({ drawn, disorderMs }) => {
    let clockMs = -20;
    return drawn.map(({ key, backMs, stepMs }, n) => {
      clockMs += stepMs;
      return { key, n, at: clockMs - (backMs % disorderMs) };
    });
  });

const crowds: fc.Arbitrary<readonly Item[]> = fc
  .record({ seed: fc.integer(), count: fc.integer({ min: 1_050, max: 1_600 }) })
  .map(({ seed, count }) => {
    const next = random(seed);
    return Array.from({ length: count }, (_, n) => ({
      key: next() < 0.1 ? "a" : `k${n}`,
      n,
      at: Math.floor(next() * 8) + Math.floor(n / 1_000) * 10,
    }));
  });

const memories: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 100 }));

const scenarios = (input: fc.Arbitrary<readonly Item[]>): fc.Arbitrary<Scenario> =>
  fc.record({
    items: input,
    partitions: fc.integer({ min: 1, max: 4 }),
    outOfOrdernessMs: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(1_000)),
    memoryMs: fc.option(memories),
    by: fc.option(fc.integer({ min: 1, max: 3 })),
    fate: fates,
  });

const crowdedScenarios = scenarios(crowds).map((scenario) => ({
  ...scenario,
  partitions: 1,
  fate: { ...scenario.fate, portion: 200 },
}));

/** A key of its own, which the items of many keys share. */
const otherKey = ({ n }: Item): string => `other ${n % 3}`;
/** A few of one key, all of them in every key. */
const identityOf = (name: string): string => `i${Number(name) % 2}`;

const sourceOf = ({ partitions, outOfOrdernessMs }: Scenario): Topic<Item> =>
  items("source", { partitions, outOfOrderness: ms(outOfOrdernessMs) });

/** The names of the values, in their order. */
const inOrder: Aggregate<Item, readonly string[]> = {
  name: "in order",
  init: () => [],
  add: (state: readonly string[], item) => [...state, nameOfItem(item)],
  out: (state: readonly string[]) => state,
};

/** Plays a scenario, and tells what lies in a topic afterwards, and what the operator has seen. */
function playing<A>(
  scenario: Scenario,
  of: { readonly pipeline: Pipeline; readonly source: Topic<Item>; readonly results: Topic<A> },
): Promise<{ readonly results: readonly StreamRecord<A>[]; readonly seen: readonly BatchRecord[] }> {
  const input = { source: of.source, values: scenario.items, pipelines: [of.pipeline] };
  return playOut(scenario.fate, input, async (played: Played) => {
    expect(failuresIn(played.events)).toEqual([]);
    const source = await played.read(of.source);
    const through = scenario.by === null ? source : await played.read(items("app.run.other.repartition"));
    return { results: await played.read(of.results), seen: seenOf(source, through, scenario.outOfOrdernessMs) };
  });
}

const Result = t.type({ key: t.string, of: t.array(t.string) });

/** Each record yields the result of its key; the last one is the fold of all that the key has not forgotten. */
async function aggregateIsThatOfTheBatch(scenario: Scenario): Promise<void> {
  const { by, memoryMs } = scenario;
  const source = sourceOf(scenario);
  const results = topic("results", { codec: json(Result), key: (result) => result.key, partitions: 2 });
  const plan = pipeline(
    "run",
    stream(source).pipe(
      aggregate(
        { of: inOrder },
        {
          name: "other",
          ...(memoryMs === null ? {} : { ttl: ms(memoryMs) }),
          ...(by === null ? {} : { by: otherKey, partitions: by }),
        },
      ),
      map(({ key, value }) => ({ key, of: [...value.of] })),
      sink(results),
    ),
  );
  const played = await playing(scenario, { pipeline: plan, source, results });
  const found = played.results.map(({ value }) => value);
  expect(byKey(found)).toEqual(byKey(batchAggregate(played.seen, memoryMs)));
}

/** The results of each key, in their order. */
function byKey(results: readonly RunningResult[]): Readonly<Record<string, readonly (readonly string[])[]>> {
  const groups = grouped(results, ({ key }) => key);
  return Object.fromEntries(groups.map((group) => [group[0]?.key, group.map(({ of }) => of)]));
}

/** What passes does so once, in the order of its key. */
async function deduplicateIsThatOfTheBatch(scenario: Scenario): Promise<void> {
  const { by } = scenario;
  const withinMs = scenario.memoryMs ?? 1_000_000;
  const source = sourceOf(scenario);
  const results = items("results", { key: by === null ? (item) => item.key : otherKey, partitions: 2 });
  const single = deduplicate((item: Item) => identityOf(nameOfItem(item)), { within: ms(withinMs) });
  const keyed = stream(source);
  const plan = pipeline(
    "run",
    (by === null ? keyed : keyed.pipe(partitionBy(otherKey, { name: "other", partitions: by }))).pipe(
      single,
      sink(results),
    ),
  );
  const played = await playing(scenario, { pipeline: plan, source, results });
  const keys = new Map(played.seen.map(({ name, key }) => [name, key]));
  const inKeys = (names: readonly string[]): readonly (readonly string[])[] =>
    grouped(names, (name) => keys.get(name) ?? "").toSorted(([a = ""], [b = ""]) => Number(a) - Number(b));
  const found = played.results.map(({ value }) => nameOfItem(value));
  expect(inKeys(found)).toEqual(inKeys(batchDeduplicate(played.seen, withinMs, identityOf)));
}

it("G3, G4: each record yields the aggregate of its key up to it, once, whatever befalls the workers", async () => {
  await fc.assert(fc.asyncProperty(scenarios(inputs), aggregateIsThatOfTheBatch), parameters);
}, 600_000);

it("G3, G4: what is no duplicate passes once, and nothing else does, whatever befalls the workers", async () => {
  await fc.assert(fc.asyncProperty(scenarios(inputs), deduplicateIsThatOfTheBatch), parameters);
}, 600_000);

it("G5: so it is with more keys than one page of a store can hold", async () => {
  await fc.assert(fc.asyncProperty(crowdedScenarios, aggregateIsThatOfTheBatch), crowded);
  await fc.assert(fc.asyncProperty(crowdedScenarios, deduplicateIsThatOfTheBatch), crowded);
}, 600_000);
