/** Looks at the streams of a namespace as any Redis client can. */
import { Redis } from "ioredis";

/** A partition's stream and the native group on it. */
export interface GroupPosition {
  readonly stream: string;
  readonly group: string;
  readonly length: number;
  /** As `XINFO GROUPS` says. */
  readonly entriesRead: number | null;
  readonly lag: number | null;
  readonly lastDeliveredId: string;
}

/** Looks at a server. Disposing of it closes the connection. */
export interface Streams extends Disposable {
  /** One for each group on each partition of each topic. */
  groups(): Promise<readonly GroupPosition[]>;
  /** How many entries lie behind an id. */
  countAfter(stream: string, id: string): Promise<number>;
  /** How many entries a topic has. */
  length(topic: string): Promise<number>;
  /** The values of all entries of a topic, partition by partition. */
  values(topic: string): Promise<readonly string[]>;
}

/** Opens a look at the namespace on the server at `url`. */
export function streamsOf(url: string, namespace: string): Streams {
  const client = new Redis(url);
  const logs = async (): Promise<readonly string[]> => {
    const keys = await client.keys(`${namespace}:*`);
    return keys.filter((key) => key.endsWith(":log")).toSorted();
  };
  const logsOf = async (topic: string): Promise<readonly string[]> =>
    (await logs()).filter((stream) => stream.startsWith(`${namespace}:{${topic}/`));
  return {
    groups: async () => {
      const positions: GroupPosition[] = [];
      for (const stream of await logs()) {
        const length = await client.xlen(stream);
        for (const reply of (await client.xinfo("GROUPS", stream)) as unknown[][]) {
          positions.push({ stream, length, ...positionIn(reply) });
        }
      }
      return positions;
    },
    countAfter: async (stream, id) => (await client.xrange(stream, `(${id}`, "+")).length,
    length: async (topic) => {
      const lengths = await Promise.all((await logsOf(topic)).map((stream) => client.xlen(stream)));
      return lengths.reduce((sum, length) => sum + length, 0);
    },
    values: async (topic) => {
      const values: string[] = [];
      for (const stream of await logsOf(topic)) {
        for (const [, fields] of await client.xrange(stream, "-", "+")) {
          values.push(fields[fields.indexOf("v") + 1] ?? "");
        }
      }
      return values;
    },
    [Symbol.dispose]: () => client.disconnect(),
  };
}

function positionIn(reply: readonly unknown[]): Omit<GroupPosition, "stream" | "length"> {
  const field = (name: string): unknown => reply[reply.indexOf(name) + 1];
  return {
    group: String(field("name")),
    entriesRead: field("entries-read") as number | null,
    lag: field("lag") as number | null,
    lastDeliveredId: String(field("last-delivered-id")),
  };
}
