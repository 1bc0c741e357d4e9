import { describe, expect, it } from "vitest";
import { acceptedOwners, type Claim } from "../../src/kernel/claims.ts";

const members = new Set(["a", "b", "c"]);

function claims(...list: readonly (readonly [member: string, generation: number])[]): readonly Claim[] {
  return list.map(([member, generation]) => ({ member, generation, task: "t" }));
}

describe("A7: the accepted owner of a task", () => {
  it.each<readonly [string, readonly Claim[], string | undefined]>([
    ["is nobody without a claim", [], undefined],
    ["is its one claimant", claims(["a", 1]), "a"],
    ["is the claimant of the newest generation", claims(["a", 1], ["c", 3], ["b", 2]), "c"],
    ["is nobody when two claim it in the newest generation", claims(["a", 2], ["b", 2], ["c", 1]), undefined],
    ["is the newest claimant, whatever rivals there were before", claims(["a", 2], ["b", 2], ["c", 3]), "c"],
    ["is a member that says so twice", claims(["a", 2], ["a", 2], ["a", 1]), "a"],
    ["is nobody that is no member", claims(["gone", 9], ["a", 1]), "a"],
    ["is nobody when three claim it", claims(["a", 2], ["b", 2], ["c", 2]), undefined],
  ])("%s", (_name, list, owner) => {
    expect(acceptedOwners(list, members).get("t")).toBe(owner);
    expect(acceptedOwners(list.toReversed(), members).get("t")).toBe(owner);
  });
});
