/**
 * One connection that heals itself.
 *
 * A client that lost its connection, or left a call unanswered for too long, is replaced and never revived: a revived
 * one can keep calls pending for ever, send them twice, or stay stuck in its handshake. So no call is ever sent again
 * behind the caller's back, and every call settles: with its reply, or with `NoAnswer` after a bounded time.
 */
import type { Redis } from "ioredis";
import { type Client, type ClientOptions, newClient } from "./client.ts";
import { isReply, NoAnswer, reasonOf } from "./errors.ts";

/** How a connection is used. */
export interface ConnectionOptions extends ClientOptions {
  /** In ms: how long a call may stay without an answer, besides the time that its own size takes. */
  readonly answerWithinMs: number;
  /** Called with every client that is put to use, so that it can be listened to. */
  readonly onConnected?: (client: Redis) => void;
}

/** How long a call waits for a connection that is being made, before it gives up. */
const WAIT_FOR_CONNECTION_MS = 500;
const LONGEST_PAUSE_MS = 1_000;
/** Slowest transfer that is not taken for a dead one. */
const BYTES_PER_MS = 5_000;

/** A call under way. */
interface Call {
  fail(error: NoAnswer): void;
}

/** See the head of this file. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #calls = new Set<Call>();
  readonly #waiting = new Set<() => void>();
  #client: Client | null = null;
  #closed = false;
  /** Ends an attempt to connect. */
  readonly #closing = new AbortController();
  #attempts = 0;
  #lastReason = "";
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Connects. Rejects with what the driver or the server said when the first attempt fails. */
  static async connect(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    connection.#use(await newClient(options));
    return connection;
  }

  /** Connects in the background, as often as it takes. */
  static start(options: ConnectionOptions): Connection {
    const connection = new Connection(options);
    connection.#reconnect();
    return connection;
  }

  /** The connection's client id, for CLIENT UNBLOCK; `null` while there is none, or where the user may not ask. */
  get clientId(): string | null {
    return this.#client?.id ?? null;
  }

  /** Resolves as soon as there is a connection; rejects with `NoAnswer` when that takes too long. */
  async ready(): Promise<void> {
    if (this.#client === null) {
      await this.#connected();
    }
  }

  /** Sends one command and returns its reply with texts as strings. Rejects with `NoAnswer` or a server's error. */
  send(command: string, args: string[], extraMs = 0): Promise<unknown> {
    return this.#call(args, extraMs, (client) => client.call(command, args));
  }

  /** Like {@link send}, with texts as buffers. */
  sendForBuffers(command: string, args: string[], extraMs = 0): Promise<unknown> {
    return this.#call(args, extraMs, (client) => client.callBuffer(command, args));
  }

  /** Ends calls under way with `NoAnswer`. Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.#drop(new NoAnswer("closed", "the adapter was closed"));
    this.#wake();
  }

  async #call(args: readonly string[], extraMs: number, run: (client: Redis) => Promise<unknown>): Promise<unknown> {
    const client = this.#client ?? (await this.#connected());
    const withinMs = this.#options.answerWithinMs + extraMs + sizeOf(args) / BYTES_PER_MS;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        this.#calls.delete(call);
        finish();
      };
      const call: Call = { fail: (error) => settle(() => reject(error)) };
      // A timer that fires late says that this process was busy, not the server: replies that have arrived come first.
      const timer = setTimeout(() => setImmediate(() => this.#calls.has(call) && this.#replace(client)), withinMs);
      this.#calls.add(call);
      run(client.redis).then(
        (reply) => {
          this.#attempts = 0;
          return settle(() => resolve(reply));
        },
        (error: unknown) => settle(() => reject(isReply(error) ? error : this.#broken(client))),
      );
    });
  }

  /** The client, as soon as there is one; rejects when that takes too long. */
  async #connected(): Promise<Client> {
    if (!this.#closed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, WAIT_FOR_CONNECTION_MS);
        this.#waiting.add(done);
      });
    }
    if (this.#client === null) {
      throw this.#closed ? new NoAnswer("closed", "the adapter was closed") : this.#down();
    }
    return this.#client;
  }

  #use(client: Client): void {
    if (this.#closed) {
      client.redis.disconnect();
      return;
    }
    this.#client = client;
    client.redis.once("end", () => this.#broken(client));
    this.#wake();
    this.#options.onConnected?.(client.redis);
  }

  /** The driver says so, one way or another. */
  #broken(client: Client): NoAnswer {
    const error = new NoAnswer("lost", "the connection to Redis was lost");
    if (this.#isCurrent(client)) {
      this.#drop(error);
      this.#reconnect();
    }
    return error;
  }

  #replace(client: Client): void {
    if (this.#isCurrent(client)) {
      this.#drop(new NoAnswer("timeout", `Redis did not answer within ${this.#options.answerWithinMs} ms`));
      this.#reconnect();
    }
  }

  #drop(error: NoAnswer): void {
    const client = this.#client;
    this.#client = null;
    client?.redis.disconnect();
    for (const call of this.#calls) {
      call.fail(error);
    }
  }

  #reconnect(): void {
    if (this.#closed) {
      return;
    }
    const ceilingMs = Math.min(LONGEST_PAUSE_MS, 25 * 2 ** Math.min(this.#attempts, 10));
    const pauseMs = this.#attempts === 0 ? 0 : ceilingMs * (0.5 + Math.random() / 2);
    this.#attempts += 1;
    this.#timer = setTimeout(() => {
      newClient(this.#options, this.#closing.signal).then(
        (client) => this.#use(client),
        (error: unknown) => {
          this.#lastReason = reasonOf(error);
          this.#reconnect();
        },
      );
    }, pauseMs);
  }

  #wake(): void {
    for (const done of this.#waiting) {
      done();
    }
  }

  #isCurrent(client: Client): boolean {
    return this.#client === client;
  }

  #down(): NoAnswer {
    const reason = this.#lastReason === "" ? "" : `: ${this.#lastReason}`;
    return new NoAnswer("down", `there is no connection to Redis${reason}`);
  }
}

function sizeOf(args: readonly string[]): number {
  let size = 0;
  for (const arg of args) {
    size += arg.length;
  }
  return size;
}
