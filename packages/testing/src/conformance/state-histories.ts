import type { DuePage, DueRange, StateDelta, StatePut } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateOf } from "./contents.ts";
import { ok } from "./outcome.ts";
import { commitOf } from "./requests.ts";
import { useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** Few, so that histories come back to them; their order in UTF-8 is not that of their UTF-16 units. */
const KEYS = ["", "a", "aa", "b", "é", "\uE000", "🚂"];

/** Few, so that many entries are due at once. */
const anyTime = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) },
);

/** A change of one key: a put with a due time, without one, or with none from now on; or a delete. */
const anyChange = fc.record({
  key: fc.constantFrom(...KEYS),
  dueMs: fc.option(fc.option(anyTime, { nil: null, freq: 4 }), { nil: undefined, freq: 4 }),
  isDelete: fc.boolean(),
});

const anyStep = fc.record({
  changes: fc.uniqueArray(anyChange, { selector: ({ key }) => key, maxLength: 5 }),
  range: fc.record({ fromMs: anyTime, untilMs: anyTime, limit: fc.integer({ min: 1, max: 4 }) }),
});

interface ModelEntry {
  readonly key: string;
  readonly value: string;
  readonly dueMs: number | null;
}

/** The port's docstrings as a program. */
class Model {
  readonly entries = new Map<string, ModelEntry>();

  apply({ puts, deletes }: StateDelta): void {
    for (const [key, value, dueMs] of puts) {
      this.entries.set(key, {
        key,
        value,
        dueMs: dueMs === undefined ? (this.entries.get(key)?.dueMs ?? null) : dueMs,
      });
    }
    for (const key of deletes) {
      this.entries.delete(key);
    }
  }

  values(keys: readonly string[]): readonly (string | null)[] {
    return keys.map((key) => this.entries.get(key)?.value ?? null);
  }

  due({ fromMs, untilMs, limit }: DueRange): DuePage {
    const behind = [...this.entries.values()]
      .flatMap(({ key, value, dueMs }) => (dueMs === null || dueMs < fromMs ? [] : [[key, value, dueMs] as const]))
      .toSorted(([a, , aMs], [b, , bMs]) =>
        aMs === bMs ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : Number(aMs > bMs) - 0.5,
      );
    const entries = behind.filter(([, , dueMs]) => dueMs <= untilMs).slice(0, limit);
    return { entries, nextMs: behind[entries.length]?.[2] ?? null };
  }
}

/** Commits of any changes, and reads between them, against a model. */
export function describeStateHistories(spec: PortsConformance): void {
  describe("a state store with any history", () => {
    const rig = useRig(spec);

    it("holds what its commits say", async () => {
      const property = fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), async (steps) => {
        const { tasks, state } = rig.ports;
        const task = await rig.task();
        const owner = await ok(tasks.acquire(task, 1));
        const model = new Model();
        for (const [sequence, { changes, range }] of steps.entries()) {
          const puts = changes
            .filter(({ isDelete }) => !isDelete)
            .map(({ key, dueMs }): StatePut => {
              const value = `${sequence}`;
              return dueMs === undefined ? [key, value] : [key, value, dueMs];
            });
          const deletes = changes.filter(({ isDelete }) => isDelete).map(({ key }) => key);
          const delta = { store: "s", puts, deletes };
          await ok(tasks.commit(commitOf(task, owner, { sequence, state: [delta] })));
          model.apply(delta);
          expect(await ok(state.due(task, "s", range))).toEqual(model.due(range));
          expect(await ok(state.get(task, "s", KEYS))).toEqual(model.values(KEYS));
        }
        const values = [...model.entries.values()].map(({ key, value }) => [key, value] as const);
        expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(values));
      });
      await fc.assert(property, { numRuns: 100 });
    });
  });
}
