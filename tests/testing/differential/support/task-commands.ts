import {
  BEFORE_FIRST,
  type Commit,
  type Offset,
  offsetOf,
  type StateDelta,
  type StatePut,
  type TaskRef,
} from "@millrace/core";
import * as fc from "fast-check";
import { anyBack, anySlot, type Command, latest, type Owner, type Play } from "./command.ts";
import { anyRecords, partitionLabel, recordsOf, WRITERS } from "./log-commands.ts";
import { both, type Pair } from "./pair.ts";
import type { Slot } from "./side.ts";
import { anyTopic, type TopicChoice } from "./topics.ts";

/** Groups that own tasks. */
export const GROUPS = ["g", "h;%"] as const;
/** Stores of tasks. */
export const STORES = ["s", "t~1"] as const;
/** Few, so that they meet; their order in UTF-8 is not that of their UTF-16 units. */
export const KEYS = ["", "a", "aa", "b\n", "é", "\uE000", "🚂"] as const;

/** A task as a command names it. */
export interface TaskChoice {
  /** Of whichever owner, counted from the last one; then the rest says nothing, as long as there is one. */
  readonly owner?: number;
  readonly group: string;
  readonly topic: TopicChoice;
  readonly partition: number;
}

/** Mostly the same few. */
const anyTask: fc.Arbitrary<TaskChoice> = fc.record({
  group: fc.oneof({ weight: 4, arbitrary: fc.constant(GROUPS[0]) }, { weight: 1, arbitrary: fc.constant(GROUPS[1]) }),
  topic: anyTopic,
  partition: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
});

/** A task, for both. */
export interface Task extends Pair<TaskRef> {
  readonly label: string;
  /** The partition that it reads. */
  readonly log: string;
}

/** Mostly one that somebody has acquired. */
export const anyOwnedTask: fc.Arbitrary<TaskChoice> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(anyTask, anyBack).map(([task, owner]) => ({ ...task, owner })) },
  { weight: 1, arbitrary: anyTask },
);

/** What a command means. */
export function taskOf({ topics, world, owners }: Play, choice: TaskChoice): Task {
  const owner = choice.owner === undefined ? undefined : latest(owners, choice.owner);
  if (owner !== undefined) {
    return { ...owner.task, label: owner.label, log: owner.log };
  }
  const topic = topics.of(choice.topic);
  const partition = choice.partition % topic.partitions;
  const group = `${world.options.prefix}${choice.group}`;
  const log = partitionLabel(topic, partition);
  const ref = (of: TaskRef["topic"]): TaskRef => ({ group, topic: of, partition });
  return { memory: ref(topic.memory), redis: ref(topic.redis), log, label: `${choice.group} of ${log}` };
}

/** Makes the caller the owner, alike. */
export async function acquire(
  play: Play,
  args: { readonly slot: Slot; readonly task: TaskChoice; readonly generation: number },
): Promise<void> {
  const { world } = play;
  const task = taskOf(play, args.task);
  const session = world.session(args.slot);
  const found = await world.ask({
    name: "tasks.acquire",
    given: { task: task.label, generation: args.generation },
    to: (side) => session.of(side).tasks.acquire(task[side.kind], args.generation),
    show: (owned, side) => ({
      ...owned,
      nonce: side.alias("nonce", owned.nonce),
      offset: side.alias(`offset in ${task.log}`, owned.offset),
      quietMs: world.options.clock === null ? "some time" : owned.quietMs,
    }),
    sort: ({ time, quietMs }) => `${time === null ? "new" : "known"}, ${quietMs > 0 ? "quiet" : "not quiet"}`,
    session,
  });
  if (found !== null) {
    const { memory, redis } = found;
    const { sequence, processed } = memory;
    play.owners.push({
      task,
      label: task.label,
      log: task.log,
      nonce: { memory: memory.nonce, redis: redis.nonce },
      sequence,
      offset: { memory: memory.offset, redis: redis.offset },
      processed,
    });
  }
}

interface CommitArgs {
  readonly slot: Slot;
  /** Which owner, from the last one. */
  readonly back: number;
  readonly nonce: "own" | "somebody else's" | "none";
  /** From the sequence that the owner would name. */
  readonly shift: number;
  /** To a record that was seen, from the last one; 0: not at all. Or to one that the log does not have. */
  readonly move: number | "9999999999999-0" | "1-1";
  readonly processed: number;
  readonly source: "its own" | "forged";
  readonly outputs: readonly {
    readonly topic: TopicChoice;
    readonly partition: number;
    readonly heads: Parameters<typeof recordsOf>[1];
  }[];
  readonly state: readonly { readonly store: string; readonly changes: readonly Change[] }[];
  readonly watermarks: readonly {
    readonly topic: TopicChoice;
    readonly writer: string;
    readonly watermarkMs: number | null;
  }[];
  readonly time: string;
}

interface Change {
  readonly key: string;
  readonly kind: "put" | "delete";
  readonly dueMs: number | null | undefined;
}

const FORGED_NONCE = { "somebody else's": "not-a-nonce", none: "" } as const;

function deltasOf(play: Play, { state }: CommitArgs): readonly StateDelta[] {
  return state.map(({ store, changes }) => ({
    store,
    puts: changes
      .filter(({ kind }) => kind === "put")
      .map(({ key, dueMs }): StatePut => {
        const value = play.fresh("state ");
        return dueMs === undefined ? [key, value] : [key, value, dueMs];
      }),
    deletes: changes.filter(({ kind }) => kind === "delete").map(({ key }) => key),
  }));
}

/** Where a commit moves to; `undefined`: nowhere. */
function movedTo(
  { world }: Play,
  { log }: Owner,
  move: CommitArgs["move"],
): (Pair<Offset> & { readonly index: unknown }) | undefined {
  if (typeof move === "string") {
    return { ...both(offsetOf(move, 0)), index: move };
  }
  return move === 0 ? undefined : latest(world.seenIn(log), move - 1);
}

/** What the commit names for the report, and what it is to each of the two. */
function commitOf(
  play: Play,
  owner: Owner,
  args: CommitArgs,
): { readonly given: unknown; readonly commits: Pair<Commit> } {
  const { topics, world } = play;
  const sequence = Math.max(0, owner.sequence + args.shift);
  const moved = movedTo(play, owner, args.move);
  const processed = owner.processed + args.processed;
  const state = deltasOf(play, args);
  const outputs = args.outputs.map((output) => {
    const topic = topics.of(output.topic);
    return { topic, partition: output.partition % topic.partitions, records: recordsOf(play, output.heads) };
  });
  const watermarks = args.watermarks.map((each) => ({ ...each, topic: topics.of(each.topic) }));
  const source = topics.of({ name: "a", which: "a forged one" });
  const commits = world.pair(({ kind }): Commit => {
    const task = owner.task[kind];
    return {
      task:
        args.source === "forged" ? { ...task, topic: { ...task.topic, incarnation: source.memory.incarnation } } : task,
      nonce: args.nonce === "own" ? owner.nonce[kind] : FORGED_NONCE[args.nonce],
      sequence,
      offset: moved?.[kind] ?? owner.offset[kind],
      processed,
      outputs: outputs.map((output) => ({ ...output, topic: output.topic[kind] })),
      state,
      time: args.time,
      watermarks: watermarks.map((each) => ({ ...each, topic: each.topic[kind] })),
    };
  });
  const [memory] = world.sides;
  const given = {
    task: owner.label,
    source: args.source,
    nonce: args.nonce === "own" ? memory?.alias("nonce", owner.nonce.memory) : args.nonce,
    sequence,
    offset: moved?.index ?? "as before",
    processed,
    outputs: outputs.map((output) => ({ to: partitionLabel(output.topic, output.partition), records: output.records })),
    state,
    time: args.time,
    watermarks: watermarks.map((each) => ({ ...each, topic: each.topic.label })),
  };
  return { given, commits };
}

async function commit(play: Play, args: CommitArgs): Promise<void> {
  const owner = latest(play.owners, args.back);
  if (owner === undefined) {
    return;
  }
  const { world } = play;
  const { given, commits } = commitOf(play, owner, args);
  const session = world.session(args.slot);
  const found = await world.ask({
    name: "tasks.commit",
    given,
    to: (side) => session.of(side).tasks.commit(commits[side.kind]),
    show: (answer) => answer,
    sort: (answer) => answer,
    session,
  });
  if (found?.memory === "applied") {
    owner.sequence = commits.memory.sequence + 1;
    owner.offset = { memory: commits.memory.offset, redis: commits.redis.offset };
    owner.processed = commits.memory.processed;
  }
}

/** Where tasks are, alike. */
export async function positions(
  play: Play,
  args: { readonly slot: Slot; readonly tasks: readonly TaskChoice[] },
): Promise<void> {
  const tasks = args.tasks.map((task) => taskOf(play, task));
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "tasks.positions",
    given: tasks.map(({ label }) => label),
    to: (side) => session.of(side).tasks.positions(tasks.map((task) => task[side.kind])),
    show: (found, side) =>
      found.map(({ offset, ...rest }, n) => ({
        ...rest,
        offset: offset === BEFORE_FIRST ? offset : side.known(`offset in ${tasks[n]?.log}`, offset),
      })),
    sort: (found) => (found.some(({ processed }) => processed > 0) ? "some moved" : "none moved"),
    session,
  });
}

const anyDue = fc.constantFrom(
  undefined,
  undefined,
  null,
  -5,
  0,
  0,
  1,
  7,
  1.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
);

const anyChanges = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom(...KEYS),
    kind: fc.constantFrom<Change["kind"]>("put", "put", "put", "delete"),
    dueMs: anyDue,
  }),
  { selector: ({ key }) => key, maxLength: 5 },
);

const anyCommit: fc.Arbitrary<CommitArgs> = fc.record({
  slot: anySlot,
  back: anyBack,
  nonce: fc.oneof(
    { weight: 20, arbitrary: fc.constant<CommitArgs["nonce"]>("own") },
    { weight: 1, arbitrary: fc.constantFrom<CommitArgs["nonce"]>("somebody else's", "none") },
  ),
  shift: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: -2, max: 2 }) }),
  move: fc.oneof(
    { weight: 20, arbitrary: fc.nat(3) },
    { weight: 1, arbitrary: fc.constantFrom<CommitArgs["move"]>("9999999999999-0", "1-1") },
  ),
  processed: fc.constantFrom(0, 0, 1, 3),
  source: fc.oneof(
    { weight: 20, arbitrary: fc.constant<CommitArgs["source"]>("its own") },
    { weight: 1, arbitrary: fc.constant<CommitArgs["source"]>("forged") },
  ),
  outputs: fc.array(fc.record({ topic: anyTopic, partition: fc.nat(1), heads: anyRecords(3) }), { maxLength: 2 }),
  state: fc.array(fc.record({ store: fc.constantFrom(...STORES), changes: anyChanges }), { maxLength: 2 }),
  watermarks: fc.array(
    fc.record({
      topic: anyTopic,
      writer: fc.constantFrom(...WRITERS),
      watermarkMs: fc.constantFrom(
        null,
        0,
        -7.5,
        1_700_000_000_000,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ),
    }),
    { maxLength: 2 },
  ),
  time: fc.constantFrom("", "time 1", "ü\n"),
});

/** A worker that takes a task over. */
export const anyAcquire: fc.Arbitrary<Command> = fc
  .record({ slot: anySlot, task: anyTask, generation: fc.nat(3) })
  .map((args) => (play: Play) => acquire(play, args));

/** A call of the port `Tasks`. */
export const anyTaskCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: anyAcquire },
  { weight: 12, arbitrary: anyCommit.map((args) => (play: Play) => commit(play, args)) },
  {
    weight: 2,
    arbitrary: fc
      .record({ slot: anySlot, tasks: fc.array(anyOwnedTask, { maxLength: 3 }) })
      .map((args) => (play: Play) => positions(play, args)),
  },
);
