import type { PortError, Ports } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { GROUP_CALLS } from "./group-calls.ts";
import { joinOf } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** Makes a call, and says what it came to. */
type Run = <A>(call: TaskEither<PortError, A>) => Promise<A>;

/** Every reply to a first call is lost; the caller goes by the second one. */
const answeredLate: Run = async (call) => {
  await ok(call);
  return ok(call);
};

/** Every call arrives a second time after its reply. */
const repeatedLate: Run = async (call) => {
  const answer = await ok(call);
  await ok(call);
  return answer;
};

/** Every call is on its way twice at once. */
const sentTwice: Run = async (call) => {
  const [answer] = await Promise.all([ok(call), ok(call)]);
  return answer;
};

/** `Group` where replies are lost, the store is full, or a foreign type lies in its place. */
export function describeGroupFaults(spec: PortsConformance): void {
  describe("group in trouble", () => {
    const rig = useRig(spec);

    it.each([
      ["its reply is lost", answeredLate],
      ["it arrives again later", repeatedLate],
      ["it is sent twice at once", sentTwice],
    ])("comes to the same when every call is repeated because %s", async (_, run) => {
      expect(await history(rig.ports, run)).toEqual(await history(rig.ports, ok));
    });

    it("needs no room", async ({ skip }) => {
      const exhaust = need(rig.target.exhaust, skip);
      const expected = await history(rig.ports, ok);
      const relieve = await exhaust(await rig.topic(), 0);
      try {
        expect(await history(rig.ports, ok)).toEqual(expected);
      } finally {
        await relieve();
      }
    });

    it.for(GROUP_CALLS)("reports a foreign type in place of the membership to %s", async ([, call], { skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const group = fresh("group");
      await corrupt({ kind: "group", group });
      await refused(call(rig.ports, { group, member: "a", instance: fresh("instance") }), "WrongType");
    });
  });
}

/** Calls of every kind, by two members that come, hand tasks over, complete them and go; returns what is left of it. */
async function history({ group: port }: Ports, run: Run): Promise<unknown> {
  const group = fresh("group");
  const [a, b] = [joinOf(group, "a"), joinOf(group, "b")];
  const seen: unknown[] = [];
  /** What a heartbeat of `a` shows, without times and without numbers that come from the clock. */
  async function look(isLeaving: boolean): Promise<{ readonly epoch: number; readonly generation: number }> {
    const view = await run(port.heartbeat(a, { generation: 0, isLeaving }));
    const { epoch, generation, target, members, staying, completed } = view;
    seen.push({ epoch, target: target?.toSorted() ?? null, members, staying, completed });
    return { epoch, generation };
  }

  await run(port.join(a));
  await run(port.join(b));
  seen.push(await run(port.storeTopology(a, { expected: null, topology: "first", onlyAlone: false })));
  seen.push(await run(port.storeTopology(b, { expected: null, topology: "late", onlyAlone: false })));
  await run(port.propose({ ...a, ...(await look(false)), target: { a: ["t/0", "t/1"], b: ["t/2"] } }));
  const first = await look(false);
  await run(port.take(a, first.generation, ["t/0", "t/1"]));
  await run(port.take(b, first.generation, ["t/2", "t/1"]));
  seen.push(await run(port.give(b, { released: [], completed: ["t/2"] })));
  await run(port.propose({ ...a, ...(await look(true)), target: { a: [], b: ["t/0", "t/1", "t/2"] } }));
  seen.push(await run(port.give(a, { released: [{ task: "t/0", pausedMs: 9 }], completed: ["t/1"] })));
  const second = await look(true);
  await run(port.take(b, second.generation, ["t/0", "t/1"]));
  await run(port.leave(a));
  await run(port.join({ ...a, instance: fresh("instance"), previous: a.instance, host: "again" }));
  await run(port.leave(b));

  const { generation, members, owners, pastOwners, completed, ...rest } = await run(port.snapshot(group));
  return {
    ...rest,
    seen,
    members: sorted(members.map(({ member, isLeaving, host }) => ({ member, isLeaving, host }))),
    isAtSecond: generation === second.generation,
    owners: sorted(owners.map((owner) => ({ task: owner.task, member: owner.member }))),
    pastOwners: sorted(pastOwners.map(({ task, member }) => ({ task, member }))),
    completed: completed.toSorted(),
    topology: (await run(port.topology(group)))?.topology,
  };
}

function sorted(found: readonly object[]): readonly string[] {
  return found.map((each) => JSON.stringify(each)).toSorted();
}
