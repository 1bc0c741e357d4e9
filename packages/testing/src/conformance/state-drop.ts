import { describe, expect, it } from "vitest";
import { stateOf } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { fresh, need, useRig } from "./rig.ts";
import { dueIn, puts, timed, write } from "./state-writes.ts";
import type { PortsConformance } from "./target.ts";

/** `StateStore.drop`. */
export function describeStateDrop(spec: PortsConformance): void {
  describe("a state store that is dropped", () => {
    const rig = useRig(spec);

    it("is empty, and due times do not come back with the entries", async () => {
      const task = await rig.task();
      const entries = Array.from({ length: 5_000 }, (_, n) => [`${n}`, "v", n] as const);
      await write(rig.ports, task, timed("s", ...entries));
      await ok(rig.ports.state.drop(task, "s"));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map());
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: [], nextMs: null });
      await write(rig.ports, task, timed("s", ["1", "again"], ["2", "again", 9]));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(["1", "2"].map((key) => [key, "again"])));
      expect(await dueIn(rig.ports, task, "s")).toEqual({ entries: [["2", "again", 9]], nextMs: null });
    });

    it("need not be there, nor its task", async () => {
      const task = await rig.task();
      await ok(rig.ports.state.drop(task, "s"));
      await write(rig.ports, task, puts("s", { a: "1" }));
      await ok(rig.ports.state.drop(task, "s"));
      await ok(rig.ports.state.drop(task, "s"));
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map());
    });

    it("takes no other store with it", async () => {
      const topic = await rig.topic(2);
      const task = await rig.task(topic);
      const others = [
        { ...task, partition: 1 },
        { ...task, group: fresh("group") },
      ];
      for (const each of [task, ...others]) {
        await write(rig.ports, each, timed("s", ["a", "1", 5]), timed("ss", ["a", "2", 6]));
      }
      await ok(rig.ports.state.drop(task, "s"));
      for (const other of others) {
        expect(await dueIn(rig.ports, other, "s")).toEqual({ entries: [["a", "1", 5]], nextMs: null });
      }
      expect(await dueIn(rig.ports, task, "ss")).toEqual({ entries: [["a", "2", 6]], nextMs: null });
      expect(await ok(rig.ports.tasks.acquire(task, 1))).toMatchObject({ sequence: 1 });
    });

    it("stays as it is where a foreign type lies in place of its due times", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const task = await rig.task();
      await write(rig.ports, task, puts("s", { a: "1" }));
      await corrupt({ kind: "dues", task, store: "s" });
      await refused(rig.ports.state.drop(task, "s"), "WrongType");
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["a", "1"]]));
    });

    it("is refused where a foreign type lies in place of the store", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const task = await rig.task();
      await corrupt({ kind: "store", task, store: "s" });
      await refused(rig.ports.state.drop(task, "s"), "WrongType");
      await refused(rig.ports.state.scan(task, "s", null), "WrongType");
    });
  });
}
