import type { Queue } from "../topology/stage.ts";

/** Leaves to the next owner what no stage has begun: a unit is finished as a whole once one of its records was begun. */
export function dropUnbegun(queues: readonly Queue[]): void {
  const lastBegun = Math.max(-1, ...queues.map((queue) => queue.lastBegun()));
  for (const queue of queues) {
    queue.dropBehind(lastBegun);
  }
}
