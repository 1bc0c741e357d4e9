import type { StageEnv } from "../topology/stage.ts";
import { TaskStore } from "./task-store.ts";
import type { Emit } from "./window-definition.ts";

/** The most updates in one commit; the rest follow in the next ones. */
const MAX_UPDATES_AT_ONCE = 500;

/** Whose updates are scheduled. */
export interface Updating {
  readonly store: Pick<TaskStore<never>, "isKnown" | "fetch">;
  /** Pushes on what is new of an entry. */
  update(key: string): void;
}

/** The schedule that `emit` asks for; `null`: none. */
export function scheduleOf(emit: Emit, env: StageEnv, of: Updating): UpdateSchedule | null {
  return typeof emit === "string" ? null : new UpdateSchedule(emit.everyMs, env, of);
}

/**
 * Which entries of a store have changed, and when that is to be said, by the worker's clock. Kept beside the entries and
 * committed with them, so that a worker that takes over says it.
 */
export class UpdateSchedule {
  private readonly everyMs: number;
  private readonly env: StageEnv;
  private readonly of: Updating;
  /** The entries, each with when it is due. */
  private readonly store: TaskStore<number>;
  /** Due, and waiting for their entries to be read. */
  private waiting: readonly string[] = [];
  private disarm: () => void = () => {};
  private armedMs = Number.POSITIVE_INFINITY;

  constructor(everyMs: number, env: StageEnv, of: Updating) {
    this.everyMs = everyMs;
    this.env = env;
    this.of = of;
    this.store = new TaskStore<number>(SCHEMA, env.updates);
    this.arm();
  }

  /** When the update of an entry that changes now is due (ms). */
  plan(): number {
    return this.env.clock.now() + this.everyMs;
  }

  /** An entry has changed that had nothing to say before. */
  note(key: string, atMs: number): void {
    this.store.put(key, atMs);
    this.arm();
  }

  /** What there was to say of an entry is said. */
  cancel(key: string): void {
    this.store.put(key, null);
  }

  /** Updates what is due. `false`: {@link wait} must be waited for first. */
  tick(): boolean {
    if (this.waiting.length === 0) {
      const due = this.store.due(this.untilMs(), MAX_UPDATES_AT_ONCE);
      if (due === null) {
        return false;
      }
      this.waiting = due.map(({ key }) => key);
    }
    if (!this.waiting.every((key) => this.of.store.isKnown(key))) {
      return false;
    }
    const due = this.waiting;
    this.waiting = [];
    for (const key of due) {
      this.of.update(key);
      this.cancel(key);
    }
    this.store.tidy();
    if (this.store.isDue(this.untilMs())) {
      this.env.again();
    } else {
      this.arm();
    }
    return true;
  }

  /** Reads what {@link tick} needs. */
  async wait(): Promise<void> {
    if (this.waiting.length === 0) {
      await this.store.fetchDue(this.untilMs(), MAX_UPDATES_AT_ONCE);
    } else {
      await this.of.store.fetch(this.waiting.filter((key) => !this.of.store.isKnown(key)));
    }
  }

  stop(): void {
    this.disarm();
  }

  /** Up to when updates are due (ms). One that lies further ahead than any can was planned by a clock that is ahead of this one. */
  private untilMs(): number {
    const nowMs = this.env.clock.now();
    const { nextDueMs } = this.store;
    return Number.isFinite(nextDueMs) && nextDueMs > nowMs + this.everyMs ? nextDueMs : nowMs;
  }

  /** Wakes the task when the next update is due. Outside of tasks they come with whatever comes next. */
  private arm(): void {
    const atMs = this.store.nextDueMs;
    if (!this.env.inTask || atMs === Number.POSITIVE_INFINITY || atMs >= this.armedMs) {
      return;
    }
    this.disarm();
    this.armedMs = atMs;
    const { clock } = this.env;
    const forMs = Math.min(Math.max(0, atMs - clock.now()), this.everyMs);
    this.disarm = clock.after(forMs, () => {
      this.armedMs = Number.POSITIVE_INFINITY;
      this.env.again();
    });
  }
}

const SCHEMA = {
  encode: String,
  decode: (text: string): number => {
    const atMs = Number(text);
    if (text === "" || !Number.isFinite(atMs)) {
      throw new Error("it is no time");
    }
    return atMs;
  },
  timeMs: (_key: string, atMs: number): number => atMs,
  delayMs: 0,
  isAlwaysDue: true,
};
