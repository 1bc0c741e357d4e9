/** What the functions of a random pipeline do when they are called: they fail as planned, and what they see is noted. */
import { type Clock, sleep } from "@millrace/core";
import { type Failure, type Model, REPAIR_GROUPS, type Value, visitId } from "./model.ts";
import { hash, type Operator } from "./shape.ts";

/** Who calls. */
export interface Caller {
  /** It has crashed, or lost its session: what it still calls does not count. */
  isGone: boolean;
}

/** A failure that was planned. */
class Planned extends Error {
  override readonly name = "Planned";
}

/** A call of a function that is a promise. */
export interface AsyncCall {
  readonly signal: AbortSignal;
  readonly attempt: number;
}

/** Time (ms) that handlers get, and those that hang take for longer. */
export const TIMEOUT_MS = 60;
export const SETTLE_MS = 30;
const HANGS_FOR_MS = 150;
const LATE_MS = TIMEOUT_MS + 10;

export class World {
  /** What must never happen, and did; told by the invariant that it breaks. */
  readonly overlaps: string[] = [];
  readonly unstableKeys: string[] = [];
  readonly repeated: string[] = [];
  /** Values that a function has written elsewhere, by the end, in the order of the first time. */
  readonly written = new Map<string, Set<string>>();
  private readonly clock: Clock;
  private readonly model: Model;
  private readonly random: () => number;
  private readonly calls = new Map<string, number>();
  private readonly open = new Map<string, Caller>();
  private readonly keyOf = new Map<string, string>();
  private readonly ownerOf = new Map<string, string>();
  /** Visits whose effects are committed: nothing may call for them any more. */
  private readonly settled = new Set<string>();
  private readonly repaired = new Set<number>();
  private isRepaired = false;

  constructor(clock: Clock, model: Model, random: () => number) {
    this.clock = clock;
    this.model = model;
    this.random = random;
  }

  /** Ends the poison of one group of values. */
  repair(group: number): void {
    this.repaired.add(group % REPAIR_GROUPS);
  }

  /** Ends whatever is not for ever. */
  repairAll(): void {
    this.isRepaired = true;
  }

  /** Effects of these visits are committed. */
  settle(visits: readonly string[]): void {
    for (const visit of visits) {
      this.settled.add(visit);
    }
  }

  /** A call of a synchronous function. Throws the planned failure. */
  call(caller: Caller, operator: Operator, value: Value): void {
    if (this.enter(caller, operator, value, 1) !== null) {
      throw new Planned(`${operator.name} fails for ${value.id}`);
    }
  }

  /** A call of an asynchronous function for one value or several. Rejects with the planned failure. */
  async callAsync(
    caller: Caller,
    of: { readonly operator: Operator; readonly values: readonly Value[]; readonly lane: string | null },
    call: AsyncCall,
  ): Promise<void> {
    const { operator, values, lane } = of;
    this.beginLane(lane, caller);
    try {
      const failures = values.map((value) => this.enter(caller, operator, value, call.attempt));
      const failure = failures.find((one) => one !== null) ?? null;
      await this.take(operator, failure, call.signal);
      if (failure !== null) {
        throw new Planned(`${operator.name} fails for ${values.map(({ id }) => id).join()}`);
      }
    } finally {
      this.endLane(lane, caller);
    }
  }

  /** A call has told the key by which others are to know it. */
  noteKey(operator: Operator, { id }: Value, key: string): void {
    if (operator.isBehindBuffer) {
      return;
    }
    const visit = visitId(operator, id);
    const before = this.keyOf.get(visit) ?? key;
    const owner = this.ownerOf.get(key) ?? visit;
    if (before !== key) {
      this.unstableKeys.push(`${visit} had ${before}, then ${key}`);
    }
    if (owner !== visit) {
      this.unstableKeys.push(`${visit} and ${owner} share ${key}`);
    }
    this.keyOf.set(visit, key);
    this.ownerOf.set(key, visit);
  }

  /** A function has written values elsewhere. */
  noteWritten(end: Operator, values: readonly Value[]): void {
    const written = this.written.get(end.name) ?? new Set();
    this.written.set(end.name, written);
    for (const { id } of values) {
      written.add(id);
    }
  }

  private enter(caller: Caller, operator: Operator, value: Value, attempt: number): Failure | null {
    const visit = visitId(operator, value.id);
    const count = (this.calls.get(visit) ?? 0) + 1;
    this.calls.set(visit, count);
    if (!caller.isGone && this.settled.has(visit)) {
      this.repeated.push(`${visit} was called again, for the ${count}th time`);
    }
    const failure = this.model.failure(operator, value);
    return failure !== null && this.isActive(failure, visit, { count, attempt }) ? failure : null;
  }

  private isActive(
    failure: Failure,
    visit: string,
    { count, attempt }: { readonly count: number; readonly attempt: number },
  ): boolean {
    switch (failure.kind) {
      case "calls":
        return count <= failure.count && !this.isRepaired;
      case "attempts":
        return attempt <= failure.count && !this.isRepaired;
      case "poison":
        return !this.isRepaired && !this.repaired.has(hash(visit) % REPAIR_GROUPS);
      case "forever":
        return true;
    }
  }

  /** How long the call takes, and whether it heeds its signal. */
  private async take(operator: Operator, failure: Failure | null, signal: AbortSignal): Promise<void> {
    switch (failure?.manner) {
      case "timeout":
        await aborted(signal);
        return;
      case "hang":
        await sleep(this.clock, TIMEOUT_MS + SETTLE_MS + HANGS_FOR_MS);
        return;
      case "throw":
      case undefined: {
        const isLate = failure === null && operator.hasTimeout && this.random() < 0.02;
        const ms = isLate ? LATE_MS : Math.floor(this.random() * (operator.slowMs + 1));
        if (ms > 0) {
          await sleep(this.clock, ms);
        }
      }
    }
  }

  private beginLane(lane: string | null, caller: Caller): void {
    if (lane !== null) {
      const other = this.open.get(lane);
      if (other !== undefined && !other.isGone && !caller.isGone) {
        this.overlaps.push(lane);
      }
      this.open.set(lane, caller);
    }
  }

  private endLane(lane: string | null, caller: Caller): void {
    if (lane !== null && this.open.get(lane) === caller) {
      this.open.delete(lane);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
