import type { Offset } from "../kernel/offset.ts";
import type { TaskTime } from "../kernel/task-time.ts";
import type { NewRecord } from "../ports/log.ts";
import type { Any } from "../topology/any.ts";
import type { CollectedDelta, DirtyStore, Unit } from "../topology/stage.ts";
import type { Topic } from "../topology/topic.ts";
import type { Destination } from "./router.ts";

/** Finds the partition that a record of a topic belongs to. */
export type Route = (to: Topic<Any>, record: NewRecord, partition?: number) => Destination;

/** Which unit has uncollected changes in which store. One for each task. */
export type StoreOwners = Map<DirtyStore, TaskUnit>;

/**
 * A unit of one task: what its records caused, until it is committed. It settles when the read loop and every operator
 * have released it.
 */
export class TaskUnit implements Unit {
  /** Units of a task are numbered in log order. */
  readonly index: number;
  readonly openedAtMs: number;
  /** What waits for the commit, in order. */
  readonly outputs = new Map<Destination, NewRecord[]>();
  readonly deltas: CollectedDelta[] = [];
  /** Watermarks (ms) that reached the sinks in this unit, by sink. */
  readonly sinkWatermarks = new Map<number, number>();
  outputCount = 0;
  outputBytes = 0;
  /** How many entries of stores it writes; their bytes count as those of outputs. */
  writes = 0;
  /** How many values have waited inside operators, and about how many bytes they took. */
  waiting = 0;
  waitingBytes = 0;
  /** How many records were read into the unit, and about how many bytes they take. */
  records = 0;
  bytes = 0;
  /** Units up to this index commit together with this one. */
  joinedThrough: number;
  /** When a unit that had waited for records was closed (ms): its waiting is no work. */
  closedAtMs: number | null = null;
  isSettled = false;
  /** Where the task stands after this unit; set when the unit is closed. */
  closed: UnitEnd | null = null;

  private holds = 1;
  private parked = 0;
  private readonly stores = new Set<DirtyStore>();
  private readonly route: Route;
  private readonly owners: StoreOwners;
  private readonly settled: (unit: TaskUnit) => void;
  private readonly whenParked: () => void;
  private readonly held: (bytes: number) => void;

  constructor(
    at: { readonly index: number; readonly openedAtMs: number },
    task: {
      readonly route: Route;
      readonly owners: StoreOwners;
      readonly settled: (unit: TaskUnit) => void;
      readonly parked: () => void;
      /** So many bytes more are in memory until the unit is committed. */
      readonly held: (bytes: number) => void;
    },
  ) {
    this.index = at.index;
    this.openedAtMs = at.openedAtMs;
    this.joinedThrough = at.index;
    this.route = task.route;
    this.owners = task.owners;
    this.settled = task.settled;
    this.whenParked = task.parked;
    this.held = task.held;
  }

  retain(): void {
    this.holds += 1;
  }

  /** Throws when a store's changes cannot be encoded. */
  release(): void {
    this.holds -= 1;
    if (this.holds === 0) {
      for (const store of this.stores) {
        this.collect(store);
      }
      this.isSettled = true;
      this.settled(this);
    } else if (this.isParked) {
      this.whenParked();
    }
  }

  park(): void {
    this.holds += 1;
    this.parked += 1;
  }

  unpark(): void {
    this.parked -= 1;
    this.release();
  }

  /** Whether nothing but a record that is still to come can settle the unit. */
  get isParked(): boolean {
    return this.holds > 0 && this.holds === this.parked;
  }

  output(to: Topic<Any>, record: NewRecord, partition?: number): void {
    const destination = this.route(to, record, partition);
    const waiting = this.outputs.get(destination);
    if (waiting === undefined) {
      this.outputs.set(destination, [record]);
    } else {
      waiting.push(record);
    }
    this.outputCount += 1;
    this.outputBytes += record.payload.length + record.key.length;
    for (const name in record.headers) {
      this.outputBytes += name.length + (record.headers[name]?.length ?? 0);
    }
  }

  touch(store: DirtyStore): void {
    const before = this.owners.get(store);
    if (before !== this) {
      before?.collect(store);
      this.owners.set(store, this);
      this.stores.add(store);
    }
  }

  wrote(bytes: number): void {
    this.writes += 1;
    this.outputBytes += bytes;
  }

  waits(bytes: number): void {
    this.waiting += 1;
    this.waitingBytes += bytes;
    this.held(bytes);
  }

  joinWith(later: Unit): void {
    if (later instanceof TaskUnit) {
      this.joinedThrough = Math.max(this.joinedThrough, later.index);
    }
  }

  private collect(store: DirtyStore): void {
    if (this.owners.get(store) === this) {
      // First: a unit whose changes cannot be collected must not settle without them.
      this.deltas.push(store.collect());
      this.owners.delete(store);
    }
  }
}

/** Where a task stands after a unit. */
export interface UnitEnd {
  readonly offset: Offset;
  readonly processed: number;
  readonly time: TaskTime;
  /** Whether the task has nothing to say about event time. */
  readonly isInactive: boolean;
}
