import { describe, expect, it } from "vitest";
import { targetFor } from "../../src/kernel/target.ts";
import { parseTaskId, taskIdOf } from "../../src/kernel/task-id.ts";

const member = (id: string, isLeaving = false) => ({ member: id, weight: 1, runs: ["orders"], isLeaving });
const nothing = { target: {}, owners: [], pastOwners: [] };

describe("the target of a group", () => {
  it("holds every task of the plan once", () => {
    const target = targetFor({ ...nothing, members: [member("a"), member("b")], plan: { orders: { partitions: 5 } } });
    expect(Object.keys(target)).toEqual(["a", "b"]);
    expect(Object.values(target).flat().toSorted()).toEqual([0, 1, 2, 3, 4].map((n) => `orders/${n}`));
  });

  it("gives nothing to a member that leaves, and lists it", () => {
    const members = [member("a"), member("b", true)];
    expect(targetFor({ ...nothing, members, plan: { orders: { partitions: 2 } } })).toEqual({
      a: ["orders/0", "orders/1"],
      b: [],
    });
  });

  it("lets a task that is on its way go on to the member that it was promised to", () => {
    for (const promised of ["a", "b"]) {
      const other = promised === "a" ? "b" : "a";
      const target = targetFor({
        ...nothing,
        members: [member("a"), member("b")],
        plan: { orders: { partitions: 2 } },
        target: { [promised]: ["orders/0"], [other]: ["orders/1"] },
      });
      expect(target).toEqual({ [promised]: ["orders/0"], [other]: ["orders/1"] });
    }
  });
});

describe("a task's id", () => {
  it("has two parts", () => {
    expect(parseTaskId(taskIdOf("orders.eu", 12))).toEqual({ topic: "orders.eu", partition: 12 });
  });

  it.each(["", "orders", "orders/", "/1", "orders/x", "orders/1/2", "orders/-1"])("is not %j", (text) => {
    expect(() => parseTaskId(text)).toThrow(RangeError);
  });
});
