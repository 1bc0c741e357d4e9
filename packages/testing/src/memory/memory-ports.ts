import type { Ports } from "@millrace/core";
import { MemoryGroup } from "./memory-group.ts";
import { MemoryLog } from "./memory-log.ts";
import { MemoryStateStore } from "./memory-state-store.ts";
import type { MemoryStore } from "./memory-store.ts";
import { MemoryTasks } from "./memory-tasks.ts";
import { Session } from "./session.ts";

/** Ports onto `store`, with a session of their own. */
export function openMemoryPorts(store: MemoryStore): Ports {
  const session = new Session();
  return {
    log: new MemoryLog(store, session),
    tasks: new MemoryTasks(store, session),
    group: new MemoryGroup(store, session),
    state: new MemoryStateStore(store, session),
    close: async () => {
      session.close();
    },
  };
}
