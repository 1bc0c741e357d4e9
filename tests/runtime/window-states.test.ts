/** What windows, aggregates and deduplicate make of what lies in their stores: rubbish, and states of an earlier release. */
import {
  aggregate,
  type Codec,
  count,
  deduplicate,
  map,
  type Pipeline,
  pipeline,
  type StateOptions,
  session,
  sink,
  stream,
  tumbling,
  type WindowSpec,
  window,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";
import { type Corruption, corruptState } from "./support/corrupt-state.ts";
import { at, counted, failure, readings, rows, runUntil, texts, watched, windowed } from "./support/window-bench.ts";
import { pick } from "./support/workers.ts";

describe("what lies in a store and is no state", () => {
  const running = {
    tumbling: counted(count()),
    session: counted(count(), { spec: session("10 s") }),
    aggregate: pipeline(
      "windowed",
      stream(readings).pipe(
        aggregate({ n: count() }, { name: "per-ten" }),
        map(() => at(0)),
        sink(items("told")),
      ),
    ),
    deduplicate: pipeline(
      "windowed",
      stream(readings).pipe(
        deduplicate(({ n }: Item) => String(n), { within: "1 h", name: "per-ten" }),
        sink(items("told")),
      ),
    ),
  } as const;
  const key = { tumbling: "0:a", session: "a", aggregate: "a", deduplicate: "1:a1" };

  it.each([
    ...(["tumbling", "session", "aggregate", "deduplicate"] as const).flatMap((kind) =>
      ["", "secret-rubbish", '{"secret":1}', "[]", '["secret"]', '[1,"secret"]', "null"].map(
        (text) => [kind, text] as const,
      ),
    ),
    ...(["tumbling", "session", "aggregate"] as const).map((kind) => [kind, '7:[1,{"n":1}]'] as const),
  ])("stops the task with the store and the key, and no payload: %s, %j", async (kind, text) => {
    for (const maxStateBytes of [1e6, 1]) {
      const top = bench();
      await top.send(readings, [at(1)], { end: false });
      await runUntil(top, running[kind], 1);
      const corrupt: Corruption = () => text;
      const adapter = corruptState(top.adapter, corrupt);
      await top.send(readings, [at(1)]);
      const error = await failure(top, running[kind], { adapter, limits: { maxStateBytes } });
      expect(error).toMatchObject({ _tag: "DecodeError" });
      const { message } = error as Error;
      expect(message).toMatch(/^store "(windowed\.)?per-ten": the state of ".*" does not decode: /);
      expect(message).toContain(JSON.stringify(key[kind]));
      expect(`${message} ${String((error as Error).cause)}`).not.toContain("secret");
    }
  });

  it("says which version wrote it when that is a newer one", async () => {
    const top = bench();
    await top.send(readings, [at(1)], { end: false });
    await runUntil(top, running.tumbling, 1);
    const adapter = corruptState(top.adapter, (_key, value) => `7:${value}`);
    expect(await failure(top, running.tumbling, { adapter })).toMatchObject({
      message:
        'store "per-ten": the state of "0:a" does not decode: it was written by version 7, and this is version 1',
    });
  });

  it("is tried again with pauses", async () => {
    const top = bench();
    await top.send(readings, [at(1)], { end: false });
    await runUntil(top, running.tumbling, 1);
    const adapter = corruptState(top.adapter, () => "rubbish");
    await failure(top, running.tumbling, { adapter, restart: { attempts: 2, backoff: "1 s" } });
    expect(pick(top.events, "Restarting").map(({ pauseMs }) => pauseMs >= 500)).toEqual([true, true]);
  });
});

describe("states of an earlier version", () => {
  const doubled = (states: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
    n: 100 * Number(states["n"]),
  });

  it.each<readonly [WindowSpec, readonly string[]]>([
    [tumbling("10 s"), ['a 0-10 {"n":201}', 'b 0-10 {"n":100}', 'c 0-10 {"n":1}']],
    [session("10 s"), ['b 2-2.001 {"n":100}', 'a 1-4.001 {"n":201}', 'c 4-4.001 {"n":1}']],
  ])("are migrated once, over a restart and a second one ($kind)", async (spec, expected) => {
    const top = bench();
    const migrations: number[] = [];
    const migrate = (states: Readonly<Record<string, unknown>>, version: number): Readonly<Record<string, unknown>> => {
      migrations.push(version);
      return doubled(states);
    };
    const second = (): Pipeline => counted(count(), { spec, state: { version: 2, migrate } });
    await top.send(readings, [at(1), at(1), at(2, "b")], { end: false });
    await runUntil(top, counted(count(), { spec }), 3);
    await top.send(readings, [at(4)], { end: false });
    await runUntil(top, second(), 4);
    await top.send(readings, [at(4, "c")]);
    await top.complete(top.app(), second());
    expect(texts(await top.read(rows))).toEqual(expected);
    expect(new Set(migrations)).toEqual(new Set([1]));
  });

  it("of running aggregates are migrated, from the text of a codec that nobody knows any more", async () => {
    const top = bench();
    const told: number[] = [];
    const plan = (state: StateOptions): Pipeline =>
      pipeline(
        "p",
        stream(readings).pipe(
          aggregate({ n: count() }, { name: "totals", state }),
          map(({ value }) => {
            told.push(value.n);
            return at(0);
          }),
          sink(items("told")),
        ),
      );
    const codec: Codec<Readonly<Record<string, unknown>>> = {
      name: "text",
      encode: ({ n }) => E.right(`n is ${String(n)}`),
      decode: (text) => E.right({ n: Number(text.slice(5)) }),
    };
    await top.send(readings, [at(1), at(2)], { end: false });
    await runUntil(top, plan({ codec }), 2);
    await top.send(readings, [at(3)]);
    const migrate = ({ text }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
      n: 1_000 + Number(String(text).slice(5)),
    });
    await top.complete(top.app(), plan({ version: 2, migrate }));
    expect(told).toEqual([1, 2, 1_003]);
  });

  it.each<readonly [string, StateOptions["migrate"], RegExp]>([
    [
      "throws",
      () => {
        throw new Error("no way from 1");
      },
      /^store "per-ten": the state of "0:a" does not decode: no way from 1$/,
    ],
    ["leaves an aggregate out", () => ({}), /the state of "0:a" does not decode: it has no state of n$/],
    ["returns nothing", () => undefined as never, /the state of "0:a" does not decode: it has no state of n$/],
  ])("fail with the store and the key when migrate %s", async (_what, migrate, message) => {
    const top = bench();
    await top.send(readings, [at(1)], { end: false });
    await runUntil(top, counted(count()), 1);
    const error = await failure(top, counted(count(), { state: { version: 2, ...(migrate && { migrate }) } }));
    expect(error).toMatchObject({ _tag: "DecodeError", message: expect.stringMatching(message) as string });
  });
});

describe("windows whose grace a later release has changed", () => {
  const plan = (grace: "0 s" | "20 s"): Pipeline => windowed(window(tumbling("10 s"), { n: count() }, { grace }));

  it("close at their new time when it was raised, and are not read for ever", async () => {
    const top = bench();
    const many = Array.from({ length: 1_300 }, (_, i) => at(1, `k${i}`));
    await top.send(readings, many, { end: false });
    await runUntil(top, plan("0 s"), many.length);
    const seen = watched(top, rows);
    let reads = 0;
    const adapter = corruptState(
      top.adapter,
      (_key, value) => value,
      () => {
        reads += 1;
        if (reads > 200) {
          throw new Error("reads for ever");
        }
      },
    );
    const app = top.app("app", { adapter, limits: { maxStateBytes: 1 } });
    const running = await top.settle(app.run(plan("20 s")));
    await top.send(readings, [at(15)], { end: false });
    await top.caughtUp(running, many.length + 1);
    expect(seen).toEqual([]);
    await top.send(readings, [at(60)]);
    await top.settle(running.done);
    expect(await top.read(rows)).toHaveLength(many.length + 2);
  });

  it("close at once when it was lowered", async () => {
    const top = bench();
    const many = Array.from({ length: 1_300 }, (_, i) => at(1, `k${i}`));
    await top.send(readings, many, { end: false });
    await runUntil(top, plan("20 s"), many.length);
    const seen = watched(top, rows);
    const running = await top.settle(top.app("app", { limits: { maxStateBytes: 1 } }).run(plan("0 s")));
    await top.send(readings, [at(15)], { end: false });
    await top.caughtUp(running, many.length + 1);
    await top.clock.advance(3_000);
    expect(seen).toHaveLength(many.length);
    await top.settle(running.stop());
  });
});
