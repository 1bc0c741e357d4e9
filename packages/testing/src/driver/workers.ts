import { type AppEvent, isName, type Pipeline } from "@millrace/core";
import { DriverWorker, type WorkerSurroundings } from "./driver-worker.ts";
import { mindsSilence } from "./plan.ts";
import { TestDriverError } from "./test-driver-error.ts";

/** The workers of a driver, by name, in the order in which they were first started. */
export class Workers {
  readonly events: AppEvent[] = [];
  private readonly around: WorkerSurroundings;
  private readonly byName = new Map<string, DriverWorker>();

  constructor(around: Omit<WorkerSurroundings, "emit">) {
    this.around = { ...around, emit: (event) => this.events.push(event) };
  }

  get all(): readonly DriverWorker[] {
    return [...this.byName.values()];
  }

  /** Makes a worker of a new name, by default `worker-1`, `worker-2`, … Throws `InvalidCall`. */
  add(name: string | undefined, pipelines: readonly Pipeline[]): DriverWorker {
    const given = name ?? this.freeName();
    if (!isName(given)) {
      throw new TestDriverError("InvalidCall", `addWorker: ${JSON.stringify(given)} is not a name as topics have`);
    }
    if (this.byName.has(given)) {
      throw new TestDriverError(
        "InvalidCall",
        `addWorker: there is a worker ${given} already; restart() starts it again`,
      );
    }
    return this.made(given, pipelines);
  }

  /** Whether any of them runs a pipeline for which it matters that nothing comes. */
  get mindSilence(): boolean {
    return this.all.some(({ pipelines }) => pipelines.some(mindsSilence));
  }

  /** Makes a worker in the place of one that has ended. */
  replace(old: DriverWorker, pipelines: readonly Pipeline[]): DriverWorker {
    const worker = this.made(old.name, pipelines);
    worker.startedWith = old.startedWith;
    return worker;
  }

  /** The worker of that name, or the first one, if it is in one of these states. Throws `UnknownWorker`. */
  find(call: string, name: string | undefined, states: readonly DriverWorker["state"][]): DriverWorker {
    const found = this.all.find((worker) => states.includes(worker.state) && (name ?? worker.name) === worker.name);
    return found ?? this.refuse(call, name, states);
  }

  /** The worker of that name, or the one that has ended last. Throws `UnknownWorker`. */
  findEnded(call: string, name: string | undefined): DriverWorker {
    const ended = this.all.filter((worker) => worker.endedAt >= 0 && (name ?? worker.name) === worker.name);
    const [last] = ended.toSorted((a, b) => b.endedAt - a.endedAt);
    return last ?? this.refuse(call, name, ["crashed", "failed", "removed", "finished"]);
  }

  private made(name: string, pipelines: readonly Pipeline[]): DriverWorker {
    const worker = new DriverWorker(name, pipelines, this.around);
    this.byName.set(name, worker);
    return worker;
  }

  private freeName(): string {
    let number = this.byName.size + 1;
    while (this.byName.has(`worker-${number}`)) {
      number += 1;
    }
    return `worker-${number}`;
  }

  private refuse(call: string, name: string | undefined, states: readonly string[]): never {
    const wanted = name === undefined ? "there is no worker" : `worker ${JSON.stringify(name)} is none`;
    const known = this.all.map((worker) => `${worker.name} (${worker.state})`).join(", ");
    throw new TestDriverError("UnknownWorker", `${call}: ${wanted} that is ${states.join(" or ")}; there are ${known}`);
  }
}
