/**
 * One connection that listens to channels (https://redis.io/docs/latest/develop/pubsub/).
 *
 * The server forgets a subscriber with its connection, and what is sent meanwhile is lost. So when a connection takes the
 * place of another, each listener is told that it may have missed something. A connection that died without a word would stay silent for
 * ever, hence the PINGs; {@link Connection} replaces one that leaves them unanswered.
 */
import type { Redis } from "ioredis";
import type { Connection } from "./connection.ts";

/** Half-open connections are noticed after this and the time that a connection has for its answers. */
const PING_EVERY_MS = 5_000;

/** Called with a message, or with `null` when messages may have been missed. Must not throw. */
type Listener = (message: string | null) => void;

interface Channel {
  readonly name: string;
  readonly listeners: Set<Listener>;
  /** Whether the server has known of it; then messages may be missed until it does so again. */
  wasHeard: boolean;
}

/** See the head of this file. */
export class Subscriber {
  readonly #start: (onConnected: (redis: Redis) => void) => Connection;
  readonly #channels = new Map<string, Channel>();
  #connection: Connection | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `start` makes the connection, at the first {@link listen}. */
  constructor(start: (onConnected: (redis: Redis) => void) => Connection) {
    this.#start = start;
  }

  /**
   * Listens to a channel until the function that it returns is called; `listener` is another function at each call. Where
   * the user may not listen, no message comes.
   */
  listen(name: string, listener: Listener): () => void {
    if (this.#closed) {
      return () => undefined;
    }
    const channel = this.#channels.get(name) ?? this.#open(name);
    channel.listeners.add(listener);
    return () => {
      if (channel.listeners.delete(listener) && channel.listeners.size === 0) {
        this.#channels.delete(name);
        void this.#send("unsubscribe", [name]);
      }
    };
  }

  /** Nothing is heard any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#channels.clear();
    clearInterval(this.#timer);
    this.#connection?.close();
  }

  #open(name: string): Channel {
    const channel: Channel = { name, listeners: new Set(), wasHeard: false };
    this.#channels.set(name, channel);
    if (this.#connection === null) {
      this.#connection = this.#start((redis) => this.#use(redis));
      this.#timer = setInterval(() => void this.#send("ping", []), PING_EVERY_MS);
    } else {
      void this.#subscribe(channel);
    }
    return channel;
  }

  #use(redis: Redis): void {
    redis.on("message", (name: string, message: string) => this.#tell(name, message));
    for (const channel of this.#channels.values()) {
      void this.#resubscribe(channel);
    }
  }

  async #resubscribe(channel: Channel): Promise<void> {
    const { name, wasHeard } = channel;
    if ((await this.#subscribe(channel)) && wasHeard) {
      this.#tell(name, null);
    }
  }

  async #subscribe(channel: Channel): Promise<boolean> {
    const isHeard = await this.#send("subscribe", [channel.name]);
    channel.wasHeard ||= isHeard;
    return isHeard;
  }

  /** Whether it was done. If not, either the next connection will, or the user may not, and listening is optional. */
  async #send(command: string, args: string[]): Promise<boolean> {
    try {
      await this.#connection?.send(command, args);
      return true;
    } catch {
      return false;
    }
  }

  #tell(name: string, message: string | null): void {
    for (const listener of this.#channels.get(name)?.listeners ?? []) {
      listener(message);
    }
  }
}
