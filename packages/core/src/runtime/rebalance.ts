import type { Clock } from "../ports/clock.ts";
import type { TakeAnswer } from "../ports/group.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/** What a new target means for one worker. */
export interface Change {
  readonly generation: number;
  /** Tasks that come to it. */
  readonly gained: readonly string[];
  /** Tasks that go from it. */
  readonly given: readonly string[];
  /** How many it keeps; nothing happens to them. */
  readonly kept: number;
  /** It is to have no task although it would take some. */
  readonly isIdle: boolean;
}

/** Reports what becomes of a new target on this worker: its beginning, whom it waits for, and its end. */
export class Rebalance {
  private readonly clock: Clock;
  private readonly emit: Telemetry;
  private readonly name: string;
  private readonly change: Change;
  private readonly startedMs: number;
  private readonly toCome: Set<string>;
  private readonly toGo: Set<string>;
  private readonly moved: { readonly task: string; readonly pausedMs: number | null }[] = [];
  private readonly announced = new Set<string>();

  constructor(
    { clock, emit, name }: { readonly clock: Clock; readonly emit: Telemetry; readonly name: string },
    change: Change,
  ) {
    this.clock = clock;
    this.emit = emit;
    this.name = name;
    this.change = change;
    this.startedMs = clock.now();
    this.toCome = new Set(change.gained);
    this.toGo = new Set(change.given);
    if (change.generation > 0) {
      this.start();
    }
  }

  /** A task that came to this worker runs. */
  gained(task: string, pausedMs: number | null): void {
    if (this.toCome.delete(task)) {
      this.moved.push({ task: this.nameOf(task), pausedMs });
      this.finishWhenDone();
    }
  }

  /** A task that went from this worker is free. */
  gave(task: string): void {
    if (this.toGo.delete(task)) {
      this.finishWhenDone();
    }
  }

  /** Tasks that are to come are still with others: said once for each of these. */
  held(tasks: TakeAnswer["held"]): void {
    for (const { member } of tasks) {
      if (!this.announced.has(member)) {
        this.announced.add(member);
        const its = tasks.filter((task) => task.member === member);
        const forMs = Math.max(...its.map((task) => task.forMs));
        this.emit({ _tag: "Waiting", group: this.name, member, tasks: its.length, forMs });
      }
    }
  }

  private start(): void {
    const { generation, kept, isIdle } = this.change;
    const gained = this.change.gained.map((task) => this.nameOf(task));
    const given = this.change.given.map((task) => this.nameOf(task));
    this.emit({ _tag: "RebalanceStarted", group: this.name, generation, gained, given, kept });
    if (isIdle) {
      this.emit({ _tag: "Idle", group: this.name });
    }
    this.finishWhenDone();
  }

  private finishWhenDone(): void {
    if (this.toCome.size === 0 && this.toGo.size === 0) {
      const { generation, kept, given } = this.change;
      const tookMs = this.clock.now() - this.startedMs;
      const gained = this.moved;
      this.emit({ _tag: "RebalanceFinished", group: this.name, generation, gained, given: given.length, kept, tookMs });
    }
  }

  private nameOf(task: string): string {
    return `${this.name}/${task}`;
  }
}
