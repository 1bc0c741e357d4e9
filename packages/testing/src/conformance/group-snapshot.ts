import { describe, expect, it } from "vitest";
import { beat, enter, LONG_MS, settle } from "./group-scene.ts";
import { ok } from "./outcome.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Group.snapshot`: everything about a group, at one moment. */
export function describeGroupSnapshot(spec: PortsConformance): void {
  describe("group snapshot", () => {
    const rig = useRig(spec);

    it("of a group that never was is empty, and stays so however often one looks", async () => {
      const group = fresh("group");
      const empty = {
        epoch: 0,
        generation: 0,
        members: [],
        plan: {},
        target: {},
        owners: [],
        pastOwners: [],
        completed: [],
      };
      expect(await ok(rig.ports.group.snapshot(group))).toEqual(empty);
      expect(await ok(rig.ports.group.snapshot(group))).toEqual(empty);
    });

    it("shows what members say of themselves", async () => {
      const group = fresh("group");
      const plan = { t: { partitions: 4, meaning: "count" }, "u.v": { partitions: 1, meaning: "" } };
      const a = await enter(rig.ports, group, "a", { plan, weight: 2.5, host: "Straße {1}", pid: 4_242 });
      await enter(rig.ports, group, "b", { plan: {}, weight: 0.001, host: "", sessionMs: 30_000 });
      await beat(rig.ports, a, { isLeaving: true });
      const { members } = await ok(rig.ports.group.snapshot(group));
      const [first, second] = members.toSorted((one, two) => (one.member < two.member ? -1 : 1));
      expect(first).toMatchObject({ member: "a", weight: 2.5, isLeaving: true, host: "Straße {1}", pid: 4_242 });
      expect(first?.runs.toSorted()).toEqual(["t", "u.v"]);
      expect(second).toMatchObject({ member: "b", weight: 0.001, runs: [], isLeaving: false, host: "", pid: 1 });
      expect(first?.expiresInMs).toBeGreaterThan(30_000);
      expect(first?.expiresInMs).toBeLessThanOrEqual(LONG_MS);
      expect(second?.expiresInMs).toBeGreaterThan(0);
      expect(second?.expiresInMs).toBeLessThanOrEqual(30_000);
    });

    it("shows what a later worker of the same name says instead", async () => {
      const group = fresh("group");
      await enter(rig.ports, group, "a", { weight: 1, host: "earlier" });
      await enter(rig.ports, group, "b");
      await enter(rig.ports, group, "a", { weight: 3, host: "later", plan: { u: { partitions: 1, meaning: "" } } });
      const { members } = await ok(rig.ports.group.snapshot(group));
      expect(members.find(({ member }) => member === "a")).toMatchObject({ weight: 3, host: "later", runs: ["u"] });
      expect(members).toHaveLength(2);
    });

    it("shows epoch and generation as the members know them", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      await settle(rig.ports, a, { a: [] });
      await enter(rig.ports, group, "b");
      const { epoch, generation } = await beat(rig.ports, a);
      expect(await ok(rig.ports.group.snapshot(group))).toMatchObject({ epoch, generation });
    });

    it("shows the stored target, of members that are gone too, until there is another one", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      const target = { a: ["t/0", "t/2"], b: ["t/1"], idle: [] };
      await settle(rig.ports, a, target);
      await ok(rig.ports.group.leave(b));
      expect((await ok(rig.ports.group.snapshot(group))).target).toEqual(target);
      await settle(rig.ports, a, { a: ["t/1"] });
      expect((await ok(rig.ports.group.snapshot(group))).target).toEqual({ a: ["t/1"] });
    });

    it("shows who holds which task, and since which generation", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      const first = await settle(rig.ports, a, { a: ["t/0"], b: [] });
      await ok(rig.ports.group.take(a, first, ["t/0"]));
      const second = await settle(rig.ports, a, { a: ["t/0"], b: ["t/1"] });
      await ok(rig.ports.group.take(b, second, ["t/1"]));
      const { owners, pastOwners } = await ok(rig.ports.group.snapshot(group));
      expect(owners.toSorted((one, two) => (one.task < two.task ? -1 : 1))).toEqual([
        { task: "t/0", member: "a", generation: first },
        { task: "t/1", member: "b", generation: second },
      ]);
      expect(pastOwners).toEqual([]);
    });

    it("shows who held a task before it was released and taken over", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      const generation = await settle(rig.ports, a, { a: ["t/0"], b: [] });
      await ok(rig.ports.group.take(a, generation, ["t/0"]));
      await ok(rig.ports.group.give(a, { released: [{ task: "t/0", pausedMs: 0 }], completed: [] }));
      const past = [{ task: "t/0", member: "a" }];
      expect(await ok(rig.ports.group.snapshot(group))).toMatchObject({ owners: [], pastOwners: past });
      await ok(rig.ports.group.take(b, generation, ["t/0"]));
      expect(await ok(rig.ports.group.snapshot(group))).toMatchObject({
        owners: [{ task: "t/0", member: "b" }],
        pastOwners: past,
      });
    });

    it("shows as past owners those that held a task and are no members any more", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      const generation = await settle(rig.ports, a, { a: ["t/0"], b: ["t/1"] });
      await ok(rig.ports.group.take(a, generation, ["t/0"]));
      await ok(rig.ports.group.take(b, generation, ["t/1"]));
      await ok(rig.ports.group.leave(a));
      await enter(rig.ports, group, "b", { previous: b.instance });
      const left = await ok(rig.ports.group.snapshot(group));
      expect(left.owners).toEqual([]);
      expect(left.pastOwners.toSorted((one, two) => (one.task < two.task ? -1 : 1))).toEqual([
        { task: "t/0", member: "a" },
        { task: "t/1", member: "b" },
      ]);
    });

    it("shows which tasks are complete", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const generation = await settle(rig.ports, a, { a: ["t/0", "t/1"] });
      await ok(rig.ports.group.take(a, generation, ["t/0", "t/1"]));
      await ok(rig.ports.group.give(a, { released: [], completed: ["t/1"] }));
      expect((await ok(rig.ports.group.snapshot(group))).completed).toEqual(["t/1"]);
    });

    it("does not change with what a caller does to what it gave or got", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const tasks = ["t/0"];
      await settle(rig.ports, a, { a: tasks });
      tasks.push("t/1");
      const { target } = await ok(rig.ports.group.snapshot(group));
      Reflect.set(target, "a", ["t/2"]);
      const view = await beat(rig.ports, a);
      expect(view.target).toEqual(["t/0"]);
      // A frozen answer refuses this, which is as good.
      expect([true, false]).toContain(Reflect.set(view.target ?? [], 0, "t/3"));
      expect((await ok(rig.ports.group.snapshot(group))).target).toEqual({ a: ["t/0"] });
    });
  });
}
