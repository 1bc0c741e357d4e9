/**
 * Counts what this process asks of Redis, where the driver sends it: whatever the library does goes through there. A command
 * counts as one round trip, a script as one, and a pipeline as one, whatever is in them. What is sent side by side is not
 * taken together.
 */
import { Redis } from "ioredis";

/** Round trips by what they were for. */
export interface RoundTrips {
  /** Records were read. */
  readonly reads: number;
  /** Commits, and reads of state: they share a connection. */
  readonly commands: number;
  /** Membership, hints, looks at the clock, whatever else there is. */
  readonly others: number;
}

type Send = (this: Redis, ...args: Parameters<Redis["sendCommand"]>) => unknown;

/** What the adapter's connections are for, by the role at the end of their names. */
const ROLES: Readonly<Record<string, keyof RoundTrips>> = {
  reader: "reads",
  blocking: "reads",
  commands: "commands",
};

/** The name of the connections that are the benchmark's own business. */
export const UNCOUNTED = "bench:uncounted";

/** The name of the connections of hand-written loops. */
export const HAND_WRITTEN = "bench:hand-written";

/** Counts from now on, for the rest of the process. What it returns tells how many there were. */
export function countRoundTrips(): () => RoundTrips {
  const counts = { reads: 0, commands: 0, others: 0 };
  const pipelines = new WeakSet<object>();
  const { prototype } = Redis;
  const send: Send = Reflect.get(prototype, "sendCommand");
  const isFirst = (stream: unknown): boolean => {
    // A pipeline hands all of its commands the same stream.
    if (typeof stream !== "object" || stream === null || !("isPipeline" in stream)) {
      return true;
    }
    const isNew = !pipelines.has(stream);
    pipelines.add(stream);
    return isNew;
  };
  const counting: Send = function counting(...args) {
    const [command, stream] = args;
    const { connectionName = "" } = this.options;
    if (connectionName !== UNCOUNTED && isFirst(stream)) {
      counts[kindOf(connectionName, command.name)] += 1;
    }
    return send.apply(this, args);
  };
  Object.assign(prototype, { sendCommand: counting });
  return () => ({ ...counts });
}

function kindOf(connectionName: string, command: string): keyof RoundTrips {
  if (connectionName === HAND_WRITTEN) {
    return command === "xread" ? "reads" : "commands";
  }
  return ROLES[connectionName.slice(connectionName.lastIndexOf(":") + 1)] ?? "others";
}
