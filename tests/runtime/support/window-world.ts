/** Two chained pipelines of windows, played to their end, and what a plain computation says of the same input. */
import {
  type Aggregate,
  type AppEvent,
  every,
  json,
  map,
  type Pipeline,
  pipeline,
  type RecordInfo,
  type StreamRecord,
  sink,
  stream,
  type Topic,
  topic,
  type Windowed,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { type BatchRecord, type BatchResult, batchWindows, END_OF_TIME } from "./batch-windows.ts";
import { type Item, items } from "./bench-top.ts";
import { nameOfItem, seenOf } from "./seen.ts";
import { type Level, ms, otherKey, specOf, type WindowScenario } from "./window-scenario.ts";
import { type Played, playOut } from "./worker-turns.ts";

/** A result as it lies in a topic. `of`: the names of what is in the window, sorted; `null`: taken back. */
const Row = t.type({
  key: t.string,
  start: t.number,
  end: t.number,
  revision: t.number,
  of: t.union([t.null, t.array(t.string)]),
  id: t.string,
});
export type Row = t.TypeOf<typeof Row>;

export type RowRecord = StreamRecord<Row>;

/** What a run has come to, and what it should have come to. */
export interface WindowOutcome {
  readonly scenario: WindowScenario;
  /** Results of the first windows, by the partitions of their topic and in its order. */
  readonly first: readonly RowRecord[];
  readonly firstExpected: BatchResult;
  /** Results of windows over those; none where the first are not final. */
  readonly second: readonly RowRecord[];
  readonly secondExpected: BatchResult;
  /** What was too late for all of its windows. */
  readonly refused: readonly string[];
  /** How many windows each late record missed, by its name: each number that was told. */
  readonly told: ReadonlyMap<string, readonly number[]>;
  readonly events: readonly AppEvent[];
  /** In which partition the windows of a key were. */
  readonly taskOf: (key: string) => number;
}

interface World {
  readonly source: Topic<Item>;
  readonly rows: Topic<Row>;
  readonly second: Topic<Row>;
  readonly late: Topic<Item>;
}

/** The names of values, sorted; one that was added twice is there twice. */
function gathered<A>(nameOf: (value: A) => string): Aggregate<A, string[]> {
  return {
    name: "gathered",
    init: () => [],
    add: (state: string[], value) => [...state, nameOf(value)].toSorted(),
    merge: (a: string[], b: string[]) => [...a, ...b].toSorted(),
    out: (state: string[]) => state,
  };
}

const nameOfRow = ({ key, start, end }: Pick<Row, "key" | "start" | "end">): string => `${key} ${start} ${end}`;

const toRow = (
  { key, start, end, revision, value }: Windowed<{ readonly of: string[] } | null>,
  { id }: RecordInfo,
): Row => ({ key, start, end, revision, of: value?.of ?? null, id });

function worldOf({ partitions, outOfOrdernessMs }: WindowScenario): World {
  const rows = (name: string): Topic<Row> => topic(name, { codec: json(Row), key: (row) => row.key, partitions: 2 });
  return {
    source: items("source", { partitions, outOfOrderness: ms(outOfOrdernessMs) }),
    rows: rows("rows"),
    second: rows("second"),
    late: items("late", { partitions: 1 }),
  };
}

function pipelinesOf({ first, second, emit }: WindowScenario, world: World): readonly Pipeline[] {
  const whoseItem = first.by === null ? {} : { by: otherKey, partitions: first.by };
  const emits = emit === "final" || emit === "updates" ? emit : every(emit);
  const options = { grace: ms(first.graceMs), emit: emits, lateTo: world.late, name: "first", ...whoseItem };
  const one = pipeline(
    "one",
    stream(world.source).pipe(
      window(specOf(first.cut), { of: gathered(nameOfItem) }, options),
      map(toRow),
      sink(world.rows),
    ),
  );
  if (emit !== "final") {
    return [one];
  }
  const whoseRow = second.by === null ? {} : { by: () => "all", partitions: second.by };
  const two = pipeline(
    "two",
    stream(world.rows).pipe(
      window(
        specOf(second.cut),
        { of: gathered(nameOfRow) },
        { grace: ms(second.graceMs), name: "second", ...whoseRow },
      ),
      map(toRow),
      sink(world.second),
    ),
  );
  return [one, two];
}

/** Plays a scenario to its end. */
export function outcomeOf(scenario: WindowScenario): Promise<WindowOutcome> {
  const world = worldOf(scenario);
  const pipelines = pipelinesOf(scenario, world);
  return playOut(scenario.fate, { source: world.source, values: scenario.items, pipelines }, (played) =>
    look(scenario, world, played),
  );
}

async function look(scenario: WindowScenario, world: World, played: Played): Promise<WindowOutcome> {
  const { first, second, emit } = scenario;
  const source = await played.read(world.source);
  const through = first.by === null ? source : await played.read(items("app.one.first.repartition"));
  const seen = seenOf(source, through, scenario.outOfOrdernessMs);
  const firstExpected = batchWindows(first.cut, first.graceMs, seen);
  const chained = emit === "final" ? rowsAsInput(firstExpected, second) : [];
  const nameAt = new Map(through.map(({ id, value }) => [id, nameOfItem(value)]));
  const partitions = new Map(through.map(({ key, partition }) => [key, partition]));
  return {
    scenario,
    first: await played.read(world.rows),
    firstExpected,
    second: emit === "final" ? await played.read(world.second) : [],
    // No result is late, so their order does not matter.
    secondExpected: batchWindows(second.cut, second.graceMs, chained),
    refused: (await played.read(world.late)).map(({ value }) => nameOfItem(value)),
    told: toldOf(played.events, nameAt),
    events: played.events,
    taskOf: (key) => partitions.get(key) ?? -1,
  };
}

/** Final results as what the next windows read: a result's time is the last instant of its window, and it is in time. */
function rowsAsInput({ windows }: BatchResult, { by }: Level): readonly BatchRecord[] {
  return windows.map(({ key, start, end, lastMs }) => ({
    name: nameOfRow({ key, start, end }),
    key: by === null ? key : "all",
    at: end === END_OF_TIME ? lastMs : end - 1,
    stamp: Number.NEGATIVE_INFINITY,
    isFromTask: true,
  }));
}

function toldOf(
  events: readonly AppEvent[],
  nameAt: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly number[]> {
  const told = new Map<string, readonly number[]>();
  for (const event of events) {
    if (event._tag === "LateRecord") {
      const name = nameAt.get(event.id) ?? `a record that is not there: ${event.id}`;
      told.set(name, [...(told.get(name) ?? []), event.windows]);
    }
  }
  return told;
}
