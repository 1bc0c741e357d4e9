import * as fc from "fast-check";

/** Who takes part in a history. */
const MEMBERS = ["a", "b", "c"];

/** What they share. */
export const TASKS = ["t/0", "t/1", "t/2", "t/3"];

/** Has to give a task up as soon as it is asked for it; the others may when they want to. */
export const QUICK = "c";

/** What a worker names as its stay before: none; its last one; one before that. Or it repeats its join. */
export type Entrance = "new" | "next" | "outdated" | "again";

/** A call by a member; `stay` counts back from its latest one. */
interface Of<Kind extends string> {
  readonly kind: Kind;
  readonly member: string;
  readonly stay: number;
}

/** What the members try, earlier stays of them now and then; `behind` is by how much what they know is outdated. */
export type Step =
  | { readonly kind: "join"; readonly member: string; readonly as: Entrance }
  | (Of<"heartbeat"> & { readonly isLeaving: boolean; readonly knows: boolean })
  | Of<"leave">
  | { readonly kind: "propose"; readonly shares: readonly number[]; readonly behind: number }
  | (Of<"take"> & { readonly tasks: readonly string[]; readonly behind: number })
  | (Of<"give"> & { readonly released: readonly string[]; readonly completed: readonly string[] });

const member = fc.constantFrom(...MEMBERS);
const tasks = fc.subarray(TASKS);
const rarely = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constant(1));
const sometimes = fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true));
const entrance = fc.constantFrom<Entrance>("new", "next", "outdated", "again");
const shares = fc.array(fc.nat(5), { minLength: TASKS.length, maxLength: TASKS.length });

function by<Kind extends string>(kind: Kind): { readonly [Key in keyof Of<Kind>]: fc.Arbitrary<Of<Kind>[Key]> } {
  return { kind: fc.constant(kind), member, stay: rarely };
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("join"), member, as: entrance }) },
  { weight: 2, arbitrary: fc.record({ ...by("heartbeat"), isLeaving: sometimes, knows: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record(by("leave")) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("propose"), shares, behind: rarely }) },
  { weight: 7, arbitrary: fc.record({ ...by("take"), tasks, behind: rarely }) },
  { weight: 4, arbitrary: fc.record({ ...by("give"), released: tasks, completed: tasks }) },
);

/** Steps of a history, in which joins, hand-overs and late calls of earlier stays all happen often. */
export const anySteps: fc.Arbitrary<readonly Step[]> = fc.array(anyStep, { minLength: 5, maxLength: 40 });
