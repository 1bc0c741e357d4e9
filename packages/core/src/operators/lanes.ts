import { Fifo } from "../kernel/fifo.ts";

/** Who waits for a turn: one of each lane at a time, in order; those without a lane (`null`) at once; repetitions first. */
export class Lanes<S extends { readonly lane: string | null }> {
  /** Those whose turn has come. */
  private readonly ready = new Fifo<S>();
  /** The same for those that are to be repeated. */
  private readonly again = new Fifo<S>();
  /** For each lane that is taken, who waits for it. */
  private readonly taken = new Map<string, Fifo<S>>();

  /** Whether it is somebody's turn. */
  get hasReady(): boolean {
    return this.again.size + this.ready.size > 0;
  }

  enter(one: S): void {
    const waiting = one.lane === null ? undefined : this.taken.get(one.lane);
    if (waiting !== undefined) {
      waiting.push(one);
      return;
    }
    if (one.lane !== null) {
      this.taken.set(one.lane, new Fifo());
    }
    this.ready.push(one);
  }

  /** Whose turn it is. The lane stays taken until {@link leave}. */
  next(): S | undefined {
    return this.again.shift() ?? this.ready.shift();
  }

  /** One that has its lane gets another turn. */
  repeat(one: S): void {
    this.again.push(one);
  }

  /** The next of the lane has its turn. */
  leave(one: S): void {
    if (one.lane === null) {
      return;
    }
    const next = this.taken.get(one.lane)?.shift();
    if (next === undefined) {
      this.taken.delete(one.lane);
    } else {
      this.ready.push(next);
    }
  }
}
