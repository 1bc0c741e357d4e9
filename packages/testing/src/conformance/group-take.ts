import type { MemberRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { beat, enter, LONG_MS, otherStay, owners, SHORT_MS, settle } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { passMs, until } from "./polling.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const [T0, T1, T2] = ["t/0", "t/1", "t/2"] as const;

/** Two members, `b` of which is to take over `t/0`, which `a` holds. */
interface Pair {
  readonly group: string;
  readonly a: MemberRef;
  readonly b: MemberRef;
  readonly generation: number;
}

/** `Group.take`: when a task is free. */
export function describeGroupTake(spec: PortsConformance): void {
  describe("taking tasks", () => {
    const rig = useRig(spec);

    /** See {@link Pair}; `times` are those of `a`. */
    async function pair(times: { readonly sessionMs?: number; readonly revocationMs?: number } = {}): Promise<Pair> {
      const group = fresh("group");
      // In this order: nobody but `a` calls from here on who could find its session over.
      const b = await enter(rig.ports, group, "b");
      const a = await enter(rig.ports, group, "a", times);
      const first = await settle(rig.ports, a, { a: [T0], b: [] });
      expect(await ok(rig.ports.group.take(a, first, [T0]))).toMatchObject({ granted: [{ task: T0 }] });
      return { group, a, b, generation: await settle(rig.ports, a, { a: [], b: [T0] }) };
    }

    /** Takes `t/0` for `b` until it is granted; returns for how long it had to wait at most, from each answer. */
    function takenByB({ b, generation }: Pair): Promise<readonly number[]> {
      const waits: number[] = [];
      return until("t/0 is granted", async () => {
        const { granted, held } = await ok(rig.ports.group.take(b, generation, [T0]));
        waits.push(...held.map(({ forMs }) => forMs));
        return granted.length === 0 ? null : waits;
      });
    }

    it("grants those that nobody ever held", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const generation = await settle(rig.ports, a, { a: [T0, T1] });
      expect(await ok(rig.ports.group.take(a, generation, [T0, T1]))).toEqual({
        isCurrent: true,
        granted: [
          { task: T0, pausedMs: null },
          { task: T1, pausedMs: null },
        ],
        held: [],
      });
      expect(await owners(rig.ports, a.group)).toEqual(["t/0 a", "t/1 a"]);
    });

    it("grants hundreds at once", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const tasks = Array.from({ length: 1_000 }, (_, n) => `topic/${n}`);
      const generation = await settle(rig.ports, a, { a: tasks });
      const { granted } = await ok(rig.ports.group.take(a, generation, tasks));
      expect(granted.map(({ task }) => task).toSorted()).toEqual(tasks.toSorted());
      expect(await owners(rig.ports, a.group)).toHaveLength(1_000);
    });

    it("grants nothing for an empty wish, and says whether the generation is current", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const generation = await settle(rig.ports, a, { a: [] });
      expect(await ok(rig.ports.group.take(a, generation, []))).toEqual({ isCurrent: true, granted: [], held: [] });
      expect((await ok(rig.ports.group.take(a, generation - 1, []))).isCurrent).toBe(false);
    });

    it("grants nothing where the target is another generation's, and asks nobody for anything", async () => {
      const at = await pair({ revocationMs: 0 });
      for (const generation of [0, at.generation - 1, at.generation + 1]) {
        const answer = await ok(rig.ports.group.take(at.b, generation, [T0, T1]));
        expect(answer).toEqual({ isCurrent: false, granted: [], held: [] });
      }
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 a"]);
      // Had one of these asked, the task would be free by now.
      expect(await ok(rig.ports.group.take(at.b, at.generation, [T0]))).toMatchObject({ granted: [] });
    });

    it("grants a member again what it holds", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const generation = await settle(rig.ports, a, { a: [T0] });
      const call = rig.ports.group.take(a, generation, [T0]);
      await ok(call);
      expect(await ok(call)).toMatchObject({ isCurrent: true, granted: [{ task: T0 }], held: [] });
      expect(await ok(rig.ports.group.snapshot(a.group))).toMatchObject({
        owners: [{ task: T0, member: "a" }],
        pastOwners: [],
      });
    });

    it("grants one of two members that want the same at once", async () => {
      const other = await rig.open();
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(other, group, "b")];
      const generation = await settle(rig.ports, a, { a: [T0], b: [T0] });
      const answers = await Promise.all([
        ok(rig.ports.group.take(a, generation, [T0])),
        ok(other.group.take(b, generation, [T0])),
      ]);
      expect(answers.flatMap(({ granted }) => granted)).toMatchObject([{ task: T0 }]);
      expect(answers.flatMap(({ held }) => held)).toMatchObject([{ task: T0 }]);
    });

    it("leaves with its holder what another member holds, and says who and for how long at most", async () => {
      const at = await pair();
      const { isCurrent, granted, held } = await ok(rig.ports.group.take(at.b, at.generation, [T0]));
      expect({ isCurrent, granted }).toEqual({ isCurrent: true, granted: [] });
      expect(held).toMatchObject([{ task: T0, member: "a" }]);
      expect(held[0]?.forMs).toBeGreaterThan(0);
      expect(held[0]?.forMs).toBeLessThanOrEqual(LONG_MS);
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 a"]);
    });

    it("grants what is free though something else is held", async () => {
      const at = await pair();
      const answer = await ok(rig.ports.group.take(at.b, at.generation, [T1, T0, T2]));
      expect(answer.granted.map(({ task }) => task)).toEqual([T1, T2]);
      expect(answer.held.map(({ task }) => task)).toEqual([T0]);
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 a", "t/1 b", "t/2 b"]);
    });

    it("grants a released task, and says for how long nobody has worked on it", async () => {
      const at = await pair();
      await ok(rig.ports.group.give(at.a, { released: [{ task: T0, pausedMs: 5_000 }], completed: [] }));
      await passMs(30);
      const { granted } = await ok(rig.ports.group.take(at.b, at.generation, [T0]));
      expect(granted).toMatchObject([{ task: T0 }]);
      expect(granted[0]?.pausedMs).toBeGreaterThan(5_000);
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 b"]);
    });

    it("grants a task whose holder has left", async () => {
      const at = await pair();
      await ok(rig.ports.group.leave(at.a));
      expect(await ok(rig.ports.group.take(at.b, at.generation, [T0]))).toEqual({
        isCurrent: true,
        granted: [{ task: T0, pausedMs: null }],
        held: [],
      });
    });

    it("grants a task when the session of its holder is over", async () => {
      const at = await pair({ sessionMs: SHORT_MS });
      for (const waitMs of await takenByB(at)) {
        expect(waitMs).toBeLessThanOrEqual(SHORT_MS);
      }
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 b"]);
    });

    it("grants a task when its holder was asked for it and has not given it up in time", async () => {
      const at = await pair({ revocationMs: SHORT_MS });
      const waits = await takenByB(at);
      expect(waits.length).toBeGreaterThan(0);
      expect(waits[0]).toBeLessThanOrEqual(SHORT_MS);
      // Asking again does not give the holder more time.
      expect(waits).toEqual(waits.toSorted((one, two) => two - one));
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 b"]);
      expect(await beat(rig.ports, at.a)).toMatchObject({ members: 2 });
    });

    it("leaves its holder the time to give a task up, counted from the first wish", async () => {
      const at = await pair({ revocationMs: SHORT_MS });
      await passMs(2 * SHORT_MS);
      expect(await ok(rig.ports.group.take(at.b, at.generation, [T0]))).toMatchObject({ granted: [], held: [{}] });
      await passMs(2 * SHORT_MS);
      expect(await ok(rig.ports.group.take(at.b, at.generation, [T0]))).toMatchObject({ granted: [{}], held: [] });
    });

    it("keeps the time of the first wish when another member wants the task, at another generation", async () => {
      const at = await pair({ revocationMs: SHORT_MS });
      await ok(rig.ports.group.take(at.b, at.generation, [T0]));
      await passMs(2 * SHORT_MS);
      const c = await enter(rig.ports, at.group, "c");
      const generation = await settle(rig.ports, c, { c: [T0] });
      expect(await ok(rig.ports.group.take(c, generation, [T0]))).toMatchObject({ granted: [{ task: T0 }] });
    });

    it("gives a holder its time anew whose task was meant for another member, but stayed", async () => {
      const at = await pair({ revocationMs: 0 });
      await ok(rig.ports.group.take(at.b, at.generation, [T0]));
      await settle(rig.ports, at.a, { a: [T0], b: [] });
      const generation = await settle(rig.ports, at.a, { a: [], b: [T0] });
      // Had the first wish still counted, there would be nothing to wait for.
      expect(await ok(rig.ports.group.take(at.b, generation, [T0]))).toMatchObject({ granted: [], held: [{}] });
      expect(await ok(rig.ports.group.take(at.b, generation, [T0]))).toMatchObject({ granted: [{}], held: [] });
    });

    it("gives the next holder its time anew", async () => {
      const at = await pair({ revocationMs: 0 });
      await takenByB(at);
      const generation = await settle(rig.ports, at.a, { a: [T0] });
      const answer = await ok(rig.ports.group.take(at.a, generation, [T0]));
      expect(answer).toMatchObject({ granted: [], held: [{ task: T0, member: "b" }] });
      expect(answer.held[0]?.forMs).toBeGreaterThan(0);
    });

    it("grants a worker's later stay what the earlier one held", async () => {
      const at = await pair();
      const again = await enter(rig.ports, at.group, "a", { previous: at.a.instance });
      const generation = await settle(rig.ports, again, { a: [T0] });
      expect(await ok(rig.ports.group.take(again, generation, [T0]))).toMatchObject({ granted: [{ task: T0 }] });
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 a"]);
    });

    it("grants other members what an earlier stay held", async () => {
      const at = await pair();
      await enter(rig.ports, at.group, "a", { previous: at.a.instance });
      expect(await owners(rig.ports, at.group)).toEqual([]);
      expect(await ok(rig.ports.group.take(at.b, at.generation, [T0]))).toMatchObject({ granted: [{ task: T0 }] });
    });

    it("is for members only, and for the latest stay of each", async () => {
      const at = await pair();
      await refused(rig.ports.group.take(otherStay(at.b), at.generation, [T1]), "Fenced");
      await refused(rig.ports.group.take({ ...at.b, member: "c" }, at.generation, [T1]), "NotMember");
      await ok(rig.ports.group.leave(at.b));
      await refused(rig.ports.group.take(at.b, at.generation, [T1]), "NotMember");
      expect(await owners(rig.ports, at.group)).toEqual(["t/0 a"]);
    });
  });
}
