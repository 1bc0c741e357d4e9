import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlowNetwork, flowOf } from "../../src/kernel/min-cost-flow.ts";

/** Up to four senders, each with something to send, up to three receivers with room, and what a way costs, if there is one. */
const network = fc.record({
  rooms: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
  senders: fc.array(
    fc.record({
      amount: fc.nat({ max: 2 }),
      costs: fc.array(fc.option(fc.nat({ max: 9 }), { freq: 3 }), { minLength: 3, maxLength: 3 }),
    }),
    { maxLength: 4 },
  ),
});

interface Result {
  readonly amount: number;
  readonly cost: number;
}

/** The cheapest of the largest ways to send everything, one piece at a time and wherever it may go. */
function best(pieces: readonly (readonly (number | null)[])[], rooms: readonly number[]): Result {
  const [piece, ...rest] = pieces;
  if (piece === undefined) {
    return { amount: 0, cost: 0 };
  }
  let found = best(rest, rooms);
  for (const [at, room] of rooms.entries()) {
    const cost = piece[at] ?? null;
    if (room > 0 && cost !== null) {
      const more = best(rest, rooms.with(at, room - 1));
      const sent = { amount: more.amount + 1, cost: more.cost + cost };
      if (sent.amount > found.amount || (sent.amount === found.amount && sent.cost < found.cost)) {
        found = sent;
      }
    }
  }
  return found;
}

describe("the flow through a network", () => {
  it("is the cheapest of the largest", () => {
    fc.assert(
      fc.property(network, ({ rooms, senders }) => {
        const flow = new FlowNetwork();
        const receivers = rooms.map((room) => {
          const node = flow.node();
          flow.connect(node, flow.sink, room, 0);
          return node;
        });
        const edges = senders.flatMap(({ amount, costs }) => {
          const node = flow.node();
          flow.connect(flow.source, node, amount, 0);
          return receivers.flatMap((receiver, at) => {
            const cost = costs[at] ?? null;
            return cost === null ? [] : [flow.connect(node, receiver, Number.POSITIVE_INFINITY, cost)];
          });
        });
        flow.fill();
        const pieces = senders.flatMap(({ amount, costs }) => Array.from({ length: amount }, () => costs));
        expect({
          amount: edges.reduce((sum, edge) => sum + flowOf(edge), 0),
          cost: edges.reduce((sum, edge) => sum + flowOf(edge) * edge.cost, 0),
        }).toEqual(best(pieces, rooms));
      }),
      { numRuns: 500 },
    );
  });

  it("says which nodes cannot reach the sink any more", () => {
    const flow = new FlowNetwork();
    const [full, free] = [flow.node(), flow.node()];
    flow.connect(flow.source, full, 2, 0);
    flow.connect(full, flow.sink, 1, 0);
    flow.connect(flow.source, free, 1, 0);
    flow.connect(free, flow.sink, 2, 0);
    flow.fill();
    expect(flow.cutOff()).toEqual(new Set([flow.source, full]));
  });
});
