/** Policies that could not keep their promise are found before anything runs. */
import {
  count,
  filter,
  json,
  type MillraceError,
  map,
  mapOrdered,
  mapUnordered,
  native,
  partitionBy,
  pipeline,
  type Stream,
  type Sunk,
  sink,
  stream,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { map as rxMap, scan } from "rxjs";
import { describe, expect, it } from "vitest";
import { anything, type Order, orders } from "../support/topics.ts";

const keyless = topic("keyless", { codec: json(t.unknown), key: null });
const other = topic("other", { codec: json(t.unknown), key: null });
const pass = (order: Order): Order => order;
const dead = { onError: "deadLetter" } as const;

/** What is wrong with a pipeline of these ends, a problem a line. */
function problems(...ends: readonly Stream<unknown>[]): readonly string[] {
  try {
    pipeline("p", ...(ends as readonly [Stream<Sunk>, ...Stream<Sunk>[]]));
  } catch (error) {
    const { code, message } = error as MillraceError;
    if (code === "MR_INVALID_PIPELINE") {
      return message.split("\n  - ").slice(1);
    }
    throw error;
  }
  return [];
}

describe("a dead-letter topic", () => {
  it.each(["orders", "anything", "other"])("may not be one that the pipeline reads or writes: %s", (name) => {
    const ends = [
      stream(orders).pipe(map(pass, { ...dead, deadLetters: { topic: name } }), sink(anything)),
      stream(orders).pipe(sink(other)),
    ];
    expect(problems(...ends)).toEqual([
      `"map pass behind orders" sends dead letters to "${name}", which the pipeline reads or writes: give them a topic of their own`,
    ]);
  });

  it("of the stream itself may not be, either", () => {
    const from = stream(orders, { ...dead, deadLetters: { topic: "anything" } });
    expect(problems(from.pipe(sink(anything)))).toEqual([
      expect.stringContaining('"stream orders" sends dead letters to "anything"'),
    ]);
  });

  it("may be shared by operators, as long as it is nothing else", () => {
    const letters = { ...dead, deadLetters: { topic: "letters" } };
    const end = stream(orders, letters).pipe(
      map(pass, { ...letters, name: "first" }),
      mapOrdered(async (order: Order) => order, { ...letters, name: "second" }),
      sink(anything),
    );
    expect(problems(end)).toEqual([]);
  });

  it("that is never written may have any name", () => {
    const unused = { onError: "skip", deadLetters: { topic: "anything" } } as const;
    expect(problems(stream(orders).pipe(map(pass, unused), sink(anything)))).toEqual([]);
  });
});

describe("parking", () => {
  it("needs a topic with a key", () => {
    const through = map((value: unknown) => value, { onError: "park" });
    expect(problems(stream(keyless).pipe(through, sink(anything)))).toEqual([
      expect.stringMatching(
        /parks keys, which needs records in order that have a key: .* nor of a topic without a key/,
      ),
    ]);
    expect(problems(stream(keyless, { onError: "park" }).pipe(sink(anything)))).toEqual([
      expect.stringContaining('"stream keyless" parks keys'),
    ]);
  });

  it("has one behind a change of key", () => {
    const end = stream(keyless).pipe(
      partitionBy(() => "k", { name: "byK" }),
      map((value: unknown) => value, { onError: "park" }),
      sink(anything),
    );
    expect(problems(end)).toEqual([]);
  });
});

describe("a policy beside a foreign operator that may hold records back", () => {
  it.each([
    ["quarantine", '"quarantine"'],
    ["deadLetter", '"deadLetter"'],
    ["park", '"park"'],
    [() => "skip" as const, "by function"],
  ] as const)("is refused, with the remedies: %s", (onError, said) => {
    const end = stream(orders).pipe(
      map(pass, { onError }),
      scan((sum, order: Order) => sum + order.total, 0),
      sink(anything),
    );
    expect(problems(end)).toEqual([
      expect.stringMatching(
        new RegExp(`^"map pass behind orders" has onError ${said} beside a foreign operator .* stateless: true`),
      ),
    ]);
  });

  it("is allowed where nothing is left behind, where the operator says that it holds nothing, and behind a change of key", () => {
    const held = scan((sum, order: Order) => sum + order.total, 0);
    expect(problems(stream(orders).pipe(map(pass, { onError: "skip" }), held, sink(anything)))).toEqual([]);
    const free = native("double", rxMap(pass), { stateless: true });
    expect(problems(stream(orders).pipe(map(pass, dead), free, sink(anything)))).toEqual([]);
    const behind = stream(orders).pipe(
      map(pass, dead),
      partitionBy((order) => order.region, { name: "byRegion" }),
      held,
      sink(anything),
    );
    expect(problems(behind)).toEqual([]);
  });

  it("is refused where only the entries of the stream have one", () => {
    const held = scan((sum, order: Order) => sum + order.total, 0);
    expect(problems(stream(orders, dead).pipe(held, sink(anything)))).toEqual([
      expect.stringContaining('"stream orders" has onError "deadLetter" beside a foreign operator'),
    ]);
  });
});

describe("operators that write letters", () => {
  it("may not have the same name, given or derived: a letter would not find its operator", () => {
    const twice = stream(orders).pipe(map(pass, dead), map(pass, dead), sink(anything));
    expect(problems(twice)).toEqual([
      'two nodes are named "orders.map": give one of them another name with { name: "…" }',
    ]);
    const given = stream(orders).pipe(
      map(pass, { ...dead, name: "enrich" }),
      filter(() => true, { ...dead, name: "enrich" }),
      sink(anything),
    );
    expect(problems(given)).toEqual([expect.stringContaining('two nodes are named "enrich"')]);
  });

  it("may not have the name of a store", () => {
    const end = stream(orders).pipe(
      map(pass, { ...dead, name: "totals" }),
      window(tumbling("1 h"), { n: count() }, { grace: "0 s", name: "totals" }),
      sink(anything),
    );
    expect(problems(end)).toEqual([expect.stringContaining('two nodes are named "totals"')]);
  });

  it("may not have the name of a stream whose entries may become letters: their letters would be the same", () => {
    const end = stream(orders, dead).pipe(map(pass, { ...dead, name: "orders" }), sink(anything));
    expect(problems(end)).toEqual([expect.stringContaining('two nodes are named "orders"')]);
  });

  it("need no name of their own where only one of them is of its kind", () => {
    const end = stream(orders, dead).pipe(
      map(pass, dead),
      filter(() => true, dead),
      sink(anything, dead),
    );
    expect(problems(end)).toEqual([]);
  });

  it("must have a usable name", () => {
    const long = topic("x".repeat(198), { codec: json(t.unknown), key: () => "" });
    const end = stream(long).pipe(
      map((value) => value, dead),
      sink(anything),
    );
    expect(problems(end)).toEqual([expect.stringContaining('give it one with { name: "…" }')]);
  });

  it("that skip may share names: nothing is kept under them", () => {
    const skip = { onError: "skip" } as const;
    expect(problems(stream(orders).pipe(map(pass, skip), map(pass, skip), sink(anything)))).toEqual([]);
  });
});

describe("two streams of one topic", () => {
  it.each([
    [{}, dead],
    [dead, { onError: "park" } as const],
    [dead, { ...dead, deadLetters: { topic: "letters" } }],
  ])("may not differ in what becomes of entries that do not decode: %j, %j", (first, second) => {
    const ends = [stream(orders, first).pipe(sink(anything)), stream(orders, second).pipe(sink(other))];
    expect(problems(...ends)).toEqual(['two streams of topic "orders" differ in onError: make one, and use it twice']);
    expect(problems(...ends.toReversed())).toEqual([
      'two streams of topic "orders" differ in onError: make one, and use it twice',
    ]);
  });

  it("may say the same", () => {
    const ends = [stream(orders, dead).pipe(sink(anything)), stream(orders, dead).pipe(sink(other))];
    expect(problems(...ends)).toEqual([]);
  });
});

describe("mapUnordered", () => {
  it("may not stand in front of what needs the records of a key in order, however far", () => {
    const end = stream(orders).pipe(
      mapUnordered(async (order: Order) => order),
      map(pass),
      window(tumbling("1 h"), { n: count() }, { grace: "0 s" }),
      sink(anything),
    );
    expect(problems(end)).toEqual([expect.stringMatching(/needs the records of a key in order.*use mapOrdered$/)]);
  });

  it("may stand behind it, or in front of a sink", () => {
    const end = stream(orders).pipe(
      window(tumbling("1 h"), { n: count() }, { grace: "0 s" }),
      mapUnordered(async (w) => w),
      sink(anything),
    );
    expect(problems(end)).toEqual([]);
  });
});
