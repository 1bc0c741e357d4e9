/** What a member says it owns, and since when. */
export interface Claim {
  readonly member: string;
  readonly task: string;
  /** The generation at which the member acquired the task: whole, higher is newer. */
  readonly generation: number;
}

/**
 * The owner of each task by what the members claim: the highest generation wins, and where two members claim a task at
 * the same highest generation, nobody owns it. A claim by somebody who is no member is void.
 */
export function acceptedOwners(claims: Iterable<Claim>, members: ReadonlySet<string>): ReadonlyMap<string, string> {
  const newest = new Map<string, { readonly generation: number; readonly claimants: ReadonlySet<string> }>();
  for (const { member, task, generation } of claims) {
    const known = newest.get(task);
    if (!members.has(member) || (known !== undefined && known.generation > generation)) {
      continue;
    }
    const others = known?.generation === generation ? known.claimants : [];
    newest.set(task, { generation, claimants: new Set([...others, member]) });
  }
  const owners = new Map<string, string>();
  for (const [task, { claimants }] of newest) {
    const [owner, rival] = claimants;
    if (owner !== undefined && rival === undefined) {
      owners.set(task, owner);
    }
  }
  return owners;
}
