import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Group } from "./group.ts";
import type { Log } from "./log.ts";
import type { Refused, Unavailable } from "./port-error.ts";
import type { StateStore } from "./state-store.ts";
import type { Tasks } from "./tasks.ts";

/** Everything that core needs of a store. */
export interface Ports {
  readonly log: Log;
  readonly tasks: Tasks;
  readonly group: Group;
  readonly state: StateStore;
  /** Frees connections and timers. Calls under way end with `Unavailable`. Idempotent. */
  close(): Promise<void>;
}

/** How an app reaches a store: `redisAdapter({ url })`, `memoryAdapter()`, or your own. */
export interface Adapter {
  /** For messages: what this is and where it points, without secrets. */
  readonly name: string;
  /** Connects and checks that the store can be used. Each call opens ports of its own. */
  open(): TaskEither<Refused | Unavailable, Ports>;
}
