import { EncodeError, MillraceError } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";

const source = items("source", { partitions: 3 });

describe("a producer", () => {
  it("stores each value once and in order for each key, though replies are lost and calls refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_500 }), fc.integer(), async (count, seed) => {
        const { app, adapter, settle, read } = bench();
        const loader = app("loader", { adapter: faultyAdapter(adapter, { seed, rate: 0.2 }) });
        const open = async (): ReturnType<typeof loader.producer<Item>> => {
          for (;;) {
            try {
              return await loader.producer(source);
            } catch {
              // Opening meets faults too.
            }
          }
        };
        const producer = await settle(open());
        expect(await settle(producer.sendAll(sequence(count, 11)))).toBe(count);
        await settle(producer.end());
        const records = await read(source);
        expect(records.map(({ value }) => value.n).toSorted((a, b) => a - b)).toEqual(
          sequence(count).map(({ n }) => n),
        );
        for (const key of new Set(records.map((record) => record.key))) {
          const numbers = records.filter((record) => record.key === key).map(({ value }) => value.n);
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("stores values of one key in the order of the calls, also of calls that had to wait for room", async () => {
    const { app, settle, read } = bench();
    const one = items("one", { partitions: 1 });
    const producer = await settle(app("loader").producer(one));
    const sent: Promise<void>[] = [];
    for (let n = 0; n < 10_050; n++) {
      sent.push(producer.send({ key: "k", n, at: 0 }));
    }
    // Goes when room has just come: it must not overtake those that wait.
    const late = sent[0]?.then(() => producer.send({ key: "k", n: 10_050, at: 0 }));
    await settle(Promise.all([...sent, late]));
    expect((await read(one)).map(({ value }) => value.n)).toEqual(Array.from({ length: 10_051 }, (_, n) => n));
  });

  it("with an id appends only what is missing when its program sends the whole input again", async () => {
    const { send, read } = bench();
    await send(source, sequence(100), { id: "loader", end: false });
    await send(source, sequence(250), { id: "loader", end: false });
    await send(source, sequence(250), { id: "loader" });
    await send(source, sequence(250), { id: "loader" });
    expect((await read(source)).map(({ value }) => value.n).toSorted((a, b) => a - b)).toEqual(
      sequence(250).map(({ n }) => n),
    );
  });

  it("without an id is a stranger to every other", async () => {
    const { send, read } = bench();
    await send(source, sequence(10), { end: false });
    await send(source, sequence(10), { end: false });
    expect(await read(source)).toHaveLength(20);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["NaN", { key: "k", n: Number.NaN, at: 0 }],
    ["a BigInt", { key: "k", n: 1n, at: 0 }],
    ["a function", { key: "k", n: () => 1, at: 0 }],
    ["a property that is missing", { key: "k", n: undefined, at: 0 }],
    ["a value over the size limit", { key: "k", n: 1, at: 0, text: "x".repeat(1_048_577) }],
    ["a key that is no string", { key: 7, n: 1, at: 0 }],
    ["an event time that is none", { key: "k", n: 1, at: Number.NaN }],
    ["an event time out of range", { key: "k", n: 1, at: 1e18 }],
    [
      "a cycle",
      (() => {
        const value: Record<string, unknown> = { key: "k", n: 1, at: 0 };
        value["self"] = value;
        return value;
      })(),
    ],
  ])("refuses %s with a typed error, stores nothing of it, and goes on", async (_name, value) => {
    const { app, settle, read } = bench();
    const producer = await settle(app("loader").producer(source));
    const error = await rejection(producer.send(value as Item));
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({ _tag: "EncodeError", code: "MR_ENCODE" });
    await settle(producer.send({ key: "k", n: 1, at: 0 }));
    expect(await read(source)).toHaveLength(1);
  });

  it("that is given a bad value in the middle of many has stored those in front of it", async () => {
    const { app, settle, read } = bench();
    const producer = await settle(app("loader").producer(source));
    const values = sequence(30).map((item) => (item.n === 20 ? { ...item, n: Number.NaN } : item));
    expect(await settle(rejection(producer.sendAll(values)))).toBeInstanceOf(EncodeError);
    expect(await read(source)).toHaveLength(20);
  });

  it("that ended its topic has ended it for all: later sends are refused, and nothing is stored", async () => {
    const { app, settle, send, read } = bench();
    await send(source, sequence(5));
    const producer = await settle(app("loader").producer(source));
    const sent = rejection(producer.send({ key: "k", n: 1, at: 0 }));
    expect(await settle(sent)).toMatchObject({ _tag: "TopicSealed", code: "MR_TOPIC_SEALED" });
    expect(await read(source)).toHaveLength(5);
  });

  it("that is closed refuses to send", async () => {
    const { app, settle } = bench();
    const producer = await settle(app("loader").producer(source));
    await settle(producer.close());
    expect(await rejection(producer.send({ key: "k", n: 1, at: 0 }))).toMatchObject({ _tag: "Closed" });
  });

  it("that waits for room gives up when its signal aborts", async () => {
    const { app, settle, clock } = bench();
    const given = new AbortController();
    const narrow = items("narrow", { partitions: 1 });
    const producer = await settle(app("loader").producer(narrow, { signal: given.signal }));
    const value = { key: "x".repeat(60_000), n: 1, at: 0 };
    const sent = rejection(producer.sendAll(Array.from({ length: 1_000 }, () => value)));
    await clock.advance(1_000);
    given.abort();
    expect(await settle(sent)).toMatchObject({ _tag: "Closed" });
  });

  it.each(["", "a b", "{x}", "x".repeat(201)])("refuses %j as its id", async (id) => {
    const { app, settle } = bench();
    expect(await settle(rejection(app("loader").producer(source, { id })))).toMatchObject({ _tag: "InvalidName" });
  });
});
