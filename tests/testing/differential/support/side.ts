import type { Adapter, Ports } from "@millrace/core";
import type { Kind } from "./pair.ts";

/** How many sessions a sequence has open at a time. */
const SLOTS = 2;

/** A session of a sequence, as a command names it; the third is the one that was closed last. */
export type Slot = 0 | 1 | "closed";

/** One of the two adapters, as one sequence sees it. */
export class Side {
  readonly kind: Kind;
  /** Begins the names of everything that the sequence makes. */
  readonly prefix: string;
  readonly #adapter: Adapter;
  readonly #open: Ports[];
  /** What was closed last; `null` until then. */
  #closed: Ports | null = null;
  /** By kind of name, what stands for it in the report: numbers, by first appearance. */
  readonly #aliases = new Map<string, Map<string, string>>();

  private constructor(kind: Kind, adapter: Adapter, sessions: Ports[], prefix: string) {
    this.kind = kind;
    this.prefix = prefix;
    this.#adapter = adapter;
    this.#open = sessions;
  }

  /** With sessions that may be there already; those that are missing are opened, and `sessions` has them from then on. */
  static async open(kind: Kind, adapter: Adapter, sessions: Ports[], prefix: string): Promise<Side> {
    const side = new Side(kind, adapter, sessions, prefix);
    while (sessions.length < SLOTS) {
      sessions.push(await side.#session());
    }
    return side;
  }

  /** The first session, where no other was closed. */
  ports(slot: Slot): Ports {
    const found = slot === "closed" ? (this.#closed ?? this.#open[0]) : this.#open[slot];
    if (found === undefined) {
      throw new Error(`no session ${slot}`);
    }
    return found;
  }

  /** Whether a session was not closed. */
  isOpen(session: Ports): boolean {
    return this.#open.includes(session);
  }

  /** Closes a session, and opens another one in its place. */
  async close(slot: 0 | 1): Promise<void> {
    const old = this.ports(slot);
    this.#open[slot] = await this.#session();
    this.#closed = old;
    await old.close();
  }

  /** What stands for a name that only this adapter has, such as a nonce: the same for what is the same. */
  alias(kind: string, name: string): string {
    const known = this.#aliases.get(kind) ?? new Map<string, string>();
    this.#aliases.set(kind, known);
    const found = known.get(name) ?? `${kind} ${known.size + 1}`;
    known.set(name, found);
    return found;
  }

  /** What stands for a name that was seen before. */
  known(kind: string, name: string): string {
    return this.#aliases.get(kind)?.get(name) ?? `${kind}, one that nobody has shown`;
  }

  async #session(): Promise<Ports> {
    const opened = await this.#adapter.open()();
    if (opened._tag === "Left") {
      throw new Error(`${this.#adapter.name} does not open: ${opened.left.message}`);
    }
    return opened.right;
  }
}
