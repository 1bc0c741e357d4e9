import type { MemberRef, Ports, StoredTopology, TopologyAnswer } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { beat, enter, otherStay, SHORT_MS } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { until } from "./polling.ts";
import { fresh, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const HOUR_MS = 3_600_000;

/** What a topology may be: text is text. */
const ODD = '{"stores":["Straße","a;b"],"to":"東京 🚂\\n"}\r\n\u0000';

/** `Group.topology` and `Group.storeTopology`: what a group remembers of its pipeline. */
export function describeGroupTopology(spec: PortsConformance): void {
  describe("group topology", () => {
    const rig = useRig(spec);

    it("is none in a group that never was, and in one whose members stored none", async () => {
      const group = fresh("group");
      expect(await ok(rig.ports.group.topology(group))).toBeNull();
      await enter(rig.ports, group, "a");
      expect(await ok(rig.ports.group.topology(group))).toBeNull();
    });

    it.each([ODD, ""])("is the text that was stored last, whatever it is: %j", async (text) => {
      const a = await enter(rig.ports, fresh("group"), "a");
      expect(await store(rig.ports, a, null, text)).toBe("stored");
      expect((await found(rig.ports, a)).topology).toBe(text);
    });

    it("is the same for every session, and of one group alone", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const other = await enter(rig.ports, fresh("group"), "a");
      await store(rig.ports, a, null, "first");
      expect(await ok((await rig.open()).group.topology(a.group))).toMatchObject({ topology: "first" });
      expect(await ok(rig.ports.group.topology(other.group))).toBeNull();
    });

    it("changes where the caller knows the last one, and its revision rises", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      await store(rig.ports, a, null, "first");
      const first = await found(rig.ports, a);
      expect(await store(rig.ports, a, first.revision, "second")).toBe("stored");
      const second = await found(rig.ports, a);
      expect(second.topology).toBe("second");
      expect(second.revision).toBeGreaterThan(first.revision);
    });

    it("has a revision as large as the time in ms at least", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      await store(rig.ports, a, null, "first");
      // The clocks of the store and of this process may differ.
      expect((await found(rig.ports, a)).revision).toBeGreaterThan(Date.now() - HOUR_MS);
    });

    it("stays where the caller knows another one, or knows of none", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      expect(await store(rig.ports, a, 7, "first")).toBe("changed");
      expect(await ok(rig.ports.group.topology(a.group))).toBeNull();
      await store(rig.ports, a, null, "first");
      const { revision } = await found(rig.ports, a);
      await store(rig.ports, a, revision, "second");
      const before = await found(rig.ports, a);
      expect(await store(rig.ports, a, null, "third")).toBe("changed");
      expect(await store(rig.ports, a, revision, "third")).toBe("changed");
      expect(await found(rig.ports, a)).toEqual(before);
    });

    it("of many that are stored at once is one", async () => {
      const group = fresh("group");
      const other = await rig.open();
      const members = await Promise.all(["a", "b", "c", "d", "e"].map((member) => enter(rig.ports, group, member)));
      const answers = await Promise.all(
        members.map((ref, n) => store(n % 2 === 0 ? rig.ports : other, ref, null, ref.member)),
      );
      expect(answers.filter((answer) => answer === "stored")).toHaveLength(1);
      expect(answers.filter((answer) => answer === "changed")).toHaveLength(4);
      const winner = members[answers.indexOf("stored")];
      expect((await found(rig.ports, members[0])).topology).toBe(winner?.member);
    });

    it("that is there already is stored, whatever was expected, and keeps its revision", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const b = await enter(rig.ports, a.group, "b");
      await store(rig.ports, a, null, "first");
      const before = await found(rig.ports, a);
      expect(await store(rig.ports, b, null, "first")).toBe("stored");
      expect(await ok(rig.ports.group.storeTopology(b, { expected: 7, topology: "first", onlyAlone: true }))).toBe(
        "stored",
      );
      expect(await found(rig.ports, a)).toEqual(before);
    });

    it("changes no epoch and no session of the others", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const { epoch } = await beat(rig.ports, a);
      await store(rig.ports, a, null, "first");
      expect(await beat(rig.ports, a)).toMatchObject({ epoch, members: 1 });
    });

    it("outlives the members", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      await store(rig.ports, a, null, "first");
      const before = await found(rig.ports, a);
      await ok(rig.ports.group.leave(a));
      expect(await found(rig.ports, a)).toEqual(before);
      await enter(rig.ports, a.group, "b", { plan: {} });
      expect(await found(rig.ports, a)).toEqual(before);
    });

    it("is stored by members only", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const change = { expected: null, topology: "first", onlyAlone: false };
      await refused(rig.ports.group.storeTopology({ ...a, member: "b" }, change), "NotMember");
      await refused(rig.ports.group.storeTopology(otherStay(a), change), "Fenced");
      await ok(rig.ports.group.leave(a));
      await refused(rig.ports.group.storeTopology(a, change), "NotMember");
      expect(await ok(rig.ports.group.topology(a.group))).toBeNull();
    });

    it("is not stored where the caller was to be alone and is not", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const b = await enter(rig.ports, a.group, "b");
      const change = { expected: null, topology: "first", onlyAlone: true };
      expect(await ok(rig.ports.group.storeTopology(a, change))).toBe("shared");
      await beat(rig.ports, b, { isLeaving: true });
      expect(await ok(rig.ports.group.storeTopology(a, change))).toBe("shared");
      expect(await ok(rig.ports.group.topology(a.group))).toBeNull();
      await ok(rig.ports.group.leave(b));
      expect(await ok(rig.ports.group.storeTopology(a, change))).toBe("stored");
    });

    it("is alone with members whose sessions are over, and they are members no more", async () => {
      const a = await enter(rig.ports, fresh("group"), "a");
      const b = await enter(rig.ports, a.group, "b", { sessionMs: SHORT_MS });
      await until("b's session is over", async () => {
        const answer = await ok(
          rig.ports.group.storeTopology(a, { expected: null, topology: "first", onlyAlone: true }),
        );
        return answer === "stored" ? answer : null;
      });
      await refused(rig.ports.group.heartbeat(b, { generation: 0, isLeaving: false }), "NotMember");
    });
  });
}

function store({ group }: Ports, ref: MemberRef, expected: number | null, topology: string): Promise<TopologyAnswer> {
  return ok(group.storeTopology(ref, { expected, topology, onlyAlone: false }));
}

async function found({ group }: Ports, ref: MemberRef | undefined): Promise<StoredTopology> {
  const stored = await ok(group.topology(ref?.group ?? ""));
  if (stored === null) {
    throw new Error("no topology is stored");
  }
  return stored;
}
