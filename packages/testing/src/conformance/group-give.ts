import type { GiveRequest, MemberRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { beat, enter, otherStay, owners, settle } from "./group-scene.ts";
import { ok } from "./outcome.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const TASKS = ["t/0", "t/1", "t/2"];

/** A wish to release these tasks at once. */
function releaseOf(...tasks: readonly string[]): GiveRequest {
  return { released: tasks.map((task) => ({ task, pausedMs: 0 })), completed: [] };
}

/** The news that these tasks are complete. */
function completionOf(...completed: readonly string[]): GiveRequest {
  return { released: [], completed };
}

/** `Group.give`: what a member releases, and what it calls complete. */
export function describeGroupGive(spec: PortsConformance): void {
  describe("giving tasks", () => {
    const rig = useRig(spec);

    /** A member that holds `t/0`, `t/1` and `t/2`, beside one that holds nothing. */
    async function holder(
      rest: { readonly revocationMs?: number } = {},
    ): Promise<{ readonly a: MemberRef; readonly b: MemberRef; readonly generation: number }> {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a", rest), await enter(rig.ports, group, "b")];
      const generation = await settle(rig.ports, a, { a: TASKS, b: [] });
      await ok(rig.ports.group.take(a, generation, TASKS));
      return { a, b, generation };
    }

    it("makes them free, and no others", async () => {
      const { a, b } = await holder();
      await ok(rig.ports.group.give(a, releaseOf("t/1")));
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 a", "t/2 a"]);
      const generation = await settle(rig.ports, b, { b: TASKS });
      const answer = await ok(rig.ports.group.take(b, generation, TASKS));
      expect(answer.granted.map(({ task }) => task)).toEqual(["t/1"]);
      expect(answer.held.map(({ task }) => task)).toEqual(["t/0", "t/2"]);
    });

    it("passes over what the caller does not hold", async () => {
      const { a, b } = await holder();
      for (const stranger of [b, otherStay(a), { ...a, member: "c" }]) {
        expect(await ok(rig.ports.group.give(stranger, releaseOf(...TASKS, "t/9")))).toBe(0);
        expect(await ok(rig.ports.group.give(stranger, completionOf(...TASKS, "t/9")))).toBe(0);
      }
      await ok(rig.ports.group.give({ ...a, group: fresh("group") }, releaseOf(...TASKS)));
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 a", "t/1 a", "t/2 a"]);
    });

    it("passes over what an earlier stay held and the later one has taken", async () => {
      const { a, generation } = await holder();
      const again = await enter(rig.ports, a.group, "a", { previous: a.instance });
      await ok(rig.ports.group.take(again, generation, ["t/0"]));
      await ok(rig.ports.group.give(a, releaseOf("t/0")));
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 a"]);
    });

    it("passes over what another member has taken since", async () => {
      const { a, b, generation } = await holder();
      const call = rig.ports.group.give(a, releaseOf("t/0"));
      await ok(call);
      await ok(rig.ports.group.take(b, generation, ["t/0"]));
      await ok(call);
      await ok(rig.ports.group.give(a, completionOf("t/0")));
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 b", "t/1 a", "t/2 a"]);
      expect((await beat(rig.ports, a)).completed).toBe(0);
    });

    it("can be taken back by whoever gave them", async () => {
      const { a, generation } = await holder();
      await ok(rig.ports.group.give(a, releaseOf("t/0")));
      const { granted } = await ok(rig.ports.group.take(a, generation, ["t/0"]));
      expect(granted).toMatchObject([{ task: "t/0" }]);
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 a", "t/1 a", "t/2 a"]);
    });

    it("counts those of the group that are complete, and tells all members", async () => {
      const { a, b } = await holder();
      expect(await ok(rig.ports.group.give(a, completionOf("t/0", "t/1")))).toBe(2);
      expect(await ok(rig.ports.group.give(a, completionOf("t/1")))).toBe(2);
      expect(await ok(rig.ports.group.give(b, completionOf()))).toBe(2);
      expect(await ok(rig.ports.group.give(a, completionOf("t/2")))).toBe(3);
      expect((await beat(rig.ports, b)).completed).toBe(3);
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 a", "t/1 a", "t/2 a"]);
    });

    it("can release some and complete others in one call", async () => {
      const { a } = await holder();
      const request = { ...releaseOf("t/0"), completed: ["t/1", "t/2"] };
      expect(await ok(rig.ports.group.give(a, request))).toBe(2);
      expect(await owners(rig.ports, a.group)).toEqual(["t/1 a", "t/2 a"]);
    });

    it("counts a complete task no more when it is released", async () => {
      const { a } = await holder();
      await ok(rig.ports.group.give(a, completionOf(...TASKS)));
      expect(await ok(rig.ports.group.give(a, releaseOf("t/0")))).toBe(2);
      expect(await ok(rig.ports.group.give(a, completionOf("t/0")))).toBe(2);
    });

    it("counts a complete task no more when another member takes it over", async () => {
      const { a, b, generation } = await holder({ revocationMs: 0 });
      await ok(rig.ports.group.give(a, completionOf(...TASKS)));
      // The first wish asks for it; with no time to give it up, the second one gets it.
      await ok(rig.ports.group.take(b, generation, ["t/0"]));
      expect((await beat(rig.ports, b)).completed).toBe(3);
      await ok(rig.ports.group.take(b, generation, ["t/0"]));
      expect((await beat(rig.ports, b)).completed).toBe(2);
      expect(await ok(rig.ports.group.give(b, completionOf("t/0")))).toBe(3);
    });

    it("counts a complete task on when the call that took it comes late, or again", async () => {
      const { a, generation } = await holder();
      await ok(rig.ports.group.give(a, completionOf(...TASKS)));
      expect((await ok(rig.ports.group.take(a, generation, TASKS))).granted).toHaveLength(3);
      expect((await beat(rig.ports, a)).completed).toBe(3);
    });

    it("counts a complete task no more when it is taken at a later generation", async () => {
      const { a } = await holder();
      await ok(rig.ports.group.give(a, completionOf(...TASKS)));
      const later = await settle(rig.ports, a, { a: TASKS });
      await ok(rig.ports.group.take(a, later, ["t/0"]));
      expect((await beat(rig.ports, a)).completed).toBe(2);
    });

    it("counts anew in a group that was empty", async () => {
      const { a, b } = await holder();
      await ok(rig.ports.group.give(a, completionOf(...TASKS)));
      await ok(rig.ports.group.leave(a));
      await ok(rig.ports.group.leave(b));
      const c = await enter(rig.ports, a.group, "c");
      expect(await beat(rig.ports, c)).toMatchObject({ completed: 0 });
      expect((await ok(rig.ports.group.snapshot(a.group))).completed).toEqual([]);
    });

    it("counts for a newcomer what was complete before", async () => {
      const { a } = await holder();
      await ok(rig.ports.group.give(a, completionOf("t/0")));
      const c = await enter(rig.ports, a.group, "c");
      expect((await beat(rig.ports, c)).completed).toBe(1);
    });
  });
}
