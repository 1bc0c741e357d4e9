import type { NewRecord } from "@millrace/core";
import * as fc from "fast-check";
import { anySlot, type Command, type Play } from "./command.ts";
import type { Slot } from "./side.ts";
import { anyTopic, type Topic, type TopicChoice } from "./topics.ts";

/** Who appends. */
export const PRODUCERS = ["p", "q;%{}"] as const;

/** Who may stand in a writers' table. */
export const WRITERS = ["v", "w", "x y"] as const;

const anyText = fc.constantFrom("", "k", "key;2", "ключ 🚂", '"\\\n\u0000');

/** A record without its value. */
const anyHead = fc.record({
  key: anyText,
  timestampMs: fc.constantFrom(0, 1, -1, 1_700_000_000_000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom({ h: "" }, { "": "ü", b: '"' }) },
  ),
  watermarkMs: fc.constantFrom(null, null, 0, -1.5, 1e21, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
});

type Head = Omit<NewRecord, "payload">;

/** Records, of which the values are new. */
export const anyRecords = (most: number): fc.Arbitrary<readonly Head[]> => fc.array(anyHead, { maxLength: most });

/** The records, with values that no other has. */
export function recordsOf(play: Play, heads: readonly Head[]): readonly NewRecord[] {
  return heads.map((head) => ({ ...head, payload: play.fresh("value ") }));
}

/** How the report names a partition, and under which its offsets are remembered. */
export function partitionLabel({ label }: Topic, partition: number): string {
  return `${label}, partition ${partition}`;
}

interface AppendArgs {
  readonly slot: Slot;
  readonly topic: TopicChoice;
  readonly partition: number;
  readonly producer: string;
  /** From the sequence that is expected: less is a repeat, more a gap. */
  readonly shift: number;
  readonly heads: readonly Head[];
  readonly ephemeral: boolean;
}

/** The sequence that the log expects. */
async function expected({ world }: Play, topic: Topic, partition: number, producer: string): Promise<number> {
  const found = await world.peek.log.nextSequences(topic.memory, producer)();
  return found._tag === "Left" ? 0 : (found.right[partition] ?? 0);
}

/** Appends to a partition of a topic. */
export async function append(play: Play, args: AppendArgs): Promise<void> {
  const { world } = play;
  const topic = play.topics.of(args.topic);
  const partition = args.partition % topic.partitions;
  const { producer, ephemeral } = args;
  const next = await expected(play, topic, partition, producer);
  const firstSequence = Math.max(0, next + args.shift);
  const records = recordsOf(play, args.heads);
  const session = world.session(args.slot);
  await world.ask({
    name: "log.append",
    given: { to: partitionLabel(topic, partition), producer, firstSequence, records, ephemeral },
    to: (side) => {
      const request = { partition, producer, ephemeral, firstSequence, records };
      return session.of(side).log.append({ ...request, topic: topic[side.kind] });
    },
    show: (count) => count,
    sort: (count) => (count === records.length ? "all" : count === 0 ? "none" : "some"),
    session,
  });
}

/** Creates a topic, or asks what exists. */
export async function ensureTopic(
  play: Play,
  args: {
    readonly slot: Slot;
    readonly name: string;
    readonly partitions: number | null;
    readonly defaultPartitions: number;
  },
): Promise<void> {
  const { world } = play;
  const { name, partitions, defaultPartitions } = args;
  const session = world.session(args.slot);
  const found = await world.ask({
    name: "log.ensureTopic",
    given: { name, partitions, defaultPartitions },
    to: (side) =>
      session.of(side).log.ensureTopic({ name: `${world.options.prefix}${name}`, partitions, defaultPartitions }),
    show: (info, side) => ({ partitions: info.partitions, incarnation: side.alias("incarnation", info.incarnation) }),
    session,
  });
  if (found !== null) {
    play.topics.learn(name, found);
  }
}

interface OfTopic {
  readonly slot: Slot;
  readonly topic: TopicChoice;
}

/** The next sequences of a producer. */
export async function nextSequences(play: Play, args: OfTopic & { readonly producer: string }): Promise<void> {
  const topic = play.topics.of(args.topic);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "log.nextSequences",
    given: { topic: topic.label, producer: args.producer },
    to: (side) => session.of(side).log.nextSequences(topic[side.kind], args.producer),
    show: (sequences) => sequences,
    session,
  });
}

async function seal(
  play: Play,
  args: OfTopic & { readonly shifts: readonly number[] | null; readonly producer: string },
): Promise<void> {
  const { producer, shifts } = args;
  const topic = play.topics.of(args.topic);
  const session = play.world.session(args.slot);
  const found = await play.world.peek.log.nextSequences(topic.memory, producer)();
  const has = found._tag === "Left" ? [] : found.right;
  const all = shifts === null ? undefined : { producer, sequences: has.map((n, at) => n + (shifts[at] ?? 0)) };
  await play.world.ask({
    name: "log.seal",
    given: { topic: topic.label, all },
    to: (side) => session.of(side).log.seal(topic[side.kind], all),
    show: () => "sealed",
    session,
  });
}

async function registerWriters(
  play: Play,
  args: OfTopic & { readonly writers: readonly string[]; readonly onlyNew: boolean | undefined },
): Promise<void> {
  const { writers, onlyNew } = args;
  const topic = play.topics.of(args.topic);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "log.registerWriters",
    given: { topic: topic.label, writers, onlyNew },
    to: (side) => session.of(side).log.registerWriters(topic[side.kind], writers, onlyNew),
    show: () => "entered",
    session,
  });
}

/** The writers' table and the ends of partitions, whose offsets commits can name from then on. */
export async function times(
  play: Play,
  args: OfTopic & { readonly partitions: readonly number[] | undefined },
): Promise<void> {
  const { world } = play;
  const topic = play.topics.of(args.topic);
  const partitions = args.partitions?.map((partition) => partition % topic.partitions);
  const session = world.session(args.slot);
  await world.ask({
    name: "log.times",
    given: { topic: topic.label, partitions },
    to: (side) => session.of(side).log.times(topic[side.kind], partitions),
    show: (found, side) => ({
      writers: found.writers,
      partitions: found.partitions.map(({ end, appended, sealed }, n) => {
        const label = partitionLabel(topic, partitions?.[n] ?? n);
        if (appended > 0) {
          world.saw(label, appended - 1, side.kind, end);
        }
        return { end: side.alias(`offset in ${label}`, end), appended, sealed };
      }),
    }),
    sort: ({ partitions: found }) => (found.some(({ sealed }) => sealed) ? "sealed" : "success"),
    session,
  });
}

async function deleteTopic(play: Play, choice: TopicChoice): Promise<void> {
  const topic = play.topics.of({ ...choice, which: "today's" });
  await play.world.deleteTopic(topic);
}

const ofTopic = { slot: anySlot, topic: anyTopic };
const anyProducer = fc.constantFrom(...PRODUCERS);

/** A call of the port `Log`, readers excepted. */
export const anyLogCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .record({
        ...ofTopic,
        partition: fc.nat(1),
        producer: anyProducer,
        shift: fc.oneof(
          { weight: 6, arbitrary: fc.constant(0) },
          { weight: 2, arbitrary: fc.integer({ min: -4, max: 2 }) },
        ),
        heads: anyRecords(4),
        ephemeral: fc.boolean(),
      })
      .map((args) => (play: Play) => append(play, args)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        slot: anySlot,
        name: fc.constantFrom("a", "b", "c"),
        partitions: fc.constantFrom(null, null, 1, 2, 3),
        defaultPartitions: fc.integer({ min: 1, max: 3 }),
      })
      .map((args) => (play: Play) => ensureTopic(play, args)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ ...ofTopic, producer: anyProducer })
      .map((args) => (play: Play) => nextSequences(play, args)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        ...ofTopic,
        producer: anyProducer,
        shifts: fc.option(fc.array(fc.constantFrom(0, 0, -1, 1), { maxLength: 2 })),
      })
      .map((args) => (play: Play) => seal(play, args)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ ...ofTopic, writers: fc.subarray([...WRITERS]), onlyNew: fc.constantFrom(undefined, false, true) })
      .map((args) => (play: Play) => registerWriters(play, args)),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ ...ofTopic, partitions: fc.option(fc.array(fc.nat(2), { maxLength: 3 }), { nil: undefined }) })
      .map((args) => (play: Play) => times(play, args)),
  },
  { weight: 1, arbitrary: anyTopic.map((topic) => (play: Play) => deleteTopic(play, topic)) },
);
