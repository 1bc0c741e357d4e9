import type { GroupHint, MemberRef, Ports } from "@millrace/core";
import { beforeEach, describe, expect, it } from "vitest";
import { enter, settle } from "./group-scene.ts";
import { ok } from "./outcome.ts";
import { passMs, until } from "./polling.ts";
import { fresh, reasonOf, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** For so long, in ms, a test listens for what must not come. Too short a time only makes it less strict. */
const SILENCE_MS = 200;

/** More than an adapter sends for itself, as after it has connected, when it cannot know what it has missed. */
const SEVERAL = 3;

/**
 * `Group.watch`. A hint may be lost or be sent for nothing, so whoever waits for one does again and again what should send
 * it; but which tasks are free is said only of tasks that are, in the group that is watched.
 */
export function describeGroupHints(spec: PortsConformance): void {
  describe("group hints", () => {
    const rig = useRig(spec);

    beforeEach(({ skip }) => {
      const { hints } = rig.target;
      if (hints !== undefined) {
        skip(reasonOf(hints));
      }
    });

    /** Listens to a group. */
    function listen(ports: Ports, group: string): { readonly hints: readonly GroupHint[]; readonly end: () => void } {
      const hints: GroupHint[] = [];
      return { hints, end: ports.group.watch(group, (hint) => hints.push(hint)) };
    }

    /** Does `act` until all listeners have heard several hints. */
    async function heard(listeners: readonly (readonly GroupHint[])[], act: () => Promise<unknown>): Promise<void> {
      await until("several hints have arrived", async () => {
        await act();
        return listeners.every(({ length }) => length >= SEVERAL) ? true : null;
      });
    }

    /** Lets a member take `t/0` and `t/1`, and release them. */
    async function release(ref: MemberRef, generation: number): Promise<void> {
      const tasks = ["t/0", "t/1"];
      await ok(rig.ports.group.take(ref, generation, tasks));
      // It never held the last one.
      const released = [...tasks, "t/2"].map((task) => ({ task, pausedMs: 0 }));
      await ok(rig.ports.group.give(ref, { released, completed: [] }));
    }

    it("tell other sessions of every new target", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const { hints, end } = listen(await rig.open(), a.group);
      await heard([hints], () => settle(rig.ports, a, { a: ["t/0"] }));
      end();
      expect(new Set(hints.map(({ kind }) => kind))).toEqual(new Set(["changed"]));
    });

    it("tell other sessions that a member has left", async () => {
      const group = fresh("group");
      const { hints, end } = listen(await rig.open(), group);
      await heard([hints], async () => ok(rig.ports.group.leave(await enter(rig.ports, group, "a"))));
      end();
      expect(new Set(hints.map(({ kind }) => kind))).toEqual(new Set(["changed"]));
    });

    it("tell other sessions which tasks are free", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const generation = await settle(rig.ports, a, { a: ["t/0", "t/1"] });
      const { hints, end } = listen(await rig.open(), a.group);
      await heard([hints], () => release(a, generation));
      end();
      const released = hints.flatMap((hint) => (hint.kind === "released" ? [hint.tasks.toSorted()] : []));
      expect(released.length).toBeGreaterThan(0);
      for (const tasks of released) {
        expect(tasks).toEqual(["t/0", "t/1"]);
      }
    });

    it("come to every listener of the group, those of the session that caused them too", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const sessions = [rig.ports, rig.ports, await rig.open()];
      const listeners = sessions.map((ports) => listen(ports, a.group));
      const all = listeners.map(({ hints }) => hints);
      await expect(heard(all, () => settle(rig.ports, a, { a: [] }))).resolves.toBeUndefined();
      for (const { end } of listeners) {
        end();
      }
    });

    it("are those of the group that is watched", async () => {
      const [a, b] = [await enter(rig.ports, fresh("group"), "a"), await enter(rig.ports, fresh("group"), "b")];
      const generation = await settle(rig.ports, b, { b: ["t/0", "t/1"] });
      const [own, foreign] = [listen(rig.ports, a.group), listen(rig.ports, b.group)];
      await heard([foreign.hints], () => release(b, generation));
      await passMs(SILENCE_MS);
      own.end();
      foreign.end();
      expect(own.hints.filter(({ kind }) => kind === "released")).toEqual([]);
      expect(own.hints.length).toBeLessThan(SEVERAL);
    });

    it("end when the listener says so, however often it does, and others go on", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const [ended, going] = [listen(rig.ports, a.group), listen(rig.ports, a.group)];
      ended.end();
      ended.end();
      await heard([going.hints], () => settle(rig.ports, a, { a: [] }));
      await passMs(SILENCE_MS);
      going.end();
      expect(ended.hints).toEqual([]);
    });

    it("can be listened to again after the last listener has ended", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const first = listen(rig.ports, a.group);
      await heard([first.hints], () => settle(rig.ports, a, { a: [] }));
      first.end();
      const second = listen(rig.ports, a.group);
      await heard([second.hints], () => settle(rig.ports, a, { a: [] }));
      second.end();
      expect(second.hints).toContainEqual({ kind: "changed" });
    });

    it("end with the session, which may be asked for them even then, without harm", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const session = await rig.open();
      const early = listen(session, a.group);
      await session.close();
      const before = early.hints.length;
      const late = listen(session, a.group);
      await settle(rig.ports, a, { a: [] });
      await passMs(SILENCE_MS);
      early.end();
      late.end();
      expect(early.hints).toHaveLength(before);
      expect(late.hints).toEqual([]);
    });
  });
}
