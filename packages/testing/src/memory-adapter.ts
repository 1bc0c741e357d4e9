import { type Adapter, type Clock, systemClock } from "@millrace/core";
import * as TE from "fp-ts/lib/TaskEither.js";
import { openMemoryPorts } from "./memory/memory-ports.ts";
import { MemoryStore } from "./memory/memory-store.ts";

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/** An adapter that keeps everything in this process, for tests and for programs that need no server. */
export interface MemoryAdapter extends Adapter {
  /** About how much memory the records of all topics take, in bytes. State stores are not counted. */
  bytes(): number;
  /** Deletes a topic as an administrator would: who reads, writes or commits to it is told `TopicLost` from now on. */
  deleteTopic(name: string): void;
  /**
   * Returns a function that puts all data back as it is now, as a server does that crashes and has not yet written the rest to
   * its disk. Ports that are open go on; close them before, as a crash does. Records that were dropped for room meanwhile do
   * not come back.
   */
  snapshot(): () => void;
}

/**
 * Makes a broker in memory. Every `open()` gives ports onto the same data, so that apps can be stopped and started again;
 * another call of `memoryAdapter` makes another broker.
 *
 * A partition keeps its records until they take `maxBytesPerPartition`; then it drops those that every consumer group
 * which ever acquired it has committed *and* every open reader has read, and where that does not make room, appends and
 * commits with outputs wait, first come first served. A topic that no group and no reader holds drops nothing: it fills
 * up, then its writers wait. So do those of a topic that an abandoned reader holds: close the ports of an app that is gone.
 *
 * @param options.maxBytesPerPartition above 0; default 16 MiB. One append or commit may exceed it.
 * @param options.clock decides offsets and how long a read waits; default the process's own.
 */
export function memoryAdapter(
  options: { readonly maxBytesPerPartition?: number; readonly clock?: Clock } = {},
): MemoryAdapter {
  const { maxBytesPerPartition = DEFAULT_MAX_BYTES, clock = systemClock } = options;
  if (!(maxBytesPerPartition > 0)) {
    throw new RangeError(`maxBytesPerPartition must be above 0, not ${maxBytesPerPartition}`);
  }
  const store = new MemoryStore({ clock, maxBytesPerPartition });
  return {
    name: "memory",
    open: () => TE.rightIO(() => openMemoryPorts(store)),
    bytes: () => store.bytes(),
    deleteTopic: (name) => {
      store.deleteTopic(name);
    },
    snapshot: () => store.snapshot(),
  };
}
