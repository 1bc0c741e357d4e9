import { GROUP_TIMES, type GroupView, type MemberRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { beat, enter, joinOf, settle } from "./group-scene.ts";
import { ok } from "./outcome.ts";
import { until } from "./polling.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const HOUR_MS = 3_600_000;

/** `GroupView.proposal` and `Group.propose`: when a target is proposed, by whom, and which one counts. */
export function describeGroupProposals(spec: PortsConformance): void {
  describe("group proposals", () => {
    const rig = useRig(spec);

    /** Heartbeats of `ref` until it is to propose. */
    function called(ref: MemberRef): Promise<GroupView> {
      return until(`${ref.member} is to propose`, async () => {
        const view = await beat(rig.ports, ref);
        return view.proposal === 0 ? view : null;
      });
    }

    it("are due when the members were quiet for a while", async () => {
      const group = fresh("group");
      const joined = await ok(rig.ports.group.join(joinOf(group, "a")));
      expect(joined.proposal).toBeGreaterThan(GROUP_TIMES.quietAfterLossMs);
      expect(joined.proposal).toBeLessThanOrEqual(GROUP_TIMES.quietMs);
      await called(await enter(rig.ports, group, "b"));
    });

    it("are not put off for ever by members that go on joining", async () => {
      const group = fresh("group");
      let count = 0;
      const view = await until("a member is to propose", async () => {
        count += 1;
        const joined = await ok(rig.ports.group.join(joinOf(group, `m${count}`)));
        return joined.proposal === 0 ? joined : null;
      });
      expect(view.members).toBe(count);
    });

    it("are due soon after a member has left or begins to leave, whoever joins then", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      await settle(rig.ports, a, {});
      const leaving = await beat(rig.ports, b, { isLeaving: true });
      expect(leaving.proposal).toBeLessThanOrEqual(GROUP_TIMES.quietAfterLossMs);
      expect(leaving.proposal).not.toBeNull();
      const joined = await ok(rig.ports.group.join(joinOf(group, "c")));
      expect(joined.proposal).toBeLessThanOrEqual(GROUP_TIMES.quietAfterLossMs);
      // Without a word before it, too.
      await settle(rig.ports, a, {});
      await ok(rig.ports.group.leave(await enter(rig.ports, group, "d")));
      const { proposal } = await beat(rig.ports, a);
      expect(proposal).toBeLessThanOrEqual(GROUP_TIMES.quietAfterLossMs);
      expect(proposal).not.toBeNull();
    });

    it("are not needed when a member leaves that was known to leave", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      await settle(rig.ports, a, {});
      await beat(rig.ports, b, { isLeaving: true });
      // It is not taken back.
      expect(await beat(rig.ports, b, { isLeaving: false })).toMatchObject({ staying: 1 });
      await settle(rig.ports, a, {});
      const { epoch } = await beat(rig.ports, a);
      await ok(rig.ports.group.leave(b));
      expect(await beat(rig.ports, a)).toMatchObject({ epoch: epoch + 1, members: 1, proposal: null });
    });

    it("are needed when a member leaves before a target knows of it", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      await settle(rig.ports, a, {});
      await beat(rig.ports, b, { isLeaving: true });
      await ok(rig.ports.group.leave(b));
      expect((await beat(rig.ports, a)).proposal).not.toBeNull();
    });

    it("are one member's business for a while", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      const waiting = await until("b asks while a has the claim", async () => {
        const startMs = performance.now();
        await called(a);
        const view = await beat(rig.ports, b);
        return performance.now() < startMs + GROUP_TIMES.claimMs ? view : null;
      });
      expect(waiting.proposal).toBeGreaterThan(0);
      expect(waiting.proposal).toBeLessThanOrEqual(GROUP_TIMES.claimMs);
      // Its own claim keeps nobody from proposing.
      expect((await beat(rig.ports, a)).proposal).toBe(0);
    });

    it("become another member's business when the one that has the claim does nothing", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      await called(a);
      await called(b);
    });

    it("are not due where the target fits the members", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      await settle(rig.ports, a, { a: ["t/0"], b: [] });
      expect((await beat(rig.ports, a)).proposal).toBeNull();
      expect((await beat(rig.ports, b)).proposal).toBeNull();
      await enter(rig.ports, group, "c");
      expect((await beat(rig.ports, a)).proposal).not.toBeNull();
    });

    it("that are stored make a new generation, as large as the time in ms at least", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const generations = [0];
      for (let n = 0; n < 3; n++) {
        generations.push(await settle(rig.ports, a, { a: [`t/${n}`] }));
      }
      expect(generations).toEqual([...new Set(generations)].toSorted((one, two) => one - two));
      // The clocks of the store and of this process may differ.
      expect(generations[1]).toBeGreaterThan(Date.now() - HOUR_MS);
    });

    it("that are stored tell every member its tasks, and those that get none so", async () => {
      const group = fresh("group");
      const [a, b, c] = [
        await enter(rig.ports, group, "a"),
        await enter(rig.ports, group, "b"),
        await enter(rig.ports, group, "c"),
      ];
      const generation = await settle(rig.ports, a, { a: ["t/0", "u.v-w/12"], b: [] });
      const told = await beat(rig.ports, a);
      expect(told.generation).toBe(generation);
      expect(told.target?.toSorted()).toEqual(["t/0", "u.v-w/12"]);
      expect(await beat(rig.ports, b)).toMatchObject({ generation, target: [] });
      expect(await beat(rig.ports, c)).toMatchObject({ generation, target: [] });
    });

    it("that are stored tell a member its tasks once", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      expect((await beat(rig.ports, a, { generation: 0 })).target).toBeNull();
      const first = await settle(rig.ports, a, { a: ["t/0"] });
      expect((await beat(rig.ports, a, { generation: first })).target).toBeNull();
      const second = await settle(rig.ports, a, { a: [] });
      expect((await beat(rig.ports, a, { generation: first })).target).toEqual([]);
      expect((await beat(rig.ports, a, { generation: second })).target).toBeNull();
    });

    it("that are stored wait for a member that joins later, or comes back", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const generation = await settle(rig.ports, a, { a: ["t/0"], b: ["t/1"] });
      expect(await ok(rig.ports.group.join(joinOf(group, "b")))).toMatchObject({ generation, target: ["t/1"] });
      expect(await ok(rig.ports.group.join(joinOf(group, "c")))).toMatchObject({ generation, target: [] });
      expect(await ok(rig.ports.group.join(joinOf(group, "a")))).toMatchObject({ generation, target: ["t/0"] });
    });

    it("that are stored can be large", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b")];
      const tasks = Array.from({ length: 3_000 }, (_, n) => `topic-with-a-name/${n}`);
      await settle(rig.ports, a, { a: tasks, b: tasks.slice(0, 1) });
      expect((await beat(rig.ports, a)).target?.toSorted()).toEqual(tasks.toSorted());
      expect((await beat(rig.ports, b)).target).toEqual(tasks.slice(0, 1));
    });

    it("are outdated, and change nothing, where the members or the target are others by now", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const generation = await settle(rig.ports, a, { a: ["t/0"] });
      const before = await enter(rig.ports, group, "b").then(() => ok(rig.ports.group.snapshot(group)));
      const target = { a: ["t/1"] };
      for (const [epoch, known] of [
        [before.epoch - 1, generation],
        [before.epoch + 1, generation],
        [before.epoch, generation - 1],
        [before.epoch, generation + 1],
        [before.epoch, 0],
      ] as const) {
        const proposal = { ...a, epoch, generation: known, target };
        expect(await ok(rig.ports.group.propose(proposal))).toBe("outdated");
      }
      expect(await ok(rig.ports.group.snapshot(group))).toMatchObject({ generation, target: { a: ["t/0"] } });
      expect((await beat(rig.ports, a)).proposal).not.toBeNull();
      expect(await settle(rig.ports, a, target)).toBeGreaterThan(generation);
    });

    it("are stored once when two members propose at once", async () => {
      const group = fresh("group");
      const other = await rig.open();
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(other, group, "b")];
      const { epoch, generation } = await beat(rig.ports, a);
      const answers = await Promise.all([
        ok(rig.ports.group.propose({ ...a, epoch, generation, target: { a: ["t/0"], b: [] } })),
        ok(other.group.propose({ ...b, epoch, generation, target: { a: [], b: ["t/0"] } })),
      ]);
      expect(answers.toSorted()).toEqual(["outdated", "stored"]);
      const { target } = await ok(rig.ports.group.snapshot(group));
      expect(target).toEqual(answers[0] === "stored" ? { a: ["t/0"], b: [] } : { a: [], b: ["t/0"] });
    });

    it("go on from the last generation in a group that was empty", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const generation = await settle(rig.ports, a, { a: ["t/0"] });
      await ok(rig.ports.group.leave(a));
      const b = await enter(rig.ports, group, "b");
      expect(await beat(rig.ports, b)).toMatchObject({ generation, target: [] });
      expect(await settle(rig.ports, b, { b: ["t/0"] })).toBeGreaterThan(generation);
    });
  });
}
