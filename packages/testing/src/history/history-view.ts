import { type Call, type CallOf, callsOf, isCall, type Note } from "./calls.ts";
import { grouped } from "./grouped.ts";
import type {
  EventLine,
  FaultLine,
  HistoryLine,
  LossLine,
  PartitionPlace,
  ReadLine,
  StateLine,
  TaskPlace,
  TrimLine,
} from "./lines.ts";
import { type Match, matchesIn } from "./log-matches.ts";
import { heldIn, PartitionView, partitionKey, partitionName } from "./partition-view.ts";
import { TaskView, taskName } from "./task-view.ts";
import { type Written, writtenIn } from "./written.ts";

function taskKey(place: TaskPlace): string {
  return `${taskName(place)} ${place.incarnation}`;
}

type Tagged = { readonly [Tag in HistoryLine["_tag"]]: Extract<HistoryLine, { readonly _tag: Tag }>[] };

/** A history, sorted by what its lines speak of. */
export class HistoryView {
  readonly lines: readonly HistoryLine[];
  readonly calls: readonly Call[];
  readonly appends: readonly CallOf<"append">[];
  readonly stateReads: readonly CallOf<"state">[];
  readonly drops: readonly CallOf<"drop">[];
  readonly losses: readonly LossLine[];
  readonly faults: readonly FaultLine[];
  readonly trims: readonly TrimLine[];
  readonly reads: readonly ReadLine[];
  readonly events: readonly EventLine[];
  /** Names of the tasks that have reported lost records. */
  readonly gaps: ReadonlySet<string | null>;
  readonly states: readonly StateLine[];
  readonly tasks: readonly TaskView[];
  /** Those of which the end is known. */
  readonly partitions: readonly PartitionView[];
  /** Everything that was to be written to the log. */
  readonly written: readonly Written[];
  /** When the history ends, ms; `null` where nothing says so. */
  readonly endMs: number | null;
  /** What is no history, or not a whole one. */
  readonly odd: readonly { readonly message: string; readonly lines: readonly HistoryLine[] }[];
  readonly #partitions: ReadonlyMap<string, PartitionView>;
  readonly #tasks: ReadonlyMap<string, TaskView>;
  #matches: readonly Match[] | null = null;

  constructor(lines: readonly HistoryLine[]) {
    const odd: { readonly message: string; readonly lines: readonly HistoryLine[] }[] = [];
    const note: Note = (message, of) => void odd.push({ message, lines: of });
    const by = byTag(lines);
    this.lines = lines;
    this.losses = by.loss;
    this.faults = by.fault;
    this.trims = by.trim;
    this.reads = by.read;
    this.events = by.event;
    this.gaps = new Set(by.event.filter(({ event }) => event === "Gap").map(({ task }) => task));
    this.states = by.state;
    this.endMs = by.end.at(-1)?.atMs ?? null;
    this.calls = callsOf(lines, by.loss, note);
    this.appends = this.calls.filter((call) => isCall(call, "append"));
    this.stateReads = this.calls.filter((call) => isCall(call, "state"));
    this.drops = this.calls.filter((call) => isCall(call, "drop"));
    this.#partitions = partitionsIn(by, note);
    this.partitions = [...this.#partitions.values()];
    this.#tasks = tasksIn(this.calls, by.position, note);
    this.tasks = [...this.#tasks.values()];
    this.written = writtenIn(this.appends, this.tasks);
    this.odd = odd;
  }

  /** What was to be written, beside what is there. */
  get matches(): readonly Match[] {
    this.#matches ??= matchesIn(this.partitions, this.written);
    return this.#matches;
  }

  /** A partition in the end; `null` where nothing says how that was, or its topic is another one by then. */
  partition(place: PartitionPlace): PartitionView | null {
    return this.#partitions.get(partitionKey(place)) ?? null;
  }

  /** The partitions of a topic in the end, by number. */
  topic(name: string): readonly PartitionView[] {
    return this.partitions
      .filter(({ line }) => line.topic === name)
      .toSorted((a, b) => a.line.partition - b.line.partition);
  }

  /** A task of which there is anything. */
  task(place: TaskPlace): TaskView | null {
    return this.#tasks.get(taskKey(place)) ?? null;
  }

  /** The tasks of a group that read a topic, by partition. */
  tasksOf(group: string, topic: string): readonly TaskView[] {
    return this.tasks
      .filter(({ place }) => place.group === group && place.topic === topic)
      .toSorted((a, b) => a.place.partition - b.place.partition);
  }
}

function byTag(lines: readonly HistoryLine[]): Tagged {
  const by: Tagged = {
    invoke: [],
    ok: [],
    fail: [],
    info: [],
    read: [],
    event: [],
    fault: [],
    loss: [],
    trim: [],
    partition: [],
    log: [],
    position: [],
    state: [],
    end: [],
  };
  for (const line of lines) {
    (by[line._tag] as HistoryLine[]).push(line);
  }
  return by;
}

function partitionsIn(by: Tagged, note: Note): ReadonlyMap<string, PartitionView> {
  const logs = grouped(by.log, partitionKey);
  const reads = grouped(by.read, partitionKey);
  const found = new Map<string, PartitionView>();
  for (const line of by.partition) {
    const key = partitionKey(line);
    const before = found.get(key);
    if (before !== undefined) {
      note(`the end of ${partitionName(line)} is told twice`, [before.line, line]);
    } else {
      const held = heldIn(line, logs.get(key) ?? [], note);
      found.set(key, new PartitionView(line, held, reads.get(key) ?? []));
    }
  }
  for (const [key, [line]] of logs) {
    if (line !== undefined && !found.has(key)) {
      note(`there are records of ${partitionName(line)}, and nothing says how many it has`, [line]);
    }
  }
  return found;
}

function tasksIn(calls: readonly Call[], positions: Tagged["position"], note: Note): ReadonlyMap<string, TaskView> {
  const acquires = grouped(
    calls.filter((call) => isCall(call, "acquire")),
    ({ invoke }) => taskKey(invoke),
  );
  const commits = grouped(
    calls.filter((call) => isCall(call, "commit")),
    ({ invoke }) => taskKey(invoke),
  );
  const ends = grouped(positions, taskKey);
  for (const [first, second] of ends.values()) {
    if (first !== undefined && second !== undefined) {
      note(`the position of ${taskName(first)} is told twice`, [first, second]);
    }
  }
  const found = new Map<string, TaskView>();
  for (const key of new Set([...acquires.keys(), ...commits.keys(), ...ends.keys()])) {
    const of = { acquires: acquires.get(key) ?? [], commits: commits.get(key) ?? [] };
    const place = of.acquires[0]?.invoke ?? of.commits[0]?.invoke ?? ends.get(key)?.[0];
    if (place !== undefined) {
      found.set(key, new TaskView(placeOf(place), of, ends.get(key)?.[0] ?? null));
    }
  }
  return found;
}

function placeOf({ group, topic, partition, incarnation }: TaskPlace): TaskPlace {
  return { group, topic, partition, incarnation };
}
