import { Blocker, type Seat, type Watched } from "./blocker.ts";
import type { Connections } from "./connections.ts";

/** More streams in one call make every wake-up dearer for the server. */
const SEATS = 64;

/** Seats for readers, on as many blocking connections as it takes. */
export interface BlockingPool {
  /** A seat for one reader of a partition. */
  seat(watched: Watched): Seat;
  /** Ends all waits. Idempotent. */
  close(): void;
}

/** A pool without connections; they are made as seats are taken, and kept. */
export function createBlockingPool(connections: Connections): BlockingPool {
  const blockers: Blocker[] = [];
  const add = (): Blocker => {
    const blocker = new Blocker(connections.blocking(), connections.reader);
    blockers.push(blocker);
    return blocker;
  };
  return {
    seat: (watched) => {
      // A call waits for a stream at one position only, so two readers of one sit at two blockers.
      const free = blockers.find((blocker) => blocker.seats < SEATS && !blocker.has(watched.keys.log));
      return (free ?? add()).seat(watched);
    },
    close: () => {
      for (const blocker of blockers) {
        blocker.close();
      }
    },
  };
}
