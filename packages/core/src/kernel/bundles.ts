/** Tasks that one member must own together, sorted by what decides where they can and should go. */

/** A task of the group. */
export interface GroupTask {
  readonly id: string;
  readonly subTopology: string;
}

/** What a member has to do with a bundle. */
interface Tie {
  readonly member: string;
  /** How many of the bundle's tasks it owns. */
  readonly owned: number;
  /** How many of them it is remembered to have owned. */
  readonly remembered: number;
}

/** Bundles of one kind with the same ties: which of them goes where makes no difference. */
export interface Lot {
  /** The tasks of each bundle. */
  readonly bundles: readonly (readonly string[])[];
  /** How many tasks of a bundle have an owner. */
  readonly owned: number;
  readonly ties: readonly Tie[];
}

/** Bundles that need the same sub-topologies, hence have equally many tasks. */
export interface BundleKind {
  /** The sub-topology of each task of a bundle. */
  readonly needs: readonly string[];
  /** How many bundles. */
  readonly count: number;
  readonly lots: readonly Lot[];
}

/** Who owns each task, and who did. */
export interface Owners {
  readonly current: ReadonlyMap<string, string>;
  readonly past: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The bundles by kind and by lot, in an order that depends on the tasks and their owners alone. */
export function sortBundles(bundles: Iterable<readonly GroupTask[]>, owners: Owners): readonly BundleKind[] {
  const sorted = [...bundles]
    .map((bundle) => bundle.toSorted(byId))
    .filter(([first]) => first !== undefined)
    .toSorted(([a], [b]) => (a === undefined || b === undefined ? 0 : byId(a, b)));
  return groupBy(sorted, (bundle) => JSON.stringify(needsOf(bundle))).map((kind) => ({
    needs: needsOf(kind[0]),
    count: kind.length,
    lots: lotsOf(kind, owners),
  }));
}

/** The order of ids by code unit, which is the same everywhere. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compare(a.id, b.id);
}

function needsOf(bundle: readonly GroupTask[]): readonly string[] {
  return bundle.map(({ subTopology }) => subTopology).toSorted();
}

function lotsOf(kind: readonly (readonly GroupTask[])[], owners: Owners): readonly Lot[] {
  const tied = kind.map((bundle) => ({
    tasks: bundle.map(({ id }) => id),
    owned: bundle.filter(({ id }) => owners.current.has(id)).length,
    ties: tiesOf(bundle, owners),
  }));
  return groupBy(tied, ({ owned, ties }) => JSON.stringify([owned, ties])).map((lot) => ({
    ...lot[0],
    bundles: lot.map(({ tasks }) => tasks),
  }));
}

function tiesOf(bundle: readonly GroupTask[], { current, past }: Owners): readonly Tie[] {
  const ties = new Map<string, Tie>();
  const tie = (member: string, owned: number, remembered: number): void => {
    const known = ties.get(member) ?? { member, owned: 0, remembered: 0 };
    ties.set(member, { member, owned: known.owned + owned, remembered: known.remembered + remembered });
  };
  for (const { id } of bundle) {
    const owner = current.get(id);
    if (owner !== undefined) {
      tie(owner, 1, 0);
    }
    for (const member of past.get(id) ?? []) {
      tie(member, 0, 1);
    }
  }
  return [...ties.values()].toSorted((a, b) => compare(a.member, b.member));
}

function compare(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}

/** The items that have the same key, in the order in which the keys come up. */
function groupBy<A>(items: readonly A[], keyOf: (item: A) => string): readonly (readonly [A, ...A[]])[] {
  const groups = new Map<string, [A, ...A[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [item]);
    } else {
      group.push(item);
    }
  }
  return [...groups.values()];
}
