import type { TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { ok, refused } from "./outcome.ts";
import { commitOf } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import { deletes, puts, write } from "./state-writes.ts";
import type { PortsConformance } from "./target.ts";

/** `StateStore.get`. */
export function describeStateGet(spec: PortsConformance): void {
  describe("values of a state store by their keys", () => {
    const rig = useRig(spec);

    it("come in the order of the keys, null for those that are not there, and as often as they are asked for", async () => {
      const task = await rig.task();
      await write(rig.ports, task, puts("s", { a: "1", b: "2", c: "", d: "4" }));
      await write(rig.ports, task, deletes("s", "d"));
      const keys = ["b", "nothing", "a", "b", "c", "d"];
      expect(await ok(rig.ports.state.get(task, "s", keys))).toEqual(["2", null, "1", "2", "", null]);
    });

    it("are none where no keys are asked for, and null before the first commit", async () => {
      const task = await rig.task();
      expect(await ok(rig.ports.state.get(task, "s", []))).toEqual([]);
      expect(await ok(rig.ports.state.get(task, "s", ["a", "b"]))).toEqual([null, null]);
    });

    it("are found by any text", async () => {
      const task = await rig.task();
      const keys = [
        "",
        " ",
        "Straße, 東京, 🚂",
        "a\nb",
        "\u0000",
        "{x}:*?",
        "__proto__",
        "constructor",
        "-inf",
        "nil",
        "0",
      ];
      expect(await ok(rig.ports.state.get(task, "s", keys))).toEqual(keys.map(() => null));
      const entries = keys.map((key) => [key, `of ${key}`] as const);
      await write(rig.ports, task, { store: "s", puts: entries, deletes: [] });
      expect(await ok(rig.ports.state.get(task, "s", keys))).toEqual(entries.map(([, value]) => value));
    });

    it("are the same whether an entry has a due time or not", async () => {
      const task = await rig.task();
      await write(rig.ports, task, {
        store: "s",
        puts: [
          ["a", "1", 5],
          ["b", "2"],
        ],
        deletes: [],
      });
      expect(await ok(rig.ports.state.get(task, "s", ["a", "b"]))).toEqual(["1", "2"]);
    });

    it("come by the thousands", async () => {
      const task = await rig.task();
      const entries = Array.from({ length: 12_001 }, (_, n) => [`key-${n}`, `${n}`] as const);
      await write(rig.ports, task, { store: "s", puts: entries, deletes: [] });
      const keys = [...entries.map(([key]) => key).toReversed(), "nothing"];
      const expected = [...entries.map(([, value]) => value).toReversed(), null];
      expect(await ok(rig.ports.state.get(task, "s", keys))).toEqual(expected);
    });

    it("are all of one moment, however many they are, while the task commits", async () => {
      const task = await rig.task();
      const reader = await rig.open();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      const filler = Array.from({ length: 12_000 }, (_, n) => `filler-${n}`);
      const reading = new AbortController();
      const committing = (async () => {
        for (let sequence = 0; !reading.signal.aborted; sequence += 1) {
          const state = [puts("s", { first: `${sequence}`, last: `${sequence}` })];
          await ok(rig.ports.tasks.commit(commitOf(task, owner, { sequence, state })));
        }
      })();
      const seen = new Set<string | null | undefined>();
      for (let n = 0; n < 20; n += 1) {
        const found = await ok(reader.state.get(task, "s", ["first", ...filler, "last"]));
        expect(found).toHaveLength(filler.length + 2);
        expect(found.at(-1)).toBe(found[0]);
        seen.add(found[0]);
        // In memory nothing waits for I/O; the commits must have their turn all the same.
        await new Promise(setImmediate);
      }
      reading.abort();
      await committing;
      // Else nothing was committed between the first read and the last.
      expect(seen.size).toBeGreaterThan(1);
    });

    it("show every commit whose result was returned", async () => {
      const task = await rig.task();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      for (let n = 0; n < 50; n += 1) {
        const state = [n % 10 === 9 ? deletes("s", "a") : puts("s", { a: `${n}` })];
        await ok(rig.ports.tasks.commit(commitOf(task, owner, { sequence: n, state })));
        expect(await ok(rig.ports.state.get(task, "s", ["a"]))).toEqual([n % 10 === 9 ? null : `${n}`]);
      }
    });

    it("are those of one task and one store", async () => {
      const topic = await rig.topic(2);
      const task = await rig.task(topic);
      const others: readonly TaskRef[] = [
        { ...task, partition: 1 },
        { ...task, group: fresh("group") },
        { ...task, topic: await rig.topic(2) },
      ];
      await write(rig.ports, task, puts("s", { a: "mine" }));
      for (const other of others) {
        expect(await ok(rig.ports.state.get(other, "s", ["a"]))).toEqual([null]);
      }
      expect(await ok(rig.ports.state.get(task, "t", ["a"]))).toEqual([null]);
    });

    it("are refused where a foreign type lies in place of the store", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const task = await rig.task();
      await corrupt({ kind: "store", task, store: "s" });
      await refused(rig.ports.state.get(task, "s", ["a"]), "WrongType");
      const thousands = Array.from({ length: 12_000 }, (_, n) => `${n}`);
      await refused(rig.ports.state.get(task, "s", thousands), "WrongType");
      expect(await ok(rig.ports.state.get(task, "t", ["a"]))).toEqual([null]);
    });
  });
}
