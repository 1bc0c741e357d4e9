import type { TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { stateOf } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { commitOf } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import { puts, write } from "./state-writes.ts";
import type { PortsConformance } from "./target.ts";

/** `StateStore.scan`, and the `state` of commits. */
export function describeStateStore(spec: PortsConformance): void {
  describe("state store", () => {
    const rig = useRig(spec);

    it("is empty before the first commit", async () => {
      const task = await rig.task();
      expect(await ok(rig.ports.state.scan(task, "s", null))).toEqual({ entries: [], cursor: null });
    });

    it("has what commits put there, and the latest of it", async () => {
      const task = await rig.task();
      await write(rig.ports, task, puts("s", { a: "1", b: "2" }));
      await write(rig.ports, task, puts("s", { b: "3", c: "4" }));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(Object.entries({ a: "1", b: "3", c: "4" })));
    });

    it("has not what commits deleted, and takes deletes of what is not there", async () => {
      const task = await rig.task();
      await write(rig.ports, task, puts("s", { a: "1", b: "2" }));
      await write(rig.ports, task, { store: "s", puts: [["c", "3"]], deletes: ["a", "never there"] });
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(Object.entries({ b: "2", c: "3" })));
      await write(rig.ports, task, { store: "s", puts: [], deletes: ["b", "c"] });
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map());
      await write(rig.ports, task, puts("s", { a: "again" }));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["a", "again"]]));
    });

    it("keeps keys and values of any text", async () => {
      const task = await rig.task();
      const texts = ["", " ", "Straße, 東京, 🚂", "a\nb\tc", "\u0000", "{x}:*?", "__proto__", "-inf", "nil", "0"];
      const delta = { store: "s", puts: texts.map((text) => [text, `value ${text}`] as const), deletes: [] };
      await write(rig.ports, task, delta);
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(delta.puts));
      await write(rig.ports, task, { store: "s", puts: [], deletes: texts.slice(1) });
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["", "value "]]));
    });

    it("keeps empty and large values", async () => {
      const task = await rig.task();
      const large = "é🚂".repeat(150_000);
      await write(rig.ports, task, puts("s", { empty: "", large }));
      const found = await stateOf(rig.ports, task, "s");
      expect(found.get("empty")).toBe("");
      expect(found.get("large")).toBe(large);
    });

    it("returns thousands of entries, page by page, none missing", async () => {
      const task = await rig.task();
      const expected = new Map<string, string>();
      for (let page = 0; page < 10; page++) {
        const entries = Array.from({ length: 500 }, (_, n) => [`key-${page}-${n}`, `value-${page * 500 + n}`] as const);
        await write(rig.ports, task, { store: "s", puts: entries, deletes: [] });
        for (const [key, value] of entries) {
          expected.set(key, value);
        }
      }
      expect(await stateOf(rig.ports, task, "s")).toEqual(expected);
    });

    it("returns the same page when a cursor is used again", async () => {
      const task = await rig.task();
      const entries = Array.from({ length: 3000 }, (_, n) => [`key-${n}`, `${n}`] as const);
      for (let from = 0; from < entries.length; from += 500) {
        await write(rig.ports, task, { store: "s", puts: entries.slice(from, from + 500), deletes: [] });
      }
      const found = new Map<string, string>();
      let cursor: string | null = null;
      do {
        // A lost reply: the reader asks for this page again, and goes on with the second answer.
        await ok(rig.ports.state.scan(task, "s", cursor));
        const page: { readonly entries: readonly (readonly [string, string])[]; readonly cursor: string | null } =
          await ok(rig.ports.state.scan(task, "s", cursor));
        for (const [key, value] of page.entries) {
          found.set(key, value);
        }
        cursor = page.cursor;
      } while (cursor !== null);
      expect(found).toEqual(new Map(entries));
    });

    it("changes in one commit together with other stores", async () => {
      const task = await rig.task();
      await write(rig.ports, task, puts("s", { a: "1" }), puts("t", { a: "2" }));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["a", "1"]]));
      expect(await stateOf(rig.ports, task, "t")).toEqual(new Map([["a", "2"]]));
    });

    it("belongs to one task: other groups, topics and partitions have their own", async () => {
      const topic = await rig.topic(2);
      const task = await rig.task(topic);
      const others: readonly TaskRef[] = [
        { ...task, partition: 1 },
        { ...task, group: fresh("group") },
        { ...task, topic: await rig.topic(2) },
      ];
      await write(rig.ports, task, puts("s", { a: "mine" }));
      for (const [n, other] of others.entries()) {
        expect(await stateOf(rig.ports, other, "s")).toEqual(new Map());
        await write(rig.ports, other, puts("s", { a: `${n}` }));
      }
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["a", "mine"]]));
      for (const [n, other] of others.entries()) {
        expect(await stateOf(rig.ports, other, "s")).toEqual(new Map([["a", `${n}`]]));
      }
    });

    it("shows every commit whose result was returned", async () => {
      const task = await rig.task();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      for (let n = 0; n < 50; n++) {
        await ok(rig.ports.tasks.commit(commitOf(task, owner, { sequence: n, state: [puts("s", { a: `${n}` })] })));
        expect((await stateOf(rig.ports, task, "s")).get("a")).toBe(`${n}`);
      }
    });

    it("is there for the next owner, in another session", async () => {
      const task = await rig.task();
      const first = await rig.open();
      await write(first, task, puts("s", { a: "1" }));
      await first.close();
      await ok(rig.ports.tasks.acquire(task, 2));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["a", "1"]]));
    });

    it("reports a foreign type in its place", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const task = await rig.task();
      await corrupt({ kind: "store", task, store: "s" });
      await refused(rig.ports.state.scan(task, "s", null), "WrongType");
      expect(await stateOf(rig.ports, task, "t")).toEqual(new Map());
    });
  });
}
