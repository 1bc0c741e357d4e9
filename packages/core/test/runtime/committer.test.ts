import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { BEFORE_FIRST, type Offset, offsetOf } from "../../src/kernel/offset.ts";
import { START_OF_TIME } from "../../src/kernel/task-time.ts";
import type { TopicInfo } from "../../src/ports/log.ts";
import type { Commit, StateDelta, StatePut } from "../../src/ports/tasks.ts";
import { Committer } from "../../src/runtime/committer.ts";
import { TaskUnit } from "../../src/runtime/task-unit.ts";

const topic: TopicInfo = { name: "t", partitions: 1, incarnation: "i" };
const at = (index: number): Offset => offsetOf(`${index + 1}-0`, 0);

/** What one unit does. */
interface Work {
  readonly deltas?: readonly StateDelta[];
  /** What its sink was told of event time (ms). */
  readonly watermarkMs?: number;
}

/** A committer with one sink whose commits are answered one by one. */
function committing() {
  const sent: Commit[] = [];
  const answers: (() => void)[] = [];
  const failures: unknown[] = [];
  const committer = new Committer({
    task: { group: "g", topic, partition: 0 },
    ownership: { nonce: "n", sequence: 0, offset: BEFORE_FIRST, processed: 0, time: null, quietMs: 0 },
    writer: "w",
    sinkTopics: [topic],
    send: (commit) => {
      sent.push(commit);
      return new Promise((resolve) => answers.push(() => resolve(E.right("applied"))));
    },
    applied: () => {},
    failed: (error) => failures.push(error),
  });
  let index = 0;
  /** Opens a unit of one record; the result settles it. */
  const open = ({ deltas = [], watermarkMs }: Work = {}): (() => void) => {
    const unit = new TaskUnit(
      { index, openedAtMs: 0 },
      {
        route: () => ({ topic, partition: 0 }),
        owners: new Map(),
        settled: () => committer.kick(),
        parked: () => {},
        held: () => {},
      },
    );
    committer.add(unit);
    unit.records = 1;
    unit.deltas.push(...deltas);
    if (watermarkMs !== undefined) {
      unit.sinkWatermarks.set(0, watermarkMs);
    }
    unit.closed = { offset: at(index), processed: index + 1, time: START_OF_TIME, isInactive: false };
    index += 1;
    return () => unit.release();
  };
  return {
    committer,
    sent,
    failures,
    open,
    /** Answers the commit that is under way. */
    answer: async (): Promise<void> => {
      answers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe("the commits of a task", () => {
  it("go one at a time, in the order of units, each with the next sequence; what settles meanwhile goes together", async () => {
    const { sent, open, answer } = committing();
    const [first, second, third, fourth] = [open(), open(), open(), open()];
    first();
    third();
    fourth();
    expect(sent).toHaveLength(1);
    second();
    expect(sent).toHaveLength(1);
    await answer();
    await answer();
    expect(sent.map(({ sequence, offset }) => [sequence, offset])).toEqual([
      [0, at(0)],
      [1, at(3)],
    ]);
  });

  it("end with the task: what has settled behind the one that is under way is not sent any more (H9)", async () => {
    const { committer, sent, open, answer } = committing();
    open()();
    open()();
    committer.close();
    await answer();
    expect(sent.map(({ offset }) => offset)).toEqual([at(0)]);
  });

  it("promise of event time what their own units have reached, and nothing of those behind them", async () => {
    const { sent, open, answer } = committing();
    const first = open({ watermarkMs: 10 });
    const second = open({ watermarkMs: 20 });
    first();
    await answer();
    expect(sent[0]?.watermarks).toEqual([{ topic, writer: "w", watermarkMs: 10 }]);
    second();
    expect(sent[1]?.watermarks).toEqual([{ topic, writer: "w", watermarkMs: 20 }]);
  });

  it("that hold several units have the state that one commit for each would have left, due times included", async () => {
    const key = fc.constantFrom("a", "b");
    const due = fc.option(fc.option(fc.nat({ max: 3 })), { nil: undefined });
    const put = fc
      .tuple(key, fc.constantFrom("1", "2"), due)
      .map(([k, v, dueMs]): StatePut => (dueMs === undefined ? [k, v] : [k, v, dueMs]));
    const delta = fc
      .record({ puts: fc.uniqueArray(put, { selector: ([k]) => k }), gone: fc.uniqueArray(key) })
      .map(({ puts, gone }): StateDelta => {
        const deletes = gone.filter((k) => !puts.some(([of]) => of === k));
        return { store: "s", puts, deletes };
      });
    await fc.assert(
      fc.asyncProperty(fc.array(delta, { minLength: 2, maxLength: 5 }), async (deltas) => {
        const { sent, open, answer } = committing();
        open()();
        for (const each of deltas) {
          open({ deltas: [each] })();
        }
        await answer();
        expect(stored(sent[1]?.state ?? [])).toEqual(stored(deltas));
      }),
    );
  });
});

/** What commits leave in a store: values and due times, by key. */
function stored(deltas: readonly StateDelta[]): ReadonlyMap<string, readonly [value: string, dueMs: number | null]> {
  const entries = new Map<string, readonly [value: string, dueMs: number | null]>([["a", ["0", 7]]]);
  for (const { puts, deletes } of deltas) {
    for (const [key, value, dueMs] of puts) {
      entries.set(key, [value, dueMs === undefined ? (entries.get(key)?.[1] ?? null) : dueMs]);
    }
    for (const key of deletes) {
      entries.delete(key);
    }
  }
  return entries;
}
