import { join } from "node:path";
import type { Guard } from "./guards.ts";
import { WorkerProcess } from "./worker-process.ts";

/** What all workers of a run have in common. */
export interface ClusterOptions {
  readonly dir: string;
  readonly redisPort: number;
  readonly partitions: number;
  readonly sessionMs: number;
  readonly slowMs: number;
  readonly without: Guard | null;
  readonly offsetMs: number;
  readonly now: () => number;
}

/** The workers of a run, those that are gone included. */
export class Cluster {
  private readonly options: ClusterOptions;
  private readonly all: WorkerProcess[] = [];
  private readonly starts = new Map<string, number>();
  private isClosed = false;

  constructor(options: ClusterOptions) {
    this.options = options;
  }

  get workers(): readonly WorkerProcess[] {
    return this.all;
  }

  /** Those that are there and were not told to leave. */
  get staying(): readonly WorkerProcess[] {
    return this.all.filter(({ isStaying }) => isStaying);
  }

  /** Those that can work at this moment. */
  get able(): readonly WorkerProcess[] {
    return this.all.filter(({ isAble }) => isAble);
  }

  /** Starts a worker, under a name that was used before or a new one. Does nothing when the run is over. */
  async start(member = `w${this.starts.size + 1}`): Promise<void> {
    if (this.isClosed) {
      return;
    }
    const number = (this.starts.get(member) ?? 0) + 1;
    this.starts.set(member, number);
    const name = `${member}.${number}`;
    const file = join(this.options.dir, `worker-${name}.jsonl`);
    const callsFile = join(this.options.dir, `calls-${name}.jsonl`);
    const worker = await WorkerProcess.start({ ...this.options, name, member, file, callsFile });
    this.all.push(worker);
  }

  /** Ends every process, frozen ones included. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.all.map((worker) => worker.dispose()));
  }
}
