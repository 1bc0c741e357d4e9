import { describe, expect, it } from "vitest";
import {
  assign,
  type GroupMember,
  type GroupState,
  type PastOwner,
  type TargetAssignment,
} from "../../src/kernel/assignor.ts";
import { bundlesOf, claimsOf, movesTo, ownersIn } from "../support/group.ts";

function member(id: string, what: Partial<GroupMember> = {}): GroupMember {
  return { id, runs: ["s"], ...what };
}

function group(members: readonly GroupMember[], partitions: number, what: Partial<GroupState> = {}): GroupState {
  return { members, bundles: bundlesOf("s", partitions), claims: [], pastOwners: [], ...what };
}

/** What everybody is to own, in words: `a: s/0 s/1`. */
function inWords({ tasksOf }: TargetAssignment): readonly string[] {
  return [...tasksOf].map(([id, tasks]) => `${id}: ${tasks.join(" ")}`);
}

/** What a member owned in a target, as the memory of it. */
function memoryOf(target: TargetAssignment, id: string): readonly PastOwner[] {
  return (target.tasksOf.get(id) ?? []).map((task) => ({ member: id, task }));
}

const [a, b, c] = [member("a"), member("b"), member("c")];

describe("the assignor", () => {
  it("A8: undoes every step of a rolling restart, so that each member ends where it began", () => {
    const start = assign(group([a, b, c], 6));
    let now = start;
    for (const leaving of [a, b, c]) {
      const others = [a, b, c].filter((one) => one !== leaving);
      const without = group(others, 6, { claims: claimsOf(now, 1) });
      const meanwhile = assign(without);
      const back = group([a, b, c], 6, { claims: claimsOf(meanwhile, 2), pastOwners: memoryOf(now, leaving.id) });
      now = assign(back);
      expect(movesTo(ownersIn(meanwhile), without)).toBe(0);
      expect(movesTo(ownersIn(now), back)).toBe(2);
      expect(now).toEqual(start);
    }
  });

  it("A8: gives two members that were away at once each its own tasks back, not the other's", () => {
    const start = assign(group([a, b, c], 9));
    const meanwhile = assign(group([a], 9, { claims: claimsOf(start, 1) }));
    const pastOwners = [...memoryOf(start, "c"), ...memoryOf(start, "b")];
    expect(assign(group([a, b, c], 9, { claims: claimsOf(meanwhile, 2), pastOwners }))).toEqual(start);
  });

  it("A8: gives a task without an owner back to the member that had it, if that has not its share already", () => {
    const pastOwners = [0, 1, 2].map((n) => ({ member: "b", task: `s/${n}` }));
    expect(inWords(assign(group([a, b], 4, { pastOwners })))).toEqual(["a: s/2 s/3", "b: s/0 s/1"]);
  });

  it("A6: does not move a task for the sake of memory alone", () => {
    const claims = ["s/0", "s/1"].map((task) => ({ member: "a", task, generation: 3 }));
    const rest = ["s/2", "s/3"].map((task) => ({ member: "b", task, generation: 3 }));
    const pastOwners = [{ member: "b", task: "s/0" }];
    expect(inWords(assign(group([a, b], 4, { claims: [...claims, ...rest], pastOwners })))).toEqual([
      "a: s/0 s/1",
      "b: s/2 s/3",
    ]);
  });

  it("A4: shares out by weight", () => {
    const weighed = [member("a", { weight: 0.5 }), member("b", { weight: 1 }), member("c", { weight: 2.5 })];
    const sizes = (partitions: number): readonly number[] =>
      [...assign(group(weighed, partitions)).tasksOf.values()].map(({ length }) => length);
    expect(sizes(8)).toEqual([1, 2, 5]);
    expect(sizes(4_000)).toEqual([500, 1_000, 2_500]);
  });

  it("counts a weight below a thousandth as one", () => {
    const tiny = [member("a", { weight: Number.MIN_VALUE }), member("b", { weight: 0.001 })];
    expect(inWords(assign(group(tiny, 2)))).toEqual(["a: s/0", "b: s/1"]);
  });

  it("A4: lets the members that can run little do that, and the others the rest", () => {
    const bundles = [...bundlesOf("s", 4), ...bundlesOf("t", 4)];
    const able = [member("a", { runs: ["t", "s"] }), b];
    const target = assign({ ...group(able, 0), bundles });
    expect(inWords(target)).toEqual(["a: t/0 t/1 t/2 t/3", "b: s/0 s/1 s/2 s/3"]);
  });

  it("A5: shares out each sub-topology, not only all of them together", () => {
    const everything = ["a", "b", "c", "d"].map((id) => member(id, { runs: ["s", "t"] }));
    const bundles = [...bundlesOf("s", 4), ...bundlesOf("t", 8)];
    for (const tasks of assign({ ...group(everything, 0), bundles }).tasksOf.values()) {
      expect(tasks.map((task) => task[0])).toEqual(["s", "t", "t"]);
    }
  });

  it("keeps co-partitioned tasks together, also where their owners differed", () => {
    const both = [member("a", { runs: ["s", "t"] }), member("b", { runs: ["s", "t"] }), c];
    const bundles = [0, 1].map((n) => ["s", "t"].map((sub) => ({ id: `${sub}/${n}`, subTopology: sub })));
    const claims = [
      { member: "c", task: "s/0", generation: 1 },
      { member: "b", task: "t/0", generation: 1 },
    ];
    expect(inWords(assign({ ...group(both, 0), bundles, claims }))).toEqual(["a: s/1 t/1", "b: s/0 t/0", "c: "]);
  });

  it("A3: names what no member can run, and what must stay with it", () => {
    const bundles = [
      ...bundlesOf("s", 1),
      ...bundlesOf("new", 2),
      [
        { id: "new/0x", subTopology: "s" },
        { id: "y", subTopology: "new" },
      ],
    ];
    const target = assign({ ...group([a], 0), bundles });
    expect(inWords(target)).toEqual(["a: s/0"]);
    expect(target.unassigned).toEqual(["new/0", "new/0x", "new/1", "y"]);
  });

  it("leaves members without tasks where there are more members than tasks, and everything where there is none", () => {
    expect(inWords(assign(group([c, b, a], 2)))).toEqual(["a: s/0", "b: s/1", "c: "]);
    expect(assign(group([], 2))).toEqual({ tasksOf: new Map(), unassigned: ["s/0", "s/1"] });
    expect(inWords(assign(group([a], 0)))).toEqual(["a: "]);
  });

  it("A7: lets the newest claim win, also when its member cannot run the task any more", () => {
    const claims = [
      { member: "a", task: "s/0", generation: 8 },
      { member: "b", task: "s/0", generation: 9 },
      { member: "a", task: "s/1", generation: 9 },
      { member: "b", task: "s/1", generation: 9 },
    ];
    const one = group([a, member("b", { runs: [] })], 2, { claims });
    expect(movesTo(ownersIn(assign(one)), one)).toBe(1);
    expect(inWords(assign(group([a, b], 2, { claims })))).toEqual(["a: s/1", "b: s/0"]);
  });

  it("copes with 10,000 tasks and 500 members, and moves no more than the newcomer's share when one joins", () => {
    const names = Array.from({ length: 10 }, (_, at) => `s${at}`);
    const many = Array.from({ length: 501 }, (_, at) => member(`m${at}`, { runs: names }));
    const bundles = names.flatMap((name) => bundlesOf(name, 1_000));
    const before = { ...group(many.slice(0, 500), 0), bundles };
    const joined = { ...before, members: many, claims: claimsOf(assign(before), 1) };
    const owners = ownersIn(assign(joined));
    expect(joined.claims.filter(({ task, member: owner }) => owners.get(task) !== owner)).toHaveLength(19);
  });

  it("takes ids for text, whatever they are", () => {
    const odd = ["__proto__", "constructor", "", "a,b", '"'].map((id) => member(id));
    const tasks = odd.map(({ id }) => [{ id, subTopology: "s" }]);
    const target = assign({ ...group(odd, 0), bundles: tasks });
    expect([...target.tasksOf.values()].map(({ length }) => length)).toEqual([1, 1, 1, 1, 1]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1_000.5])("refuses the weight %d", (weight) => {
    expect(() => assign(group([member("a", { weight })], 1))).toThrow(
      new RangeError(`the weight of member "a" is ${weight}: it must be above 0 and at most 1000`),
    );
  });

  it("refuses a member or a task that is listed twice", () => {
    expect(() => assign(group([a, b, a], 1))).toThrow(new RangeError('member "a" is listed twice'));
    expect(() => assign({ ...group([a], 0), bundles: [...bundlesOf("s", 2), ...bundlesOf("s", 1)] })).toThrow(
      new RangeError('task "s/0" is listed twice'),
    );
  });
});
