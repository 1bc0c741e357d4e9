/**
 * Who carries how much when everybody carries as evenly as the capabilities allow.
 *
 * The fair distribution is the one, fractions allowed, whose heaviest load for its weight is as light as possible, then
 * the second heaviest, and so on; it is unique (Megiddo 1974, "Optimal flows in networks with multiple sources and
 * sinks"). It has levels: the loads of a level are carried by its carriers alone, each in proportion to its weight.
 * The first level is the bottleneck: the loads with the most to carry for the weight of all who can carry any of them.
 *
 * Invariants: (F1) within a level, load for weight is the same for every carrier; (F2) it falls from level to level;
 * (F3) whoever could carry a load is in the load's level or in an earlier one. So no load could move to a carrier that
 * has less to do for its weight. Nothing is rounded: all numbers are whole, and the sum of counts times the sum of weights
 * has to stay below 2^53.
 */
import { FlowNetwork } from "./min-cost-flow.ts";

/** Somebody, or several who can carry the same. */
export interface Carrier {
  /** Whole number >= 1. */
  readonly weight: number;
}

/** Equal pieces that the same carriers can carry, at least one of them. */
export interface Load<C extends Carrier> {
  /** Whole number >= 1. */
  readonly count: number;
  readonly carriers: readonly C[];
}

/** Loads, and the carriers that share them. */
export interface Level<C extends Carrier, L extends Load<C>> {
  readonly loads: readonly L[];
  readonly carriers: readonly C[];
}

/** The levels, from the bottleneck down. A carrier that can carry nothing is in none. */
export function fairLevels<C extends Carrier, L extends Load<C>>(loads: readonly L[]): readonly Level<C, L>[] {
  const levels: Level<C, L>[] = [];
  const taken = new Set<C>();
  let rest = loads;
  while (rest.length > 0) {
    const level = bottleneck<C, L>(rest, taken);
    levels.push(level);
    for (const carrier of level.carriers) {
      taken.add(carrier);
    }
    const inLevel = new Set(level.loads);
    rest = rest.filter((load) => !inLevel.has(load));
  }
  return levels;
}

/**
 * The largest set of loads with the highest ratio of count to weight (Dinkelbach 1967): as long as a cut shows loads that
 * do not fit at a ratio, theirs is the next to try.
 */
function bottleneck<C extends Carrier, L extends Load<C>>(loads: readonly L[], taken: ReadonlySet<C>): Level<C, L> {
  let level = levelOf<C, L>(loads, taken);
  for (;;) {
    const next = levelOf<C, L>(overfull(level, loads, taken), taken);
    if (countOf(next) * weightOf(level) === countOf(level) * weightOf(next)) {
      return next;
    }
    level = next;
  }
}

/** The loads that have no room to spare when every carrier may carry as much for its weight as in `level`. */
function overfull<C extends Carrier, L extends Load<C>>(
  level: Level<C, L>,
  loads: readonly L[],
  taken: ReadonlySet<C>,
): readonly L[] {
  const network = new FlowNetwork();
  const count = countOf(level);
  const weight = weightOf(level);
  const carriers = new Map(
    levelOf<C, L>(loads, taken).carriers.map((carrier) => {
      const node = network.node();
      network.connect(node, network.sink, count * carrier.weight, 0);
      return [carrier, node] as const;
    }),
  );
  const nodes = loads.map((load) => {
    const node = network.node();
    network.connect(network.source, node, load.count * weight, 0);
    for (const carrier of load.carriers) {
      const to = carriers.get(carrier);
      if (to !== undefined) {
        network.connect(node, to, Number.POSITIVE_INFINITY, 0);
      }
    }
    return [load, node] as const;
  });
  network.fill();
  const cutOff = network.cutOff();
  return nodes.filter(([, node]) => cutOff.has(node)).map(([load]) => load);
}

function levelOf<C extends Carrier, L extends Load<C>>(loads: readonly L[], taken: ReadonlySet<C>): Level<C, L> {
  const carriers = new Set(loads.flatMap((load) => load.carriers));
  return { loads, carriers: [...carriers].filter((carrier) => !taken.has(carrier)) };
}

function countOf<C extends Carrier, L extends Load<C>>({ loads }: Level<C, L>): number {
  return loads.reduce((sum, { count }) => sum + count, 0);
}

function weightOf<C extends Carrier, L extends Load<C>>({ carriers }: Level<C, L>): number {
  return carriers.reduce((sum, { weight }) => sum + weight, 0);
}
