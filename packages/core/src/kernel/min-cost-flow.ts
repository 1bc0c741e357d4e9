/**
 * The cheapest of the largest flows through a network of whole capacities and costs >= 0.
 *
 * Primal-dual: potentials keep every reduced cost >= 0 (Dijkstra), and Dinic's algorithm fills the edges whose reduced cost
 * is 0 before the potentials move on, so that there are as many rounds as there are different path costs, not as many as
 * there are paths (Ahuja, Magnanti, Orlin, "Network Flows", 1993, §9.8). The same calls in the same order give the same
 * flow.
 */
import { MinHeap } from "./min-heap.ts";

/** A place of the network; made by {@link FlowNetwork.node}. */
export interface FlowNode {
  readonly edges: FlowEdge[];
  potential: number;
  distance: number;
  /** Steps from the source among the edges that cost nothing more; -1: not reached. */
  depth: number;
  /** The first edge that may still lead on to the sink. */
  cursor: number;
}

/** A way between two nodes; made by {@link FlowNetwork.connect}. */
export interface FlowEdge {
  readonly to: FlowNode;
  readonly cost: number;
  /** What more may flow. */
  room: number;
  /** The way back: its room is what flows. */
  readonly back: FlowEdge;
}

/** A network with one source and one sink. Build it, call {@link fill} once, then ask {@link flowOf}. */
export class FlowNetwork {
  private readonly nodes: FlowNode[] = [];
  readonly source: FlowNode = this.node();
  readonly sink: FlowNode = this.node();

  node(): FlowNode {
    const node: FlowNode = { edges: [], potential: 0, distance: 0, depth: 0, cursor: 0 };
    this.nodes.push(node);
    return node;
  }

  /** Lets up to `capacity` (whole, or infinite) flow from one node to another, at `cost` (>= 0) each. */
  connect(from: FlowNode, to: FlowNode, capacity: number, cost: number): FlowEdge {
    const there: { -readonly [K in keyof FlowEdge]?: FlowEdge[K] } = { to, cost, room: capacity };
    const back: FlowEdge = { to: from, cost: -cost, room: 0, back: there as FlowEdge };
    there.back = back;
    from.edges.push(there as FlowEdge);
    to.edges.push(back);
    return there as FlowEdge;
  }

  /** Finds the flow. */
  fill(): void {
    while (this.findCheapest()) {
      while (this.findShortest()) {
        while (this.pushPath()) {
          // Every call fills one path.
        }
      }
    }
  }

  /** The nodes that nothing more can flow from to the sink: the larger side of a smallest cut, once filled. */
  cutOff(): ReadonlySet<FlowNode> {
    const open = new Set([this.sink]);
    for (const node of open) {
      for (const { to, back } of node.edges) {
        if (back.room > 0) {
          open.add(to);
        }
      }
    }
    return new Set(this.nodes.filter((node) => !open.has(node)));
  }

  /** Moves the potentials to the cheapest way that has room; `false` where there is none. */
  private findCheapest(): boolean {
    const { source, sink } = this;
    for (const node of this.nodes) {
      node.distance = Number.POSITIVE_INFINITY;
    }
    source.distance = 0;
    const heap = new MinHeap<FlowNode>();
    heap.push(0, source);
    for (let top = heap.pop(); top !== undefined && top.item !== sink; top = heap.pop()) {
      if (top.rank === top.item.distance) {
        relax(top.item, heap);
      }
    }
    if (sink.distance === Number.POSITIVE_INFINITY) {
      return false;
    }
    for (const node of this.nodes) {
      node.potential += Math.min(node.distance, sink.distance);
    }
    return true;
  }

  /** Numbers the nodes by their distance in edges that cost nothing more; `false` when the sink is not among them. */
  private findShortest(): boolean {
    for (const node of this.nodes) {
      node.depth = -1;
      node.cursor = 0;
    }
    this.source.depth = 0;
    const reached = [this.source];
    for (const node of reached) {
      for (const edge of node.edges) {
        if (edge.to.depth === -1 && isOpen(node, edge)) {
          edge.to.depth = node.depth + 1;
          reached.push(edge.to);
        }
      }
    }
    return this.sink.depth !== -1;
  }

  /** Fills one shortest path; `false` when none is left. */
  private pushPath(): boolean {
    const path: FlowEdge[] = [];
    let at = this.source;
    while (at !== this.sink) {
      const edge = nextEdge(at);
      if (edge !== undefined) {
        path.push(edge);
        at = edge.to;
        continue;
      }
      const deadEnd = path.pop();
      if (deadEnd === undefined) {
        return false;
      }
      at = deadEnd.back.to;
      at.cursor += 1;
    }
    const amount = path.reduce((least, { room }) => Math.min(least, room), Number.POSITIVE_INFINITY);
    for (const edge of path) {
      edge.room -= amount;
      edge.back.room += amount;
    }
    return true;
  }
}

/** How much flows through an edge. */
export function flowOf(edge: FlowEdge): number {
  return edge.back.room;
}

function relax(node: FlowNode, heap: MinHeap<FlowNode>): void {
  for (const { to, cost, room } of node.edges) {
    if (room > 0) {
      const distance = node.distance + cost + node.potential - to.potential;
      if (distance < to.distance) {
        to.distance = distance;
        heap.push(distance, to);
      }
    }
  }
}

/** Whether an edge has room and costs nothing beyond the potentials. */
function isOpen(from: FlowNode, { to, cost, room }: FlowEdge): boolean {
  return room > 0 && cost + from.potential === to.potential;
}

function nextEdge(node: FlowNode): FlowEdge | undefined {
  for (; node.cursor < node.edges.length; node.cursor++) {
    const edge = node.edges[node.cursor];
    if (edge !== undefined && edge.to.depth === node.depth + 1 && isOpen(node, edge)) {
      return edge;
    }
  }
  return undefined;
}
