/**
 * Which member of one level (see `fair-levels.ts`) gets which of its bundles: the cheapest flow from the bundles to the
 * members.
 *
 *     source → lot → member that has a tie to it ─┐
 *               └──→ kind → any member that can ──┴→ [the member's part of the kind] → member → sink
 *
 * Prices come in three ranks, each above anything the lower ones can add up to: a place above a member's rounded-down
 * share, a task taken from its owner, a task that does not come back to a remembered owner. Every member has its share
 * rounded down at no price and one place more, if its share is no whole number, at the highest price, so that the
 * cheapest flow gives everybody at least the share rounded down. Where all members of the level can run everything in it,
 * the same holds within each kind (the part in brackets). Such a flow exists: without rounding, the shares themselves
 * are one, and with whole bounds there is then one in whole numbers.
 */
import type { BundleKind, Lot } from "./bundles.ts";
import { type FlowEdge, FlowNetwork, type FlowNode, flowOf } from "./min-cost-flow.ts";

/** A member that shares in a level. */
export interface Sharer {
  readonly id: string;
  /** Whole number >= 1. */
  readonly weight: number;
}

/** A kind of bundle, and who of the level can run it. */
export interface SharedKind<S extends Sharer> extends BundleKind {
  readonly sharers: readonly S[];
}

/** A bundle and the member that is to own it. */
export interface Placement<S extends Sharer> {
  readonly sharer: S;
  readonly tasks: readonly string[];
}

/** Places every bundle of a level. `sharers` are all of its members. */
export function placeLevel<S extends Sharer>(
  sharers: readonly S[],
  kinds: readonly SharedKind<S>[],
): readonly Placement<S>[] {
  const network = new FlowNetwork();
  const price = priceList(kinds);
  const count = kinds.reduce((sum, kind) => sum + kind.count, 0);
  const weight = sharers.reduce((sum, sharer) => sum + sharer.weight, 0);
  const isUniform = kinds.every((kind) => kind.sharers.length === sharers.length);
  const connectShare = (from: FlowNode, to: FlowNode, part: number): void => {
    const least = Math.floor(part / weight);
    if (least > 0) {
      network.connect(from, to, least, 0);
    }
    if (part > least * weight) {
      network.connect(from, to, 1, price.aboveShare);
    }
  };
  const members = new Map(
    sharers.map((sharer) => {
      const node = network.node();
      connectShare(node, network.sink, count * sharer.weight);
      return [sharer.id, node] as const;
    }),
  );
  const entriesOf = (kind: SharedKind<S>): ReadonlyMap<string, Entry<S>> => {
    const entries = new Map<string, Entry<S>>();
    for (const sharer of kind.sharers) {
      const member = members.get(sharer.id);
      const node = isUniform ? network.node() : member;
      if (member === undefined || node === undefined) {
        continue;
      }
      if (isUniform) {
        connectShare(node, member, kind.count * sharer.weight);
      }
      entries.set(sharer.id, { sharer, node });
    }
    return entries;
  };
  const ways = kinds.map((kind) => connectKind(kind, entriesOf(kind), { network, price }));
  network.fill();
  return ways.flatMap(handOut);
}

/** Where a kind's bundles come in to a member. */
interface Entry<S extends Sharer> {
  readonly sharer: S;
  readonly node: FlowNode;
}

interface Way<S extends Sharer> {
  readonly sharer: S;
  readonly edge: FlowEdge;
}

/** The ways that the bundles of a kind may take. */
interface KindWays<S extends Sharer> {
  readonly lots: readonly { readonly bundles: Lot["bundles"]; readonly direct: readonly Way<S>[] }[];
  /** For bundles that do not go where they have a tie. */
  readonly other: readonly Way<S>[];
}

interface PriceList {
  readonly aboveShare: number;
  /** What it costs when a bundle goes to a member that owns and has owned so many of its tasks. */
  readonly of: (lot: Lot, owned: number, remembered: number) => number;
}

function priceList(kinds: readonly BundleKind[]): PriceList {
  const tasks = kinds.reduce((sum, { count, needs }) => sum + count * needs.length, 0);
  const perMove = tasks + 1;
  return {
    aboveShare: perMove * perMove,
    of: (lot, owned, remembered) => perMove * (lot.owned - owned) + (lot.bundles[0]?.length ?? 0) - remembered,
  };
}

function connectKind<S extends Sharer>(
  { lots }: BundleKind,
  entries: ReadonlyMap<string, Entry<S>>,
  { network, price }: { readonly network: FlowNetwork; readonly price: PriceList },
): KindWays<S> {
  const kindNode = network.node();
  return {
    lots: lots.map((lot) => {
      const count = lot.bundles.length;
      const node = network.node();
      network.connect(network.source, node, count, 0);
      const direct = lot.ties.flatMap(({ member, owned, remembered }) => {
        const entry = entries.get(member);
        return entry === undefined
          ? []
          : { sharer: entry.sharer, edge: network.connect(node, entry.node, count, price.of(lot, owned, remembered)) };
      });
      network.connect(node, kindNode, count, price.of(lot, 0, 0));
      return { bundles: lot.bundles, direct };
    }),
    other: [...entries.values()].map(({ sharer, node }) => ({
      sharer,
      edge: network.connect(kindNode, node, Number.POSITIVE_INFINITY, 0),
    })),
  };
}

/** Turns how many bundles go a way into which ones. */
function handOut<S extends Sharer>({ lots, other }: KindWays<S>): readonly Placement<S>[] {
  const direct = lots.map((lot) => deal(lot.bundles, lot.direct));
  const rest = deal(
    direct.flatMap(({ left }) => left),
    other,
  );
  return [...direct, rest].flatMap(({ placements }) => placements);
}

function deal<S extends Sharer>(
  bundles: Lot["bundles"],
  ways: readonly Way<S>[],
): { readonly placements: readonly Placement<S>[]; readonly left: Lot["bundles"] } {
  let dealt = 0;
  const placements = ways.flatMap(({ sharer, edge }) => {
    const from = dealt;
    dealt += flowOf(edge);
    return bundles.slice(from, dealt).map((tasks) => ({ sharer, tasks }));
  });
  return { placements, left: bundles.slice(dealt) };
}
