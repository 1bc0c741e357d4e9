import type { PlanEntry, PortError } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { beat, enter, joinOf, LONG_MS, SHORT_MS } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { until } from "./polling.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const COUNT: PlanEntry = { partitions: 4, meaning: "count" };

/** What a sub-topology may be called, and what it may mean: text is text. */
const PLAN: Readonly<Record<string, PlanEntry>> = {
  t: COUNT,
  "orders.by-region": { partitions: 1, meaning: "" },
  constructor: { partitions: 2, meaning: '{"stores":["Straße"],"to":["東京 🚂"]}\\n"' },
};

/** The sub-topologies of a group: members that share one understand it in the same way. */
export function describeGroupPlan(spec: PortsConformance): void {
  describe("group plan", () => {
    const rig = useRig(spec);

    it("is what the members bring, together", async () => {
      const group = fresh("group");
      await enter(rig.ports, group, "a", { plan: PLAN });
      await enter(rig.ports, group, "b", { plan: { t: COUNT } });
      await enter(rig.ports, group, "c", { plan: { new: COUNT } });
      await enter(rig.ports, group, "d", { plan: {} });
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual({ ...PLAN, new: COUNT });
    });

    it.each([
      ["number of partitions", { partitions: 6, meaning: "count" }],
      ["meaning", { partitions: 4, meaning: "sum into totals" }],
    ])("refuses a member with another %s of a sub-topology, shows both, and stays as it was", async (_, entry) => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a", { plan: PLAN });
      const before = await beat(rig.ports, a);
      const call = rig.ports.group.join(joinOf(group, "b", { plan: { new: COUNT, t: entry } }));
      await refused(call, "GroupMismatch");
      for (const part of ["t", `${COUNT.partitions}`, COUNT.meaning, `${entry.partitions}`, entry.meaning]) {
        expect(await messageOf(call)).toContain(part);
      }
      expect(await beat(rig.ports, a)).toMatchObject({ epoch: before.epoch, members: 1 });
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual(PLAN);
    });

    it("refuses a later worker of a member's name, and keeps the member", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      await enter(rig.ports, group, "b");
      const plan = { t: { ...COUNT, meaning: "sum" } };
      await refused(rig.ports.group.join(joinOf(group, "a", { plan })), "GroupMismatch");
      expect(await beat(rig.ports, a)).toMatchObject({ members: 2 });
    });

    it("of a group of its own says nothing about others", async () => {
      await enter(rig.ports, fresh("group"), "a");
      await enter(rig.ports, fresh("group"), "a", { plan: { t: { ...COUNT, partitions: 5 } } });
    });

    it("keeps what a member brought after it has left, until somebody brings another one", async () => {
      const group = fresh("group");
      await enter(rig.ports, group, "a", { plan: { t: COUNT } });
      const b = await enter(rig.ports, group, "b", { plan: { u: COUNT } });
      await ok(rig.ports.group.leave(b));
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual({ t: COUNT, u: COUNT });
      const other = { ...COUNT, partitions: 5 };
      await enter(rig.ports, group, "c", { plan: { u: other } });
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual({ t: COUNT, u: other });
      await refused(rig.ports.group.join(joinOf(group, "d", { plan: { u: COUNT } })), "GroupMismatch");
    });

    it("begins anew with whoever joins an empty group", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      await ok(rig.ports.group.leave(a));
      const plan = { t: { partitions: 8, meaning: "sum" } };
      await enter(rig.ports, group, "b", { plan });
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual(plan);
    });

    it("begins anew with the only member's next stay", async () => {
      const group = fresh("group");
      const a = await enter(rig.ports, group, "a");
      const plan = { u: COUNT };
      await enter(rig.ports, group, "a", { previous: a.instance, plan });
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual(plan);
    });

    it("begins anew when the sessions of all others are over", async () => {
      const group = fresh("group");
      await enter(rig.ports, group, "a", { sessionMs: SHORT_MS });
      const plan = { t: { partitions: 8, meaning: "sum" } };
      const call = rig.ports.group.join(joinOf(group, "b", { plan, sessionMs: LONG_MS }));
      const view = await until("a's session is over", async () => {
        const answer = await call();
        return answer._tag === "Left" && answer.left._tag === "GroupMismatch" ? null : ok(async () => answer);
      });
      expect(view).toMatchObject({ members: 1 });
      expect((await ok(rig.ports.group.snapshot(group))).plan).toEqual(plan);
    });
  });
}

async function messageOf(call: TaskEither<PortError, unknown>): Promise<string> {
  const result = await call();
  return result._tag === "Left" ? result.left.message : "";
}
