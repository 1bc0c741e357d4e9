import {
  count,
  filter,
  json,
  type MillraceError,
  map,
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
import { describe, expect, it } from "vitest";
import { BAD_NAMES } from "../support/bad-names.ts";
import { anything, type Order, orders } from "../support/topics.ts";

const keyless = topic("keyless", { codec: json(t.type({ region: t.string })), key: null });
const hourly = window(tumbling("1 h"), { n: count() }, { grace: "0 s" });

/** Passes for a stream that ends in a sink, as a program without types could pass anything. */
const cast = (plan: Stream<unknown>): Stream<Sunk> => plan as Stream<Sunk>;

/** What is wrong with a pipeline of these ends, a problem a line. */
function problems(...ends: readonly Stream<unknown>[]): readonly string[] {
  try {
    pipeline("p", ...(ends as readonly [Stream<Sunk>, ...Stream<Sunk>[]]));
  } catch (error) {
    const { code, message } = error as MillraceError;
    const [title, ...lines] = message.split("\n  - ");
    if (code === "MR_INVALID_PIPELINE" && title === 'pipeline "p" cannot run:') {
      return lines;
    }
    throw error;
  }
  return [];
}

describe("a pipeline", () => {
  it("runs when every stream ends in a sink and every node that needs a key has one", () => {
    expect(
      problems(
        stream(orders).pipe(
          filter((order) => order.total > 0),
          hourly,
          sink(anything),
        ),
      ),
    ).toEqual([]);
  });

  it.each(BAD_NAMES)("refuses %s as its name", (_what, name) => {
    const end = stream(orders).pipe(sink(anything));
    expect(() => pipeline(name as string, end)).toThrow(expect.objectContaining({ _tag: "InvalidName" }) as Error);
  });

  it("refuses to have no streams", () => {
    expect(problems()).toEqual(["it has no sink: end a stream with sink(topic)"]);
  });

  it("refuses a stream without a sink, by the name of its last node", () => {
    expect(problems(stream(orders))).toEqual(['"stream orders" is the end of a stream: end it with sink(topic)']);
    expect(
      problems(
        stream(orders).pipe(
          filter(function isPaid() {
            return true;
          }),
        ),
      ),
    ).toEqual(['"filter isPaid behind orders" is the end of a stream: end it with sink(topic)']);
  });

  it("refuses an operator behind a sink", () => {
    const sunk = stream(orders).pipe(sink(anything)) as Stream<unknown>;
    const behind = sunk.pipe(
      map((value) => value),
      sink(anything),
    );
    expect(problems(behind)).toEqual([
      '"map behind orders" stands behind "sink behind orders": a sink ends the stream',
    ]);
  });

  it("refuses two nodes with one name, derived or given", () => {
    const source = stream(orders);
    const two = [source.pipe(hourly, sink(anything)), source.pipe(hourly, sink(anything))];
    expect(problems(...two)).toEqual([
      'two nodes are named "orders.window": give one of them another name with { name: "…" }',
    ]);
    const named = window<Order, { n: number }>(tumbling("1 h"), { n: count() }, { grace: "0 s", name: "mine" });
    const same = partitionBy<Order>((order) => order.region, { name: "mine" });
    expect(problems(source.pipe(named, sink(anything)), source.pipe(same, sink(anything)))).toEqual([
      'two nodes are named "mine": give one of them another name with { name: "…" }',
    ]);
  });

  it("takes one node for one, however many streams go through it", () => {
    const windowed = stream(orders).pipe(hourly);
    const twice = [
      windowed.pipe(sink(anything)),
      windowed.pipe(
        map((result) => result.key),
        sink(anything),
      ),
    ];
    expect(problems(...twice)).toEqual([]);
  });

  it("refuses a window of a topic without a key", () => {
    expect(problems(stream(keyless).pipe(hourly, sink(anything)))).toEqual([
      '"window keyless.window" needs a key: give topic "keyless" one, or say { by: … }',
    ]);
  });

  it("finds the key that a window needs in its own by, or in a partitionBy in front of it", () => {
    const by = window<{ region: string }, { n: number }>(
      tumbling("1 h"),
      { n: count() },
      { grace: "0 s", by: ({ region }) => region },
    );
    const rekeyed = stream(keyless).pipe(partitionBy(({ region }) => region));
    expect(problems(stream(keyless).pipe(by, sink(anything)))).toEqual([]);
    expect(problems(rekeyed.pipe(hourly, sink(anything)))).toEqual([]);
    expect(
      problems(
        rekeyed.pipe(
          map((value) => value),
          hourly,
          sink(anything),
        ),
      ),
    ).toEqual([]);
  });

  it("refuses two declarations of one topic, read or written", () => {
    const again = topic("orders", { codec: json(t.unknown), key: null });
    const problem = ['two declarations of topic "orders": declare it once and use that'];
    expect(problems(stream(orders).pipe(sink(anything)), stream(again).pipe(sink(anything)))).toEqual(problem);
    expect(problems(stream(orders).pipe(sink(anything)), stream(keyless).pipe(sink(again)))).toEqual(problem);
  });

  it("refuses to write the topic that the same stream reads", () => {
    expect(
      problems(
        stream(orders).pipe(
          filter((order) => order.total > 0),
          sink(orders),
        ),
      ),
    ).toEqual(['"sink behind orders" writes what its own stream "orders" is made from']);
  });

  it("refuses circles of any length, also through a change of key", () => {
    const there = topic("there", { codec: json(t.unknown), key: () => "k" });
    expect(problems(stream(orders).pipe(hourly, sink(there)), stream(there).pipe(sink(anything)))).toEqual([]);
    const circle = problems(
      stream(there).pipe(
        partitionBy(() => "other"),
        sink(anything),
      ),
      stream(anything).pipe(sink(there)),
    );
    expect(circle).toHaveLength(2);
    expect(circle[0]).toContain('writes what its own stream "there" is made from');
  });

  it("refuses a derived name that is too long for a topic or a store", () => {
    const long = topic("a".repeat(196), { codec: json(t.string), key: (value) => value });
    expect(problems(stream(long).pipe(hourly, sink(anything)))).toEqual([
      `"window ${long.name}.window" has no usable name: use 1 to 200 letters, digits, '.', '_' or '-', beginning with a letter or a digit, and give it one with { name: "…" }`,
    ]);
  });

  it("lists every problem at once, each with its node", () => {
    const source = stream(keyless);
    const twice = source.pipe(hourly);
    const again = topic("anything", { codec: json(t.unknown), key: null });
    const found = problems(
      cast(twice),
      source.pipe(hourly, sink(anything)),
      source.pipe(sink(keyless)),
      stream(orders).pipe(sink(again)),
    );
    expect(found).toEqual([
      '"window keyless.window" is the end of a stream: end it with sink(topic)',
      '"window keyless.window" needs a key: give topic "keyless" one, or say { by: … }',
      '"window keyless.window" needs a key: give topic "keyless" one, or say { by: … }',
      'two declarations of topic "anything": declare it once and use that',
      'two nodes are named "keyless.window": give one of them another name with { name: "…" }',
      '"sink behind keyless" writes what its own stream "keyless" is made from',
    ]);
  });
});
