/**
 * One connection that waits for many idle partitions at once, with `XREAD BLOCK`
 * (https://redis.io/docs/latest/commands/xread/).
 *
 * A partition that becomes idle while a call is waiting must not wait for the end of that call: another connection ends
 * it with CLIENT UNBLOCK, and the next call has the partition, too. Calls follow each other at least LINGER_MS apart
 * while readers are on their way back, so that many busy partitions do not cost the server one wake-up each.
 *
 * Positions are held by the readers, so losing an answer loses nothing. Only what the server answered counts as "nothing
 * there": when it does not answer, readers are told to look for themselves.
 */
import type { Connection } from "./connection.ts";
import type { RawEntry } from "./entry-codec.ts";
import type { PartitionKeys } from "./keys.ts";
import { integerOf, listOf, streamsOf } from "./reply.ts";
import { LOOK } from "./scripts/look.ts";
import { runScript } from "./scripts/run.ts";

/** The server ends a call after this long. */
const BLOCK_MS = 1_000;
const LINGER_MS = 1;
/** Entries of one stream in a wake: a call is for many streams, and each entry may be large. The reader fetches the rest. */
const WAKE_ENTRIES = 1;
/** A wait ends with the first answer after this long, so it takes between this and BLOCK_MS more. */
const WAIT_AT_LEAST_MS = 500;
/** A wait without any answer ends after this long. */
const WAIT_AT_MOST_MS = 2_000;
/** A call that fails at once must not be repeated at once. */
const PAUSE_AFTER_FAILURE_MS = 100;

/** How a wait ended. */
export interface Waited {
  /** What lies behind the position, in log order. */
  readonly entries: RawEntry[];
  /** Whether the server was asked. If not, or if something is wrong, the reader must look for itself. */
  readonly answered: boolean;
  /** Whether more entries may lie behind these. */
  readonly more: boolean;
}

const QUIET: Waited = { entries: [], answered: true, more: false };
const UNANSWERED: Waited = { entries: [], answered: false, more: true };

/** What a reader waits for. */
export interface Watched {
  readonly keys: PartitionKeys;
  readonly incarnation: string;
}

/** A reader's place at a blocker. */
export interface Seat {
  /** Waits for entries behind the id `after`, for about a second. Never rejects. One wait at a time. */
  wait(after: string): Promise<Waited>;
  /** Ends a wait and gives the seat up. Idempotent. */
  leave(): void;
}

interface Waiter {
  readonly after: string;
  readonly sinceMs: number;
  settle(waited: Waited): void;
}

/** See the head of this file. Partitions are named by the keys of their logs. */
export class Blocker {
  readonly #connection: Connection;
  readonly #control: Connection;
  readonly #seats = new Map<string, Watched>();
  readonly #waiters = new Map<string, Waiter>();
  /** What the call under way waits for: log → id. */
  #call: ReadonlyMap<string, string> | null = null;
  #running = false;
  #askedMs = 0;
  #lookedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `control` is a connection that never blocks. */
  constructor(connection: Connection, control: Connection) {
    this.#connection = connection;
    this.#control = control;
  }

  get seats(): number {
    return this.#seats.size;
  }

  has(log: string): boolean {
    return this.#seats.has(log);
  }

  seat(watched: Watched): Seat {
    const { log } = watched.keys;
    this.#seats.set(log, watched);
    return {
      wait: (after) => this.#wait(log, after),
      leave: () => {
        this.#waiters.get(log)?.settle(UNANSWERED);
        this.#seats.delete(log);
      },
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connection.close();
    for (const waiter of this.#waiters.values()) {
      waiter.settle(UNANSWERED);
    }
  }

  #wait(log: string, after: string): Promise<Waited> {
    if (this.#closed) {
      return Promise.resolve(UNANSWERED);
    }
    return new Promise((resolve) => {
      const settle = (waited: Waited): void => {
        clearTimeout(timer);
        this.#waiters.delete(log);
        resolve(waited);
      };
      const timer = setTimeout(settle, WAIT_AT_MOST_MS, UNANSWERED);
      this.#waiters.set(log, { after, sinceMs: performance.now(), settle });
      this.#plan();
    });
  }

  /** Plans the next step, if one is due: a call, or the end of the one under way when it lacks somebody who waits. */
  #plan(): void {
    const due = this.#call === null ? this.#waiters.size > 0 && !this.#running : this.#lacksSomebody(this.#call);
    if (this.#timer !== undefined || this.#closed || !due) {
      return;
    }
    const everybodyWaits = this.#call === null && this.#waiters.size === this.#seats.size;
    const pauseMs = everybodyWaits ? 0 : this.#askedMs + LINGER_MS - performance.now();
    const step = (): void => {
      this.#timer = undefined;
      void (this.#call === null ? this.#ask() : this.#interrupt(this.#call));
    };
    if (pauseMs > 0) {
      this.#timer = setTimeout(step, pauseMs);
    } else {
      step();
    }
  }

  #lacksSomebody(call: ReadonlyMap<string, string>): boolean {
    for (const [log, { after }] of this.#waiters) {
      if (call.get(log) !== after) {
        return true;
      }
    }
    return false;
  }

  async #ask(): Promise<void> {
    if (this.#running) {
      return;
    }
    this.#running = true;
    try {
      // Whoever comes to wait while the connection is being made is part of the call.
      await this.#connection.ready();
      await this.#read();
    } catch {
      // Whatever it was, the connection or one of the streams, each reader finds out on its own.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_FAILURE_MS));
      for (const waiter of this.#waiters.values()) {
        waiter.settle(UNANSWERED);
      }
    }
    this.#call = null;
    this.#running = false;
    this.#askedMs = performance.now();
    this.#plan();
  }

  async #read(): Promise<void> {
    const call = new Map([...this.#waiters].map(([log, { after }]) => [log, after]));
    if (call.size === 0) {
      return;
    }
    this.#call = call;
    this.#askedMs = performance.now();
    const options = ["COUNT", `${WAKE_ENTRIES}`, "BLOCK", `${BLOCK_MS}`, "STREAMS"];
    const args = [...options, ...call.keys(), ...call.values()];
    const streams = streamsOf(await this.#connection.sendForBuffers("xread", args, BLOCK_MS));
    this.#call = null;
    for (const [log, entries] of streams) {
      const more = entries.length >= WAKE_ENTRIES;
      this.#waiterAt(log, call.get(log))?.settle({ entries, answered: true, more });
    }
    if (performance.now() - this.#lookedMs >= BLOCK_MS) {
      await this.#look();
    }
    for (const [log, after] of call) {
      const waiter = this.#waiterAt(log, after);
      if (waiter !== null && performance.now() - waiter.sinceMs >= WAIT_AT_LEAST_MS) {
        waiter.settle(QUIET);
      }
    }
  }

  /** Who waits for the log, unless it left meanwhile or is somewhere else. */
  #waiterAt(log: string, after: string | undefined): Waiter | null {
    const waiter = this.#waiters.get(log);
    return waiter !== undefined && waiter.after === after ? waiter : null;
  }

  /** Ends the call under way. It may not have reached the server yet, and then there is nothing to end: try again. */
  async #interrupt(call: ReadonlyMap<string, string>): Promise<void> {
    const id = this.#connection.clientId;
    if (id === null) {
      return; // Without the permission the call ends on its own.
    }
    try {
      const ended = integerOf(await this.#control.send("client", ["unblock", id]));
      if (ended === 0 && this.#call === call) {
        this.#askedMs = performance.now();
        this.#plan();
      }
    } catch {
      // As above.
    }
  }

  /** A deleted partition never wakes anybody: its readers must be told. */
  async #look(): Promise<void> {
    this.#lookedMs = performance.now();
    const watched = [...this.#seats.values()];
    try {
      const keys = watched.flatMap(({ keys: { log, meta } }) => [log, meta]);
      const args = watched.map(({ incarnation }) => incarnation);
      for (const lost of listOf(await runScript(this.#control, LOOK, { keys, args }))) {
        this.#waiters.get(watched[integerOf(lost)]?.keys.log ?? "")?.settle(UNANSWERED);
      }
    } catch {
      // The next look comes soon.
    }
  }
}
