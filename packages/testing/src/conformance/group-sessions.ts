import type { MemberRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { beat, enter, LONG_MS, memberNames, otherStay, SHORT_MS, settle } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { passMs, until } from "./polling.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** For how long a member sends heartbeats whose session is {@link KEPT_MS} long. */
const WHILE_MS = 2_500;

/** Much longer than the time between two calls, on a busy machine too. */
const KEPT_MS = 1_500;

/** Sessions of members: what keeps them, what ends them, and what becomes of a member then. */
export function describeGroupSessions(spec: PortsConformance): void {
  describe("group sessions", () => {
    const rig = useRig(spec);

    /** Waits until the session of `ref` is over; nobody notices by that. */
    async function over(ref: MemberRef): Promise<void> {
      await until(`the session of ${ref.member} is over`, async () => {
        const { members } = await ok(rig.ports.group.snapshot(ref.group));
        return members.some(({ member, expiresInMs }) => member === ref.member && expiresInMs < 0) ? true : null;
      });
    }

    /** Two members whose sessions are over, which nobody has noticed. */
    async function bothOver(): Promise<{ readonly group: string; readonly a: MemberRef }> {
      const made = await until("two members have joined in time", async () => {
        const group = fresh("group");
        const a = await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
        const b = await enter(rig.ports, group, "b", { sessionMs: SHORT_MS });
        return (await memberNames(rig.ports, group)).length === 2 ? { group, a, b } : null;
      });
      await over(made.a);
      await over(made.b);
      return made;
    }

    it("say in every view when the first of them will be over", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a", { sessionMs: 60_000 });
      const alone = (await beat(rig.ports, a)).nextExpiryMs;
      expect(alone).toBeGreaterThan(0);
      expect(alone).toBeLessThanOrEqual(60_000);
      const b = await enter(rig.ports, group, "b", { sessionMs: 30_000 });
      const together = (await beat(rig.ports, a)).nextExpiryMs;
      expect(together).toBeGreaterThan(0);
      expect(together).toBeLessThanOrEqual(30_000);
      await ok(rig.ports.group.leave(b));
      expect((await beat(rig.ports, a)).nextExpiryMs).toBeGreaterThan(30_000);
    });

    it("last as long as there are heartbeats", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a", { sessionMs: KEPT_MS });
      const b = await enter(rig.ports, group, "b");
      const { epoch } = await beat(rig.ports, b);
      const startMs = performance.now();
      while (performance.now() < startMs + WHILE_MS) {
        await beat(rig.ports, a);
        await passMs(50);
        // Were a's session over, it is b that would notice, since its call comes first after the pause.
        expect(await beat(rig.ports, b)).toMatchObject({ epoch, members: 2 });
      }
    });

    it("that are over end with the next heartbeat of another member, which is a change of the members", async () => {
      const group = fresh("group");
      const b = await enter(rig.ports, group, "b");
      const a = await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
      await over(a);
      const { epoch } = await ok(rig.ports.group.snapshot(group));
      const view = await beat(rig.ports, b);
      expect(view).toMatchObject({ members: 1, staying: 1 });
      expect(view.epoch).toBeGreaterThan(epoch);
      expect(view.nextExpiryMs).toBeGreaterThan(SHORT_MS);
      expect(await memberNames(rig.ports, group)).toEqual(["b"]);
    });

    it("that are over end with the next join of another member", async () => {
      const group = fresh("group");
      await enter(rig.ports, group, "c");
      await over(await enter(rig.ports, group, "a", { sessionMs: SHORT_MS }));
      await enter(rig.ports, group, "b");
      expect(await memberNames(rig.ports, group)).toEqual(["b", "c"]);
    });

    it("that are over end when another member takes tasks", async () => {
      const group = fresh("group");
      const b = await enter(rig.ports, group, "b");
      const a = await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
      const generation = await settle(rig.ports, a, { a: ["t/0"] });
      await ok(rig.ports.group.take(a, generation, ["t/0"]));
      await over(a);
      const taken = await ok(rig.ports.group.take(b, generation, ["t/0"]));
      expect(taken).toMatchObject({ granted: [{ task: "t/0" }], held: [] });
      expect(await memberNames(rig.ports, group)).toEqual(["b"]);
    });

    it("that were found over make a member no member, until it joins again", async () => {
      const group = fresh("group");
      const b = await enter(rig.ports, group, "b");
      const a = await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
      await over(a);
      await beat(rig.ports, b);
      await refused(rig.ports.group.heartbeat(a, { generation: 0, isLeaving: false }), "NotMember");
      await refused(rig.ports.group.take(a, 0, ["t/0"]), "NotMember");
      await ok(rig.ports.group.leave(a));
      expect(await beat(rig.ports, b)).toMatchObject({ members: 1 });
      const again = await enter(rig.ports, group, "a", { previous: a.instance });
      expect(await beat(rig.ports, again)).toMatchObject({ members: 2 });
    });

    it("that are over are found so by nobody who only looks", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
      const { epoch } = await beat(rig.ports, a);
      await over(a);
      expect(await ok(rig.ports.group.snapshot(group))).toMatchObject({ epoch, members: [{ member: "a" }] });
      expect(await beat(rig.ports, a)).toMatchObject({ epoch, members: 1 });
    });

    it("that nobody found over go on with the member's own heartbeat, and so do those of the others", async () => {
      const { group, a } = await bothOver();
      const { epoch } = await ok(rig.ports.group.snapshot(group));
      const view = await beat(rig.ports, a);
      expect(view).toMatchObject({ epoch, members: 2 });
      // The one that is over first is not over: all have been renewed.
      expect(view.nextExpiryMs).toBeGreaterThan(0);
      expect(await memberNames(rig.ports, group)).toEqual(["a", "b"]);
    });

    it("that nobody found over go on when the member takes tasks, and so do those of the others", async () => {
      const { group, a } = await bothOver();
      const generation = await settle(rig.ports, a, { a: ["t/0"], b: [] });
      expect(await ok(rig.ports.group.take(a, generation, ["t/0"]))).toMatchObject({ granted: [{ task: "t/0" }] });
      expect(await memberNames(rig.ports, group)).toEqual(["a", "b"]);
    });

    it("that are over do not come back with a heartbeat of somebody else under the member's name", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
      await over(a);
      await refused(rig.ports.group.heartbeat(otherStay(a), { generation: 0, isLeaving: false }), "Fenced");
      expect((await ok(rig.ports.group.snapshot(group))).members[0]?.expiresInMs).toBeLessThan(0);
    });

    it("end one by one: the others stay", async () => {
      const group = fresh("group");
      const [a, b] = [await enter(rig.ports, group, "a"), await enter(rig.ports, group, "b", { sessionMs: LONG_MS })];
      await over(await enter(rig.ports, group, "c", { sessionMs: SHORT_MS }));
      expect(await beat(rig.ports, a)).toMatchObject({ members: 2 });
      expect(await beat(rig.ports, b)).toMatchObject({ members: 2 });
    });
  });
}
