import { describe, expect, it } from "vitest";
import { beat, enter, joinOf, memberNames, otherStay, settle } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Group.join`, `Group.heartbeat` and `Group.leave`: who is a member. Sessions that end are in `group-sessions.ts`. */
export function describeGroupMembership(spec: PortsConformance): void {
  describe("group membership", () => {
    const rig = useRig(spec);

    it("begins with the first member, which finds no target yet", async () => {
      const view = await ok(rig.ports.group.join(joinOf(fresh("group"), "a")));
      expect(view).toMatchObject({ generation: 0, target: null, members: 1, staying: 1 });
      expect(view).toMatchObject({ completed: 0 });
      expect(view.epoch).toBeGreaterThan(0);
    });

    it("is the same for every session", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const b = await enter(await rig.open(), group, "b");
      expect(await beat(rig.ports, a)).toMatchObject({ members: 2, staying: 2 });
      expect(await beat(rig.ports, b)).toMatchObject({ members: 2, staying: 2 });
    });

    it("is of one group alone", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const { epoch } = await beat(rig.ports, a);
      await enter(rig.ports, fresh("group"), "b");
      expect(await beat(rig.ports, a)).toMatchObject({ epoch, members: 1 });
    });

    it("changes its epoch with every join and leave, and with nothing else", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const epochs = [(await beat(rig.ports, a)).epoch];
      const next = async (): Promise<void> => {
        epochs.push((await beat(rig.ports, a)).epoch);
      };
      await enter(rig.ports, group, "b");
      await next();
      const b = await enter(rig.ports, group, "b");
      await next();
      await ok(rig.ports.group.leave(b));
      await next();
      expect(epochs).toEqual([...new Set(epochs)].toSorted((one, two) => one - two));

      const generation = await settle(rig.ports, a, { a: ["t/0"] });
      await ok(rig.ports.group.take(a, generation, ["t/0"]));
      await ok(rig.ports.group.give(a, { released: [{ task: "t/0", pausedMs: 0 }], completed: [] }));
      expect((await beat(rig.ports, a)).epoch).toBe(epochs.at(-1));
    });

    it("lets in everybody who joins at once, each at an epoch of its own", async () => {
      const group = fresh("group");
      const other = await rig.open();
      const joins = Array.from({ length: 10 }, (_, n) =>
        (n % 2 === 0 ? rig.ports : other).group.join(joinOf(group, `m${n}`)),
      );
      const views = await Promise.all(joins.map(ok));
      expect(new Set(views.map(({ epoch }) => epoch)).size).toBe(10);
      expect(views.map(({ members }) => members).toSorted((one, two) => one - two)).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
      ]);
    });

    it("knows a repeated join by its instance, in another session too", async () => {
      const call = rig.ports.group.join(joinOf(fresh("group"), "a"));
      const first = await ok(call);
      expect(await ok(call)).toMatchObject({ epoch: first.epoch, members: 1 });
      const request = joinOf(fresh("group"), "a");
      const other = await rig.open();
      const views = await Promise.all([ok(rig.ports.group.join(request)), ok(other.group.join(request))]);
      expect(views[0]?.epoch).toBe(views[1]?.epoch);
      expect(views).toMatchObject([{ members: 1 }, { members: 1 }]);
    });

    it("passes to a later worker of the same name; the earlier one is Fenced and changes nothing", async () => {
      const group = fresh("group");
      const earlier = await enter(rig.ports, group, "a", { host: "earlier" });
      const later = await enter(rig.ports, group, "a", { host: "later" });
      await refused(rig.ports.group.heartbeat(earlier, { generation: 0, isLeaving: true }), "Fenced");
      await refused(rig.ports.group.take(earlier, 0, ["t/0"]), "Fenced");
      await ok(rig.ports.group.leave(earlier));
      expect(await beat(rig.ports, later)).toMatchObject({ members: 1, staying: 1 });
      expect(await ok(rig.ports.group.snapshot(group))).toMatchObject({ members: [{ host: "later" }], owners: [] });
    });

    it("passes to a later stay of the same worker", async () => {
      const group = fresh("group");
      const first = await enter(rig.ports, group, "a");
      const second = await enter(rig.ports, group, "a", { previous: first.instance });
      await refused(rig.ports.group.heartbeat(first, { generation: 0, isLeaving: false }), "Fenced");
      expect(await beat(rig.ports, second)).toMatchObject({ members: 1 });
    });

    it("is refused to a worker whose name belongs to a later one by now", async () => {
      const group = fresh("group");
      const earlier = await enter(rig.ports, group, "a");
      const later = await enter(rig.ports, group, "a");
      const before = await beat(rig.ports, later);
      await refused(rig.ports.group.join(joinOf(group, "a", { previous: earlier.instance })), "Fenced");
      expect(await beat(rig.ports, later)).toMatchObject({ epoch: before.epoch, members: 1 });
    });

    it("is open to a worker that comes back when nobody has its name", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      await ok(rig.ports.group.leave(a));
      const again = await enter(rig.ports, group, "a", { previous: a.instance });
      expect(await beat(rig.ports, again)).toMatchObject({ members: 1 });
    });

    it("is needed for a heartbeat and for taking tasks", async () => {
      const group = fresh("group");
      const stranger = otherStay({ group, member: "a", instance: "" });
      const heartbeat = rig.ports.group.heartbeat(stranger, { generation: 0, isLeaving: false });
      await refused(heartbeat, "NotMember");
      await refused(rig.ports.group.take(stranger, 0, ["t/0"]), "NotMember");
      await enter(rig.ports, group, "b");
      await refused(heartbeat, "NotMember");
      expect(await memberNames(rig.ports, group)).toEqual(["b"]);
    });

    it("ends with a leave, as often as it is repeated", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const b = await enter(rig.ports, group, "b");
      const leave = rig.ports.group.leave(b);
      await ok(leave);
      const { epoch } = await beat(rig.ports, a);
      await ok(leave);
      expect(await beat(rig.ports, a)).toMatchObject({ epoch, members: 1 });
      await refused(rig.ports.group.heartbeat(b, { generation: 0, isLeaving: false }), "NotMember");
    });

    it("does not end with the leave of somebody who is no member", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const { epoch } = await beat(rig.ports, a);
      await ok(rig.ports.group.leave(otherStay(a)));
      await ok(rig.ports.group.leave({ ...a, member: "b" }));
      await ok(rig.ports.group.leave({ ...a, group: fresh("group") }));
      expect(await beat(rig.ports, a)).toMatchObject({ epoch, members: 1 });
    });

    it("goes on while a member is about to leave, which the others are told", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const b = await enter(rig.ports, group, "b");
      const { epoch } = await beat(rig.ports, a);
      const announced = await beat(rig.ports, b, { isLeaving: true });
      expect(announced).toMatchObject({ members: 2, staying: 1 });
      expect(announced.epoch).toBeGreaterThan(epoch);
      // Said again, it is nothing new.
      expect((await beat(rig.ports, b, { isLeaving: true })).epoch).toBe(announced.epoch);
      expect(await beat(rig.ports, a)).toMatchObject({ epoch: announced.epoch, members: 2, staying: 1 });
    });
  });
}
