/**
 * Connections by role, so that nothing waits behind what it must not wait behind: a blocking read occupies its
 * connection, and a producer's burst would delay commits.
 */
import type { Redis } from "ioredis";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";

/** The connections of one set of ports. */
export interface Connections {
  /** Commits, ownership and state, in one line: what is read after a commit has seen it. */
  readonly commands: Connection;
  readonly producer: Connection;
  /** Reads that do not block. */
  readonly reader: Connection;
  /** Membership, whose sessions end when a call waits for too long. */
  readonly group: Connection;
  /** A new connection for blocking reads, which need not be there yet. The caller closes it. */
  blocking(): Connection;
  /** Likewise for hints; `onConnected` is called with each client that it uses. */
  hints(onConnected: (client: Redis) => void): Connection;
  close(): void;
}

/** Longer than the server needs for the largest script, shorter than a session. */
const COMMANDS_ANSWER_WITHIN_MS = 2_000;
const PRODUCER_ANSWER_WITHIN_MS = 3_000;
/** For blocking reads: besides the time for which they block. */
const READER_ANSWER_WITHIN_MS = 2_000;
/** So short that there is time for another try before a session is over. */
const GROUP_ANSWER_WITHIN_MS = 1_000;
/** A hint is worth little, and a new connection costs the hints of the meantime. */
const HINTS_ANSWER_WITHIN_MS = 2_000;

/** Connects. Rejects with the first connection's error, and leaves nothing behind then. */
export async function openConnections(endpoint: Endpoint, namespace: string): Promise<Connections> {
  const options = (role: string, answerWithinMs: number): ConnectionOptions => ({
    name: `millrace:${namespace}:${role}`,
    address: endpoint.address,
    answerWithinMs,
  });
  const connect = (role: string, answerWithinMs: number): Promise<Connection> =>
    Connection.connect(options(role, answerWithinMs));
  const blocking = (): Connection => Connection.start(options("blocking", READER_ANSWER_WITHIN_MS));
  const hints = (onConnected: (client: Redis) => void): Connection =>
    Connection.start({ ...options("hints", HINTS_ANSWER_WITHIN_MS), onConnected });
  // One after the other: where one fails all would, and a wrong password is tried once.
  const commands = await connect("commands", COMMANDS_ANSWER_WITHIN_MS);
  const opened = [commands];
  const close = (): void => {
    for (const connection of opened) {
      connection.close();
    }
  };
  try {
    const producer = await connect("producer", PRODUCER_ANSWER_WITHIN_MS);
    opened.push(producer);
    const reader = await connect("reader", READER_ANSWER_WITHIN_MS);
    opened.push(reader);
    const group = await connect("group", GROUP_ANSWER_WITHIN_MS);
    opened.push(group);
    return { commands, producer, reader, group, blocking, hints, close };
  } catch (error) {
    close();
    throw error;
  }
}
