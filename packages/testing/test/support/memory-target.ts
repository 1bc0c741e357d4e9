import { type Adapter, type Offset, systemClock, type TopicInfo } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { ConformanceTarget } from "../../src/conformance.ts";
import type { MemoryPartition } from "../../src/memory/memory-partition.ts";
import { openMemoryPorts } from "../../src/memory/memory-ports.ts";
import { MemoryStore } from "../../src/memory/memory-store.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/** A store in memory for the conformance suite; `change` is what the suite sees in place of the adapter. */
export function memoryTarget(change: (adapter: Adapter) => Adapter = (adapter) => adapter): ConformanceTarget {
  const store = new MemoryStore({ clock: systemClock, maxBytesPerPartition: MAX_BYTES });
  const partitionOf = (topic: TopicInfo, number: number): MemoryPartition => {
    const found = store.partition(topic, number);
    if (E.isLeft(found)) {
      throw new Error(found.left.message);
    }
    return found.right;
  };
  return {
    adapter: change({ name: "memory", open: () => TE.rightIO(() => openMemoryPorts(store)) }),
    now: async () => Math.floor(systemClock.now()),
    dispose: async () => undefined,
    corrupt: { skip: "in memory, every place holds only what its TypeScript type allows" },
    deleteTopic: async ({ name }) => store.deleteTopic(name),
    trim: async (topic, number, through: Offset) => {
      const partition = partitionOf(topic, number);
      partition.trim(partition.positionAfter(through));
    },
    addForeign: { skip: "in memory, a log holds nothing but records, and their texts are no bytes" },
    exhaust: async (topic, number) => {
      const partition = partitionOf(topic, number);
      partition.append([{ key: "", timestampMs: 0, payload: "x".repeat(MAX_BYTES), headers: {}, watermarkMs: null }]);
      return async () => {
        partition.trim(partition.appended);
        partition.grantRoom();
      };
    },
  };
}
