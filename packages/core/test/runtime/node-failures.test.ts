/** What only a long life, or somebody else's hands, can do to the letters of one operator. */
import { type AppEvent, HandlerError, json } from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { NodeFailures } from "../../src/runtime/node-failures.ts";
import type { TaskOptions } from "../../src/runtime/task-options.ts";
import { decisionsOf, type OnError } from "../../src/topology/failure.ts";
import { failureTarget } from "../../src/topology/failure-target.ts";
import { type CurrentRecord, type LetterRef, NO_RECORD } from "../../src/topology/record.ts";
import { NO_UNIT, type Unit, within } from "../../src/topology/stage.ts";
import { orders } from "../support/topics.ts";

const recordOf = (key: string, letter: LetterRef | null = null): CurrentRecord => ({
  ...NO_RECORD,
  topic: "orders",
  offset: "5-0/0",
  key,
  timestamp: 1,
  letter,
});
const letterOf = (number: number): LetterRef => ({
  id: `map/0/${number}`,
  node: "map",
  number,
  isParked: true,
  at: `${number}-0/0`,
});

function failuresWith(onError: OnError, entries: readonly (readonly [string, string])[] = []) {
  const policy = { onError, decisions: decisionsOf(onError), topic: null, codec: null, mayPark: true };
  const of = { name: "map", label: "map f", codec: json(t.unknown), source: orders, group: "app.p" };
  const target = failureTarget(policy, of);
  if (target === null) {
    throw new Error("no target");
  }
  const events: AppEvent[] = [];
  const options = {
    ref: { group: "app.p", topic: { name: "orders", partitions: 1, incarnation: "i" }, partition: 0 },
    clock: { now: () => 7, after: () => () => {} },
    emit: (event: AppEvent) => events.push(event),
  } as unknown as TaskOptions;
  return { failures: new NodeFailures(target, options, entries), events };
}

/** A unit that counts what is written. */
function unitWith(outputs: unknown[]): Unit {
  return { ...NO_UNIT, output: (_to, record) => outputs.push(record) };
}

const cause = new Error("no");

describe("parked keys", () => {
  const full = Array.from({ length: 1_000 }, (_, n) => [`parked:key-${n}`, "1"] as const);

  it("are 1,000 at most: one more stops the task, and says what to do", () => {
    const { failures } = failuresWith("park", full);
    expect(() => failures.decide(cause, { record: recordOf("one more"), attempts: 1 })).toThrow(
      expect.objectContaining({
        _tag: "HandlerError",
        cause: expect.objectContaining({
          _tag: "ParkedKeysLimit",
          message: expect.stringContaining("redrive or discard"),
        }),
      }) as Error,
    );
    expect(failures.admit(recordOf("one more"))).toBeNull();
  });

  it("are no keys of entries that have none: records whose key is empty have nothing to do with them", () => {
    const { failures } = failuresWith("park");
    const foreign = { record: recordOf(""), attempts: 1, isForeign: true };
    expect(failures.decide(cause, foreign).kind).toBe("deadLetter");
    expect(failures.admit(recordOf(""))).toBeNull();
    expect(failures.decide(cause, { ...foreign, record: recordOf("k") }).kind).toBe("park");
  });

  it("that are parked already take what comes behind, and a free place is used again", () => {
    const { failures } = failuresWith("park", [...full, ["written", "1000"]]);
    expect(failures.admit(recordOf("key-3"))).toEqual({ kind: "behind" });
    const free = { ...letterOf(8), number: 8 };
    within(recordOf("key-7", free), NO_UNIT, () => failures.settle({}, null));
    expect(failures.decide(cause, { record: recordOf("one more"), attempts: 1 }).kind).toBe("park");
  });

  it("count as of what was decided, not as of what was written: several values of a key may be under way", () => {
    const { failures } = failuresWith("park");
    expect(failures.decide(cause, { record: recordOf("k"), attempts: 1 }).kind).toBe("park");
    expect(failures.admit(recordOf("k"))).toEqual({ kind: "behind" });
    expect(failures.admit(recordOf("other"))).toBeNull();
    expect(failures.book.parked.size).toBe(0);
  });
});

describe("an entry that is no record", () => {
  it("without a key parks nothing, and is a letter of its own", () => {
    const { failures } = failuresWith("park");
    expect(failures.decide(cause, { record: recordOf(""), attempts: 1, isForeign: true }).kind).toBe("deadLetter");
    expect(failures.admit(recordOf(""))).toBeNull();
    expect(failures.decide(cause, { record: recordOf("k"), attempts: 1, isForeign: true }).kind).toBe("park");
    expect(failures.admit(recordOf("k"))).toEqual({ kind: "behind" });
    expect(failures.decide(cause, { record: recordOf(""), attempts: 1 }).kind).toBe("park");
  });
});

describe("a letter", () => {
  it("that is done with twice, as when somebody has copied it, counts once", () => {
    const entries = [
      ["written", "2"],
      ["parked:k", "2"],
    ] as const;
    const { failures } = failuresWith("park", entries);
    for (let copy = 0; copy < 2; copy += 1) {
      failures.finish(letterOf(1), "k", NO_UNIT);
    }
    expect(failures.book.parked.get("k")).toBe(1);
    expect(failures.admit(recordOf("k"))).toEqual({ kind: "behind" });
    expect(failures.book.done).toBe(1);
  });

  it("that was never written is done with by nobody", () => {
    const { failures } = failuresWith("park", [["written", "2"]]);
    failures.finish(letterOf(3), "k", NO_UNIT);
    expect([failures.book.done, failures.collect().puts]).toEqual([0, []]);
  });

  it("of another operator that passes fails here like any other value", () => {
    const { failures, events } = failuresWith("deadLetter");
    const passing = recordOf("k", { ...letterOf(1), node: "another" });
    expect(failures.admit(passing)).toBeNull();
    const verdict = failures.decide(cause, { record: passing, attempts: 1 });
    expect(verdict).toEqual({ kind: "deadLetter", error: cause, attempts: 1 });
    const outputs: unknown[] = [];
    within(passing, unitWith(outputs), () => failures.settle({ n: 1 }, verdict));
    expect(outputs).toHaveLength(1);
    expect(events.map(({ _tag }) => _tag)).toEqual(["DeadLettered"]);
    within(passing, NO_UNIT, () => failures.settle({ n: 1 }, null));
    expect(failures.book.done).toBe(0);
  });

  it("whose input cannot be written stops the task instead, and leaves no trace", () => {
    const { failures, events } = failuresWith("deadLetter");
    const record = recordOf("k");
    const verdict = failures.decide(cause, { record, attempts: 1 });
    const outputs: unknown[] = [];
    const settle = (): void => within(record, unitWith(outputs), () => failures.settle({ n: Number.NaN }, verdict));
    expect(settle).toThrow(HandlerError);
    expect(settle).toThrow(/give the operator \{ deadLetters: \{ codec \} \}/);
    expect([outputs, events, failures.book.written]).toEqual([[], [], 0]);
  });
});
