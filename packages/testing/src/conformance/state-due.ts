import type { StateDelta, TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { stateOf } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { commitOf } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import { deletes, dueIn, puts, timed, write } from "./state-writes.ts";
import type { PortsConformance } from "./target.ts";

const NOTHING = { entries: [], nextMs: null };

/** The latest time that a Date has, and the latest whole number that is surely kept. */
const LATEST_MS = 8.64e15;

/** `StateStore.due`, and the due times of commits. */
export function describeStateDue(spec: PortsConformance): void {
  describe("due times in a state store", () => {
    const rig = useRig(spec);

    /** A task whose store "s" was changed by these deltas, one commit each. */
    async function changed(...deltas: readonly StateDelta[]): Promise<TaskRef> {
      const task = await rig.task();
      for (const delta of deltas) {
        await write(rig.ports, task, delta);
      }
      return task;
    }

    it("are none before the first commit, and none of entries without", async () => {
      const task = await rig.task();
      expect(await dueIn(rig.ports, task, "s")).toEqual(NOTHING);
      await write(rig.ports, task, puts("s", { a: "1" }), timed("s", ["b", "2", null]));
      expect(await dueIn(rig.ports, task, "s")).toEqual(NOTHING);
    });

    it("order the entries, and keys by their UTF-8 bytes do where times are equal", async () => {
      const ties = ["", "B", "a", "aa", "b", "é", "\uE000", "\uFFFF", "🚂", "\u{10FFFF}"];
      const shuffled = [...ties].toSorted((a, b) => b.length - a.length || (a < b ? 1 : -1));
      const task = await changed(
        timed("s", ["last", "v", 11], ...shuffled.map((key) => [key, `of ${key}`, 10] as const), ["first", "v", 9]),
      );
      const expected = [["first", "v", 9], ...ties.map((key) => [key, `of ${key}`, 10]), ["last", "v", 11]];
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: expected, nextMs: null });
    });

    it("are found in a range with both of its bounds, and tell what comes next, beyond it too", async () => {
      const [a, b, c, d] = [
        ["a", "1", -5],
        ["b", "2", 0],
        ["c", "3", 5],
        ["d", "4", 9],
      ] as const;
      const task = await changed(timed("s", a, b, c, d));
      const due = (fromMs: number, untilMs: number): Promise<unknown> =>
        dueIn(rig.ports, task, "s", { fromMs, untilMs });
      expect(await due(-5, 5)).toEqual({ entries: [a, b, c], nextMs: 9 });
      expect(await due(-4, 4)).toEqual({ entries: [b], nextMs: 5 });
      expect(await due(0, 0)).toEqual({ entries: [b], nextMs: 5 });
      expect(await due(1, 4)).toEqual({ entries: [], nextMs: 5 });
      expect(await due(5, 1e15)).toEqual({ entries: [c, d], nextMs: null });
      expect(await due(10, 1e15)).toEqual(NOTHING);
      expect(await due(-100, -50)).toEqual({ entries: [], nextMs: -5 });
      expect(await due(1, -100)).toEqual({ entries: [], nextMs: 5 });
    });

    it("come at most as many as asked for, and tell what comes next, at the same time too", async () => {
      const [a, b, c, d] = [
        ["a", "1", 5],
        ["b", "2", 5],
        ["c", "3", 5],
        ["d", "4", 7],
      ] as const;
      const task = await changed(timed("s", a, b, c, d));
      const due = (limit: number, untilMs = 7): Promise<unknown> =>
        dueIn(rig.ports, task, "s", { fromMs: 0, untilMs, limit });
      expect(await due(1)).toEqual({ entries: [a], nextMs: 5 });
      expect(await due(2)).toEqual({ entries: [a, b], nextMs: 5 });
      expect(await due(3)).toEqual({ entries: [a, b, c], nextMs: 7 });
      expect(await due(3, 6)).toEqual({ entries: [a, b, c], nextMs: 7 });
      expect(await due(4, 6)).toEqual({ entries: [a, b, c], nextMs: 7 });
      expect(await due(4)).toEqual({ entries: [a, b, c, d], nextMs: null });
    });

    it("may be infinite, and are exact up to the end of all dates and beyond", async () => {
      const times = [Number.NEGATIVE_INFINITY, -LATEST_MS, -1, 0, 1_700_000_000_123, LATEST_MS - 1, LATEST_MS];
      times.push(
        LATEST_MS + 86_400_001,
        Number.MAX_SAFE_INTEGER - 1,
        Number.MAX_SAFE_INTEGER,
        Number.POSITIVE_INFINITY,
      );
      const entries = times.map((dueMs, n) => [`${n}`, "v", dueMs] as const);
      const task = await changed(timed("s", ...entries));
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries, nextMs: null });
      for (const [n, dueMs] of times.entries()) {
        const range = { fromMs: dueMs, untilMs: dueMs };
        const next = { entries: [entries[n]], nextMs: times[n + 1] ?? null };
        expect(await dueIn(rig.ports, task, "s", range)).toEqual(next);
      }
    });

    it("stay as they are with a put that says nothing of them, change, and go", async () => {
      const task = await changed(timed("s", ["a", "1", 5], ["b", "1", 6], ["c", "1", 7], ["d", "1"]));
      await write(rig.ports, task, timed("s", ["a", "2"], ["b", "2", 8], ["c", "2", null], ["d", "2", -1]));
      const entries = [
        ["d", "2", -1],
        ["a", "2", 5],
        ["b", "2", 8],
      ];
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries, nextMs: null });
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(["a", "b", "c", "d"].map((key) => [key, "2"])));
    });

    it("go with their entries, and do not come back with them", async () => {
      const task = await changed(timed("s", ["a", "1", 5], ["b", "1", 6], ["c", "1", 7]), deletes("s", "a", "b"));
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: [["c", "1", 7]], nextMs: null });
      await write(rig.ports, task, timed("s", ["a", "2"], ["b", "2", 9]));
      const entries = [
        ["c", "1", 7],
        ["b", "2", 9],
      ];
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries, nextMs: null });
      await write(rig.ports, task, deletes("s", "a", "b", "c"));
      expect(await dueIn(rig.ports, task, "s")).toEqual(NOTHING);
    });

    it("change in one commit together with those of other stores", async () => {
      const task = await rig.task();
      const [plain, both] = [puts("plain", { p: "1" }), timed("s", ["a", "1", 5], ["x", "1", 6])];
      await write(rig.ports, task, timed("t", ["a", "2", 6]), plain, both, puts("last", { p: "1" }));
      const change = { store: "s", puts: [["a", "3", null] as const, ["b", "3", 7] as const], deletes: ["x"] };
      await write(rig.ports, task, deletes("plain", "p"), change, timed("t", ["c", "4", 1]), timed("u", ["d", "5"]));
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: [["b", "3", 7]], nextMs: null });
      const entries = [
        ["c", "4", 1],
        ["a", "2", 6],
      ];
      expect(await dueIn(rig.ports, task, "t")).toEqual({ entries, nextMs: null });
      expect(await dueIn(rig.ports, task, "plain")).toEqual(NOTHING);
      expect(await stateOf(rig.ports, task, "plain")).toEqual(new Map());
      expect(await stateOf(rig.ports, task, "u")).toEqual(new Map([["d", "5"]]));
      expect(await stateOf(rig.ports, task, "last")).toEqual(new Map([["p", "1"]]));
    });

    it("come by the thousands, on one page and page by page", async () => {
      const count = 12_001;
      const all = Array.from({ length: count }, (_, n) => [`key-${n}`, `${n}`, n] as const);
      const task = await changed(timed("s", ...all.toReversed()));
      expect(await dueIn(rig.ports, task, "s", { limit: count })).toEqual({ entries: all, nextMs: null });
      const found: unknown[] = [];
      for (let fromMs: number | null = 0; fromMs !== null; ) {
        const page: { readonly entries: readonly unknown[]; readonly nextMs: number | null } = await dueIn(
          rig.ports,
          task,
          "s",
          { fromMs, limit: 5_000 },
        );
        found.push(...page.entries);
        fromMs = page.nextMs;
      }
      expect(found).toEqual(all);
      const half = all.filter((_, n) => n % 2 === 0);
      await write(rig.ports, task, timed("s", ...half.map(([key, value]) => [key, value, null] as const)));
      const odd = all.filter((_, n) => n % 2 === 1);
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: odd, nextMs: null });
      await write(rig.ports, task, deletes("s", ...odd.map(([key]) => key)));
      expect(await dueIn(rig.ports, task, "s")).toEqual(NOTHING);
    });

    it("show every commit whose result was returned", async () => {
      const task = await rig.task();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      for (let n = 0; n < 50; n += 1) {
        const state = [timed("s", ["a", `${n}`, 1_000 - n])];
        await ok(rig.ports.tasks.commit(commitOf(task, owner, { sequence: n, state })));
        expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: [["a", `${n}`, 1_000 - n]], nextMs: null });
      }
    });

    it("are those of one task", async () => {
      const topic = await rig.topic(2);
      const task = await rig.task(topic);
      await write(rig.ports, task, timed("s", ["a", "mine", 5]));
      const others: readonly TaskRef[] = [
        { ...task, partition: 1 },
        { ...task, group: fresh("group") },
        { ...task, topic: await rig.topic(2) },
      ];
      for (const other of others) {
        expect(await dueIn(rig.ports, other, "s")).toEqual(NOTHING);
        await write(rig.ports, other, timed("s", ["a", "other", 6]));
      }
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: [["a", "mine", 5]], nextMs: null });
    });

    it("that are no numbers, and pages of less than one entry, are mistakes of the caller", async () => {
      const task = await changed(timed("s", ["a", "1", 5]));
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      const state = [timed("s", ["a", "2"], ["b", "2", Number.NaN])];
      await expect(rig.ports.tasks.commit(commitOf(task, owner, { state }))()).rejects.toThrow(RangeError);
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["a", "1"]]));
      for (const range of [{ fromMs: Number.NaN }, { untilMs: Number.NaN }, { limit: 0 }, { limit: 1.5 }]) {
        await expect(dueIn(rig.ports, task, "s", range)).rejects.toThrow(RangeError);
      }
    });

    it.for(["store", "dues"] as const)(
      "are refused where a foreign type lies in place of the %s",
      async (kind, { skip }) => {
        const corrupt = need(rig.target.corrupt, skip);
        const task = await rig.task();
        await corrupt({ kind, task, store: "s" });
        await refused(rig.ports.state.due(task, "s", { fromMs: 0, untilMs: 1, limit: 1 }), "WrongType");
        expect(await dueIn(rig.ports, task, "t")).toEqual(NOTHING);
      },
    );
  });
}
