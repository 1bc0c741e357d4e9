import { describe, expect, it } from "vitest";
import { ok, refused } from "./outcome.ts";
import { commitOf } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Group`. */
export function describeGroup(spec: PortsConformance): void {
  describe("group", () => {
    const rig = useRig(spec);

    it("gives its first member generation 1 and every later one the next", async () => {
      const group = fresh("group");
      const other = await rig.open();
      expect(await ok(rig.ports.group.join(group, "a"))).toEqual({ generation: 1 });
      expect(await ok(other.group.join(group, "b"))).toEqual({ generation: 2 });
      expect(await ok(rig.ports.group.join(group, "a"))).toEqual({ generation: 3 });
    });

    it("gives members that join at once generations of their own", async () => {
      const group = fresh("group");
      const other = await rig.open();
      const joins = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? rig.ports : other).group.join(group, `m${n}`));
      const generations = (await Promise.all(joins.map(ok))).map(({ generation }) => generation);
      expect(generations.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it("counts for itself", async () => {
      const [one, two] = [fresh("group"), fresh("group")];
      await ok(rig.ports.group.join(one, "a"));
      await ok(rig.ports.group.join(one, "b"));
      expect(await ok(rig.ports.group.join(two, "a"))).toEqual({ generation: 1 });
    });

    it("fences an earlier member once the next one has taken its tasks over", async () => {
      const { tasks, group } = rig.ports;
      const task = await rig.task();
      const earlier = await ok(group.join(task.group, "a"));
      const owner = await ok(tasks.acquire(task, earlier.generation));
      const later = await ok(group.join(task.group, "b"));
      await ok(tasks.acquire(task, later.generation));
      await refused(tasks.commit(commitOf(task, owner)), "Fenced");
      await refused(tasks.acquire(task, earlier.generation), "Fenced");
    });

    it("reports a foreign type in place of the membership", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const group = fresh("group");
      await corrupt({ kind: "group", group });
      await refused(rig.ports.group.join(group, "a"), "WrongType");
    });
  });
}
