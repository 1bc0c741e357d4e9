import type { GroupState } from "../../src/kernel/assignor.ts";
import type { GroupTask } from "../../src/kernel/bundles.ts";
import { balanceOf, canRun, movesTo, rememberedIn } from "./group.ts";

/** The owners in every valid and complete assignment of a tiny group. */
export function everyAssignment({ members, bundles }: GroupState): readonly ReadonlyMap<string, string>[] {
  const everybody = [...members];
  let all: readonly (readonly (readonly [GroupTask, string])[])[] = [[]];
  for (const bundle of bundles) {
    const able = everybody.filter((member) => canRun(member, bundle));
    if (able.length > 0) {
      all = all.flatMap((so) => able.map(({ id }) => [...so, ...bundle.map((task) => [task, id] as const)]));
    }
  }
  return all.map((pairs) => new Map(pairs.map(([{ id }, owner]) => [id, owner])));
}

/** What the best of all balanced assignments reach: the fewest moves, and with these the most tasks at remembered owners. */
export function optimumOf(group: GroupState): { readonly moves: number; readonly remembered: number } {
  const imbalances = balanceOf(group);
  const balanced = everyAssignment(group).filter((owners) => imbalances(owners).length === 0);
  const moves = Math.min(...balanced.map((owners) => movesTo(owners, group)));
  const best = balanced.filter((owners) => movesTo(owners, group) === moves);
  return { moves, remembered: Math.max(...best.map((owners) => rememberedIn(owners, group))) };
}
