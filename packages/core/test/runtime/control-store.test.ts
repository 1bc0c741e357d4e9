import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Offset } from "../../src/kernel/offset.ts";
import { answerIn, ControlStore } from "../../src/runtime/control-store.ts";
import type { Answer } from "../../src/topology/command.ts";

const at = (number: number): Offset => `${number}-0/0` as Offset;
const answer = (done: number): Answer => ({ done, remaining: 1, waiting: 2, resumed: false });

/** The store of a task, and what a commit makes of it. */
function persisted() {
  const entries = new Map<string, string>();
  const commit = (store: ControlStore): void => {
    const { store: name, puts, deletes } = store.collect();
    expect(name).toBe("!control");
    for (const [key, value] of puts) {
      entries.set(key, value);
    }
    for (const key of deletes) {
      entries.delete(key);
    }
  };
  return { entries, commit, loaded: () => new ControlStore(entries) };
}

describe("what a task remembers of what it was asked", () => {
  it("is nothing at first", () => {
    const store = new ControlStore([]);
    expect([store.handled, store.underWay, store.quarantine]).toEqual(["0-0/0", null, null]);
    expect(store.collect()).toEqual({ store: "!control", puts: [], deletes: [] });
  });

  it("is the same for whoever loads what was committed", () => {
    const { commit, loaded } = persisted();
    const first = new ControlStore([]);
    const underWay = { command: "c", written: { map: 3, "enrich 2": 0 }, done: 2 };
    first.begin(underWay);
    first.setQuarantine({ message: 'it failed: "x"', errors: [], sinceMs: 5 });
    commit(first);
    expect(loaded().underWay).toEqual(underWay);
    expect(loaded().quarantine).toEqual({ message: 'it failed: "x"', errors: [], sinceMs: 5 });

    const second = loaded();
    second.finish(at(7), "c", answer(4));
    second.setQuarantine(null);
    commit(second);
    expect([loaded().handled, loaded().underWay, loaded().quarantine]).toEqual([at(7), null, null]);
  });

  it("has the answer for whoever asked, and for nobody else", () => {
    const { entries, commit } = persisted();
    const store = new ControlStore([]);
    store.finish(at(1), "a", answer(1));
    store.finish(at(2), "b", answer(2));
    // What is no command is passed over, and answered to nobody.
    store.finish(at(3), null, null);
    commit(store);
    expect([answerIn(entries, "a"), answerIn(entries, "b"), answerIn(entries, "c")]).toEqual([
      answer(1),
      answer(2),
      null,
    ]);
    expect(answerIn(entries, "")).toBeNull();
    expect(store.handled).toBe(at(3));
  });

  it("keeps the newest 256 answers, also over restarts", () => {
    const count = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(count, fc.nat({ max: 600 }), (commands, restartAt) => {
        const { entries, commit, loaded } = persisted();
        let store = new ControlStore([]);
        for (let n = 0; n < commands; n += 1) {
          store.finish(at(n + 1), `c${n}`, answer(n));
          commit(store);
          store = n === restartAt ? loaded() : store;
        }
        const kept = Array.from({ length: commands }, (_, n) => n).filter((n) => answerIn(entries, `c${n}`) !== null);
        expect(kept).toEqual(Array.from({ length: Math.min(256, commands) }, (_, n) => commands - kept.length + n));
      }),
    );
  });

  it("hands a change over once, and of several changes of one thing the last", () => {
    const store = new ControlStore([]);
    store.setQuarantine({ message: "first", errors: [], sinceMs: 1 });
    store.setQuarantine(null);
    expect(store.collect()).toEqual({ store: "!control", puts: [], deletes: ["quarantine"] });
    expect(store.collect()).toEqual({ store: "!control", puts: [], deletes: [] });
  });
});
