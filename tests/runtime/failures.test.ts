import {
  DecodeError,
  EncodeError,
  HandlerError,
  json,
  map,
  mapOrdered,
  pipeline,
  sink,
  stream,
  tap,
  topic,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

describe("a record that does not decode", () => {
  const Strange = t.type({ key: t.string, n: t.union([t.number, t.string]), at: t.number });
  const loose = topic("source", { codec: json(Strange), key: (x) => x.key, timestamp: (x) => x.at, partitions: 1 });
  const values = [...sequence(70), { key: "k0", n: "not a number", at: 70_000 }, ...sequence(5)];

  it("stops its task with an error that names topic, partition, offset and path", async () => {
    const { app, send, complete } = bench();
    await send(loose, values);
    const error = await rejection(complete(app(), pipeline("copy", stream(source).pipe(sink(copy)))));
    expect(error).toBeInstanceOf(DecodeError);
    expect(error).toMatchObject({
      _tag: "DecodeError",
      code: "MR_DECODE",
      topic: "source",
      partition: 0,
      issues: [{ path: "n" }],
      raw: expect.stringContaining("not a number"),
    });
    expect((error as DecodeError).message).toMatch(/source\/0 offset \d+-\d+\/0: n: expected number, found a string/);
    expect((error as DecodeError).message).not.toContain("not a number");
  });

  it("loses nothing: what came before it is committed, it and the rest are still to be processed", async () => {
    const { app, send, complete, read, settle } = bench();
    await send(loose, values);
    const slowly = mapOrdered((item: Item) => Promise.resolve(item));
    await rejection(complete(app(), pipeline("copy", stream(source).pipe(slowly, sink(copy)))));
    expect((await read(copy)).map(({ value }) => value.n)).toEqual(sequence(70).map(({ n }) => n));

    const tolerant = pipeline(
      "copy",
      stream(loose).pipe(
        map((x) => ({ ...x, n: typeof x.n === "number" ? x.n : -1 })),
        sink(copy),
      ),
    );
    const running = await settle(app().run(tolerant));
    await settle(running.done);
    const all = (await read(copy)).map(({ value }) => value.n);
    expect(all).toEqual([...sequence(70).map(({ n }) => n), -1, ...sequence(5).map(({ n }) => n)]);
  });
});

describe("a handler that fails", () => {
  const failing = (failure: unknown) =>
    function check(item: Item): Item {
      if (item.n === 40) {
        throw failure;
      }
      return item;
    };

  it.each([
    ["an error", new RangeError("secret payload")],
    ["null", null],
    ["a string", "secret payload"],
  ])(
    "by throwing %s stops its task; the error names the operator and the record, and shows no payload",
    async (_, failure) => {
      const { app, send, complete } = bench();
      await send(source, sequence(60));
      const check = failing(failure);
      const error = await rejection(complete(app(), pipeline("copy", stream(source).pipe(map(check), sink(copy)))));
      expect(error).toBeInstanceOf(HandlerError);
      expect(error).toMatchObject({ _tag: "HandlerError", at: { topic: "source", partition: 0 } });
      expect((error as HandlerError).cause ?? null).toBe(failure);
      expect((error as HandlerError).node).toContain("map check behind source");
      expect((error as HandlerError).message).not.toContain("secret");
    },
  );

  it("lets every record in front of it commit, asks for none behind it, and is not repeated for that", async () => {
    const { app, send, complete, read } = bench();
    await send(source, sequence(60));
    const seen: number[] = [];
    const attempt = pipeline(
      "copy",
      stream(source).pipe(
        tap((item) => seen.push(item.n)),
        map(failing(new Error("no"))),
        sink(copy),
      ),
    );
    await rejection(complete(app(), attempt));
    expect((await read(copy)).map(({ value }) => value.n)).toEqual(sequence(40).map(({ n }) => n));
    expect(seen.filter((n) => n === 40)).toHaveLength(1);
    expect(Math.max(...seen)).toBe(40);

    const { length } = seen;
    await complete(app(), pipeline("copy", stream(source).pipe(sink(copy))));
    expect((await read(copy)).map(({ value }) => value.n)).toEqual(sequence(60).map(({ n }) => n));
    expect(seen).toHaveLength(length);
  });

  it("by rejecting does the same", async () => {
    const { app, send, complete, read, clock } = bench();
    await send(source, sequence(60));
    const handler = (item: Item): Promise<Item> =>
      new Promise((resolve, reject) => {
        clock.after(item.n % 7, () => (item.n === 40 ? reject(new Error("no")) : resolve(item)));
      });
    const error = await rejection(
      complete(app(), pipeline("copy", stream(source).pipe(mapOrdered(handler), sink(copy)))),
    );
    expect(error).toMatchObject({ _tag: "HandlerError", at: { topic: "source" } });
    expect((await read(copy)).map(({ value }) => value.n)).toEqual(sequence(40).map(({ n }) => n));
  });

  it("in one task lets the others finish what they have, and stops the whole app", async () => {
    const wide = items("wide", { partitions: 3 });
    const { app, send, complete, read, events } = bench();
    await send(wide, sequence(60, 7));
    const error = await rejection(
      complete(app(), pipeline("copy", stream(wide).pipe(map(failing(new Error("no"))), sink(copy)))),
    );
    expect(error).toBeInstanceOf(HandlerError);
    const values = (await read(copy)).map(({ value }) => value.n);
    expect(new Set(values).size).toBe(values.length);
    expect(events.filter(({ _tag }) => _tag === "Failed")).toHaveLength(1);
  });
});

describe("a value that its topic cannot hold", () => {
  it.each([
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["a BigInt", 1n],
    ["a function", () => 1],
  ])(
    "(%s) stops the task with an EncodeError behind the handler error, and writes nothing of that record",
    async (_, n) => {
      const { app, send, complete, read } = bench();
      await send(source, sequence(10));
      const spoil = (item: Item): Item => (item.n === 5 ? { ...item, n: n as number } : item);
      const error = await rejection(complete(app(), pipeline("copy", stream(source).pipe(map(spoil), sink(copy)))));
      expect((error as Error).cause).toBeInstanceOf(EncodeError);
      expect((await read(copy)).map(({ value }) => value.n)).toEqual([0, 1, 2, 3, 4]);
    },
  );
});
