import { GROUP_TIMES, type GroupHint, type GroupView, type MemberRef, type Ports } from "@millrace/core";
import { beforeEach, describe, expect, it } from "vitest";
import { beat, enter, joinOf, memberNames, owners, settle } from "../src/conformance/group-scene.ts";
import { ok, refused } from "../src/conformance/outcome.ts";
import { createVirtualClock, type MemoryAdapter, memoryAdapter, type VirtualClock } from "../src/index.ts";

const GROUP = "app.pipeline";
const { quietMs, longestQuietMs, quietAfterLossMs, claimMs, memoryMs } = GROUP_TIMES;

let clock: VirtualClock;
let adapter: MemoryAdapter;
let ports: Ports;

beforeEach(async () => {
  clock = createVirtualClock();
  adapter = memoryAdapter({ clock });
  ports = await ok(adapter.open());
});

/** What the store tells somebody who joins as `member`. */
function joining(member: string): Promise<GroupView> {
  return ok(ports.group.join(joinOf(GROUP, member)));
}

describe("proposals in memory", () => {
  it("are due when the members were quiet for the quiet time", async () => {
    expect((await joining("a")).proposal).toBe(quietMs);
    await clock.advance(60);
    expect((await joining("b")).proposal).toBe(quietMs);
    await clock.advance(quietMs - 1);
    const c = await enter(ports, GROUP, "c");
    await clock.advance(quietMs - 1);
    expect((await beat(ports, c)).proposal).toBe(1);
    await clock.advance(1);
    expect((await beat(ports, c)).proposal).toBe(0);
  });

  it("are put off by joins for the longest quiet time at most", async () => {
    const waits: (number | null)[] = [];
    for (let n = 0; n < longestQuietMs / 50; n++) {
      waits.push((await joining(`m${n}`)).proposal);
      await clock.advance(50);
    }
    expect(waits.slice(-3)).toEqual([quietMs, quietMs, 50]);
    expect((await joining("last")).proposal).toBe(0);
  });

  it("begin to be put off anew after a target was stored", async () => {
    const a = await enter(ports, GROUP, "a");
    await clock.advance(longestQuietMs);
    await settle(ports, a, {});
    expect((await beat(ports, a)).proposal).toBeNull();
    expect((await joining("b")).proposal).toBe(quietMs);
  });

  it("are due soon after a loss, and no join puts that off", async () => {
    const [a, b, c] = [await enter(ports, GROUP, "a"), await enter(ports, GROUP, "b"), await enter(ports, GROUP, "c")];
    await settle(ports, a, {});
    expect((await beat(ports, b, { isLeaving: true })).proposal).toBe(quietAfterLossMs);
    await clock.advance(5);
    expect((await joining("d")).proposal).toBe(quietAfterLossMs - 5);
    await ok(ports.group.leave(c));
    expect((await beat(ports, a)).proposal).toBe(quietAfterLossMs - 5);
  });

  it("that wait for joins are due soon when a member is lost meanwhile", async () => {
    const [a, b] = [await enter(ports, GROUP, "a"), await enter(ports, GROUP, "b")];
    await ok(ports.group.leave(b));
    expect((await beat(ports, a)).proposal).toBe(quietAfterLossMs);
  });

  it("are the business of the member with the claim, until it is over or a target is stored", async () => {
    const [a, b] = [await enter(ports, GROUP, "a"), await enter(ports, GROUP, "b")];
    await clock.advance(quietMs);
    expect((await beat(ports, a)).proposal).toBe(0);
    await clock.advance(400);
    expect((await beat(ports, b)).proposal).toBe(claimMs - 400);
    await clock.advance(claimMs - 401);
    expect((await beat(ports, b)).proposal).toBe(1);
    await clock.advance(1);
    expect((await beat(ports, b)).proposal).toBe(0);
    expect((await beat(ports, a)).proposal).toBe(claimMs);
    // A change of the members leaves the claim with whoever has it.
    expect((await joining("c")).proposal).toBe(claimMs);
    await settle(ports, a, {});
    await enter(ports, GROUP, "d");
    await clock.advance(quietMs);
    expect((await beat(ports, a)).proposal).toBe(0);
  });

  it("that are stored are numbered by the clock, and upwards where it stands still", async () => {
    const a = await enter(ports, GROUP, "a");
    const startMs = clock.now();
    expect(await settle(ports, a, {})).toBe(startMs);
    expect(await settle(ports, a, {})).toBe(startMs + 1);
    await clock.advance(1_000);
    expect(await settle(ports, a, {})).toBe(startMs + 1_000);
  });
});

describe("sessions of members in memory", () => {
  it("are over at their very end, not before", async () => {
    await enter(ports, GROUP, "a", { sessionMs: 1_000 });
    const b = await enter(ports, GROUP, "b");
    await settle(ports, b, {});
    await clock.advance(999);
    expect(await beat(ports, b)).toMatchObject({ members: 2, nextExpiryMs: 1 });
    await clock.advance(1);
    expect(await beat(ports, b)).toMatchObject({ members: 1, proposal: quietAfterLossMs });
  });

  it("are all renewed by the first member that finds its own over", async () => {
    const a = await enter(ports, GROUP, "a", { sessionMs: 1_000 });
    await enter(ports, GROUP, "b", { sessionMs: 2_000 });
    await enter(ports, GROUP, "c", { sessionMs: 60_000 });
    await clock.advance(5_000);
    expect(await beat(ports, a)).toMatchObject({ members: 3, nextExpiryMs: 1_000 });
    const { members } = await ok(ports.group.snapshot(GROUP));
    expect(members.map(({ expiresInMs }) => expiresInMs)).toEqual([1_000, 2_000, 55_000]);
  });

  it("are renewed by heartbeats and by repeated joins", async () => {
    const request = joinOf(GROUP, "a", { sessionMs: 1_000 });
    const join = ports.group.join(request);
    await ok(join);
    await clock.advance(600);
    expect((await ok(join)).nextExpiryMs).toBe(1_000);
    await clock.advance(600);
    expect((await beat(ports, request)).nextExpiryMs).toBe(1_000);
  });

  it("are renewed by a take only where they were over", async () => {
    const a = await enter(ports, GROUP, "a", { sessionMs: 1_000 });
    const expiry = async (): Promise<number | undefined> =>
      (await ok(ports.group.snapshot(GROUP))).members[0]?.expiresInMs;
    await clock.advance(400);
    await ok(ports.group.take(a, 0, []));
    expect(await expiry()).toBe(600);
    await clock.advance(600);
    await ok(ports.group.take(a, 0, []));
    expect(await expiry()).toBe(1_000);
  });

  it("of the others are renewed by the next stay of a worker whose own was over", async () => {
    const a = await enter(ports, GROUP, "a", { sessionMs: 1_000 });
    await enter(ports, GROUP, "b", { sessionMs: 1_000 });
    await clock.advance(5_000);
    await enter(ports, GROUP, "a", { previous: a.instance });
    expect(await memberNames(ports, GROUP)).toEqual(["a", "b"]);
  });

  it("of the others end when a worker has just started under the name of one whose own is over", async () => {
    await enter(ports, GROUP, "a", { sessionMs: 1_000 });
    await enter(ports, GROUP, "b", { sessionMs: 1_000 });
    await clock.advance(5_000);
    await enter(ports, GROUP, "a");
    expect(await memberNames(ports, GROUP)).toEqual(["a"]);
  });

  it("stay as they are where a call is refused", async () => {
    await enter(ports, GROUP, "a", { sessionMs: 1_000 });
    const b = await enter(ports, GROUP, "b");
    await clock.advance(5_000);
    const call = ports.group.heartbeat({ ...b, instance: "another" }, { generation: 0, isLeaving: false });
    await refused(call, "Fenced");
    expect(await memberNames(ports, GROUP)).toEqual(["a", "b"]);
  });
});

describe("hand-over in memory", () => {
  let a: MemberRef;
  let b: MemberRef;
  let generation: number;

  beforeEach(async () => {
    a = await enter(ports, GROUP, "a", { sessionMs: 45_000, revocationMs: 30_000 });
    b = await enter(ports, GROUP, "b");
    generation = await settle(ports, a, { a: ["t/0"], b: [] });
    await ok(ports.group.take(a, generation, ["t/0"]));
  });

  it("says until when the holder has time, counted from the first wish", async () => {
    const take = ports.group.take(b, generation, ["t/0"]);
    const held = async (): Promise<unknown> => (await ok(take)).held;
    expect(await held()).toEqual([{ task: "t/0", member: "a", forMs: 30_000 }]);
    await clock.advance(20_000);
    await beat(ports, a);
    expect(await held()).toEqual([{ task: "t/0", member: "a", forMs: 10_000 }]);
    await clock.advance(9_999);
    expect(await held()).toEqual([{ task: "t/0", member: "a", forMs: 1 }]);
    await clock.advance(1);
    expect(await held()).toEqual([]);
    expect(await owners(ports, GROUP)).toEqual(["t/0 b"]);
  });

  it("says when the holder's session is over, where that is earlier", async () => {
    await clock.advance(40_000);
    expect((await ok(ports.group.take(b, generation, ["t/0"]))).held).toMatchObject([{ forMs: 5_000 }]);
    await clock.advance(5_000);
    expect((await ok(ports.group.take(b, generation, ["t/0"]))).granted).toEqual([{ task: "t/0", pausedMs: null }]);
  });

  it("adds the time before the release to the time after it", async () => {
    await ok(ports.group.give(a, { released: [{ task: "t/0", pausedMs: 300 }], completed: [] }));
    await clock.advance(200);
    expect((await ok(ports.group.take(b, generation, ["t/0"]))).granted).toEqual([{ task: "t/0", pausedMs: 500 }]);
  });

  it.each([
    ["released", { released: [{ task: "t/0", pausedMs: 0 }], completed: [] }],
    ["taken over", null],
  ])("remembers who held a task before for five minutes after it was %s", async (_, release) => {
    if (release === null) {
      await ok(ports.group.take(b, generation, ["t/0"]));
      await clock.advance(30_000);
      await ok(ports.group.take(b, generation, ["t/0"]));
    } else {
      await ok(ports.group.give(a, release));
    }
    const past = async (): Promise<unknown> => (await ok(ports.group.snapshot(GROUP))).pastOwners;
    await clock.advance(memoryMs - 1);
    expect(await past()).toEqual([{ task: "t/0", member: "a" }]);
    await clock.advance(1);
    expect(await past()).toEqual([]);
  });

  it("remembers who has a task and is no member any more for as long as nobody takes it", async () => {
    await ok(ports.group.leave(a));
    await clock.advance(10 * memoryMs);
    expect((await ok(ports.group.snapshot(GROUP))).pastOwners).toEqual([{ task: "t/0", member: "a" }]);
  });
});

describe("hints in memory", () => {
  it("come after the call that sends them has done its work, never in the middle of it", async () => {
    const a = await enter(ports, GROUP, "a");
    const seen: (readonly string[])[] = [];
    ports.group.watch(GROUP, () => {
      void memberNames(ports, GROUP).then((names) => seen.push(names));
    });
    await ok(ports.group.leave(a));
    await clock.advance(0);
    expect(seen).toEqual([[]]);
  });

  it("do not come to a listener that stopped, or whose session was closed, while they were on their way", async () => {
    const a = await enter(ports, GROUP, "a");
    const hints: GroupHint[] = [];
    const other = await ok(adapter.open());
    other.group.watch(GROUP, (hint) => hints.push(hint));
    const unwatch = ports.group.watch(GROUP, (hint) => hints.push(hint));
    const left = ports.group.leave(a)();
    unwatch();
    await other.close();
    await left;
    await clock.advance(0);
    expect(hints).toEqual([]);
  });

  it("are sent for what has happened only", async () => {
    const hints: GroupHint[] = [];
    ports.group.watch(GROUP, (hint) => hints.push(hint));
    const a = await enter(ports, GROUP, "a");
    const generation = await settle(ports, a, { a: ["t/0"] });
    await ok(ports.group.take(a, generation, ["t/0"]));
    await ok(ports.group.give(a, { released: [], completed: ["t/0"] }));
    await ok(ports.group.propose({ ...a, epoch: 0, generation: 0, target: {} }));
    const release = ports.group.give(a, { released: [{ task: "t/0", pausedMs: 0 }], completed: [] });
    const leave = ports.group.leave(a);
    for (const call of [release, release, leave, leave]) {
      await call();
    }
    await clock.advance(0);
    expect(hints).toEqual([{ kind: "changed" }, { kind: "released", tasks: ["t/0"] }, { kind: "changed" }]);
  });
});
