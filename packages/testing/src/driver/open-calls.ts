import type { AroundHandler, CallInfo } from "@millrace/core";
import type { Activity } from "./activity.ts";
import { inWorker } from "./callers.ts";
import { type Underway, underway } from "./event-loop.ts";
import type { WorkerGate } from "./worker-gate.ts";

/** Calls of the users' asynchronous functions that run in one worker. */
export class OpenCalls {
  private readonly activity: Activity;
  private readonly gate: WorkerGate;
  private readonly running = new Set<CallInfo>();
  private before: Underway = new Map();
  private changed = 0;

  constructor(activity: Activity, gate: WorkerGate) {
    this.activity = activity;
    this.gate = gate;
  }

  get count(): number {
    return this.running.size;
  }

  /** How often calls have begun or ended. */
  get changes(): number {
    return this.changed;
  }

  /** Whether a call runs for a record of this partition. */
  runsFor(topic: string, partition: number): boolean {
    return [...this.running].some(({ record }) => record.topic === topic && record.partition === partition);
  }

  /** What kept the process busy before the first of these calls began. */
  get busyBefore(): Underway {
    return this.before;
  }

  /** The operators and tasks for which calls run, and how many each, for people. */
  describe(): readonly string[] {
    const counts = new Map<string, number>();
    for (const { operator, record } of this.running) {
      const what = `operator "${operator}" in the task of ${record.topic}/${record.partition}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    return [...counts].map(([what, count]) => `${what} (${count === 1 ? "1 call" : `${count} calls`})`);
  }

  /** To be put around the calls that count. */
  readonly handler: AroundHandler = <R>(next: () => R, info: CallInfo): Promise<Awaited<R>> => {
    if (this.running.size === 0) {
      this.before = underway();
    }
    const call = { ...info };
    this.running.add(call);
    this.note();
    const end = (): void => {
      this.running.delete(call);
      this.note();
    };
    try {
      // One promise for both: what is only like one may begin anew each time that somebody asks it for its result.
      const result = Promise.resolve(inWorker(this.gate, next));
      result.then(end, end);
      // What a dead worker has called comes to its end, and nobody hears of it.
      return this.gate.result(result);
    } catch (error) {
      end();
      throw error;
    }
  };

  private note(): void {
    this.changed += 1;
    this.activity.note();
  }
}
