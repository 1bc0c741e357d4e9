/**
 * What a pipeline leaves in the store under names of its own, so that a later version must find it again: the stores of its
 * operators, and the topics between its parts. Operators that keep nothing leave none.
 */
import type { CompiledNode, SubTopology } from "./sub-topology.ts";

/** A store of an operator, as the pipeline declares it. */
export interface StoreFootprint {
  /** The topic that its sub-topology reads. The store has the partitions of that topic. */
  readonly source: string;
  /** What it holds, as text; see {@link shapeOf}. */
  readonly keeps: string;
  /** The version of what it holds, 1 or more. */
  readonly version: number;
  /** Whether what earlier versions wrote can be read. */
  readonly migrates: boolean;
}

/** What a pipeline leaves behind. */
export interface Footprint {
  /** By name. Dead letters are no part of it: versions with other policies may share a group. */
  readonly stores: ReadonlyMap<string, StoreFootprint>;
  /** The topics that changes of key go through, and their number of partitions; `null`: that of the topic in front. */
  readonly repartitions: ReadonlyMap<string, number | null>;
}

/** The footprint of a compiled pipeline, or of a part of one. */
export function footprintOf(subTopologies: readonly SubTopology[]): Footprint {
  const stores = subTopologies.flatMap(({ source, roots }) =>
    roots.flatMap(withAllBehind).flatMap(({ store, spec }) => {
      const { version, migrates } = spec.state ?? { version: 1, migrates: false };
      const kept = { source: source.name, keeps: spec.keeps ?? "", version, migrates };
      return store === null ? [] : [[store, kept] as const];
    }),
  );
  const repartitions = subTopologies.flatMap(({ source, upstream }) =>
    upstream === null ? [] : [[source.name, source.partitions] as const],
  );
  return { stores: new Map(stores), repartitions: new Map(repartitions) };
}

/**
 * The part of what a store keeps that says how it is cut, in front of the first `": "`, as `tumbling 60000 ms` in
 * `tumbling 60000 ms: n count`. What an entry holds can be migrated; which entries there are cannot. `""`: there is no such part.
 */
export function shapeOf(keeps: string): string {
  const end = keeps.indexOf(": ");
  return end < 0 ? "" : keeps.slice(0, end);
}

/** A store for people: what it keeps, and its version. */
export function describeStore({ keeps, version }: Pick<StoreFootprint, "keeps" | "version">): string {
  return version === 1 ? keeps : `${keeps}, version ${version}`;
}

function withAllBehind(node: CompiledNode): readonly CompiledNode[] {
  return [node, ...node.next.flatMap(withAllBehind)];
}
