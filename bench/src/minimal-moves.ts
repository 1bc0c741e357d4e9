/**
 * The fewest tasks that have to leave members which stay, so that the group is balanced (docs/spec/group.md, A6: equal
 * weights, one sub-topology).
 *
 * @param owned by each member that is in the group after the change: how many tasks it had before
 * @param tasks of the group
 */
export function minimalMoves(owned: readonly number[], tasks: number): number {
  const share = Math.floor(tasks / owned.length);
  const excess = owned.reduce((sum, count) => sum + Math.max(0, count - share), 0);
  const oneMore = tasks - share * owned.length;
  return excess - Math.min(oneMore, owned.filter((count) => count > share).length);
}
