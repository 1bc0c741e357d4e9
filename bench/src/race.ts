/**
 * Several ways of doing a thing, side by side: each in processes of its own, in turn, round after round. Which one is first
 * changes with each round, so that what the machine does besides hits all alike.
 */
import { type Role, startWorker, type WorkerProcess } from "./worker-process.ts";

/** What one run of a lap has measured, by name. */
export type Figures = Readonly<Record<string, number>>;

/** What is run in every round. */
export interface Lap<Request> {
  /** Tells the lap from the others. */
  readonly id: string;
  /** What its process is started with. Laps with the same arguments share a process, unless each run gets a new one. */
  readonly args: readonly string[];
  /** What the process is asked for. It answers with its {@link Figures}, or fails where its output was not right. */
  readonly request: Request;
}

/** How a race is run. */
export interface RaceOptions<Request> {
  readonly role: Role;
  readonly laps: readonly Lap<Request>[];
  /** Runs of each lap that count. */
  readonly rounds: number;
  /** Runs of each lap before the first one that counts. */
  readonly warmUps: number;
  /** Whether processes live for one run, because of what the next one would find in them. */
  readonly isFresh: boolean;
}

/** The figures of every lap, a round each. Rejects when an output was not right. */
export type Results = ReadonlyMap<string, readonly Figures[]>;

/** Runs the laps in turn. */
export async function runRace<Request>(options: RaceOptions<Request>): Promise<Results> {
  const { laps, rounds, warmUps, isFresh } = options;
  const results = new Map<string, Figures[]>(laps.map(({ id }) => [id, []]));
  const stable = new Stable(options.role);
  try {
    for (let round = 0; round < warmUps + rounds; round += 1) {
      for (const lap of rotated(laps, round)) {
        const worker = await stable.workerOf(lap);
        const figures = (await worker.ask(lap.request)) as Figures;
        if (round >= warmUps) {
          results.get(lap.id)?.push(figures);
        }
        if (isFresh) {
          stable.clear();
        }
      }
    }
  } finally {
    stable.clear();
  }
  return results;
}

/** One figure of a lap, a round each. Throws for a lap or a figure that there is not. */
export function figuresOf(results: Results, id: string, figure: string): readonly number[] {
  const values = (results.get(id) ?? []).map((figures) => figures[figure] ?? Number.NaN);
  if (values.length === 0 || values.some(Number.isNaN)) {
    throw new RangeError(`there is no figure "${figure}" of a lap "${id}"`);
  }
  return values;
}

/** Every second round runs backwards, so that nobody always follows the same one. */
function rotated<A>(list: readonly A[], by: number): readonly A[] {
  const first = by % list.length;
  const turned = [...list.slice(first), ...list.slice(0, first)];
  return by % 2 === 0 ? turned : turned.toReversed();
}

/** The processes of a race, started when they are needed. */
class Stable {
  private readonly role: Role;
  private readonly workers = new Map<string, WorkerProcess>();

  constructor(role: Role) {
    this.role = role;
  }

  async workerOf({ args }: Pick<Lap<unknown>, "args">): Promise<WorkerProcess> {
    const name = args.join(" ");
    const known = this.workers.get(name);
    if (known !== undefined) {
      return known;
    }
    const worker = await startWorker({ role: this.role, args, who: `${this.role} (${name})` });
    this.workers.set(name, worker);
    return worker;
  }

  clear(): void {
    for (const worker of this.workers.values()) {
      worker[Symbol.dispose]();
    }
    this.workers.clear();
  }
}
