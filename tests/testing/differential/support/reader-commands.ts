import {
  BEFORE_FIRST,
  type Offset,
  type PortError,
  type ReadBatch,
  type ReadBudget,
  type StoredRecord,
} from "@millrace/core";
import * as fc from "fast-check";
import type { Either } from "fp-ts/lib/Either.js";
import { anyBack, anySlot, type Command, latest, type OpenReader, type Play } from "./command.ts";
import { append, PRODUCERS, partitionLabel } from "./log-commands.ts";
import { both, type Kind, type Pair } from "./pair.ts";
import type { Side, Slot } from "./side.ts";
import { anyTopic, type TopicChoice } from "./topics.ts";
import { textOf } from "./trace.ts";

const AMPLE: ReadBudget = { maxRecords: 1_000, maxBytes: 1_000_000 };

/** A record as both must show it. How many bytes it takes is the adapter's business, and so is when it was appended. */
export function shownRecord(record: StoredRecord, label: string, side: Side): unknown {
  const { appendedMs: _, bytes: __, offset, ...rest } = record;
  return { ...rest, offset: side.alias(`offset in ${label}`, offset) };
}

async function openReader(
  play: Play,
  args: { readonly slot: Slot; readonly topic: TopicChoice; readonly partition: number; readonly from: number },
): Promise<void> {
  const { world } = play;
  const topic = play.topics.of(args.topic);
  const partition = args.partition % topic.partitions;
  const label = partitionLabel(topic, partition);
  const known = world.seenIn(label);
  const after = args.from === 0 ? undefined : latest(known, args.from - 1);
  const offset: Pair<Offset> = after ?? both(BEFORE_FIRST);
  const session = world.session(args.slot);
  const readers = world.pair((side) => session.of(side).log.reader(topic[side.kind], partition, offset[side.kind]));
  const next = after === undefined ? 0 : after.index + 1;
  const at = { label, partition, topic };
  const lengthAtOpen = (await stateOf(play, at))?.length ?? 0;
  play.readers.push({ ...at, readers, next: { memory: next, redis: next }, session, state: "fresh", lengthAtOpen });
  world.compare("log.reader", { of: label, behind: after === undefined ? "nothing" : after.index }, both("open"));
}

/** How many records a reader's partition has, and whether it takes more of producers; `null` where it is lost. */
async function stateOf(
  { world }: Play,
  { topic, partition }: Pick<OpenReader, "topic" | "partition">,
): Promise<{ readonly length: number; readonly isSealed: boolean } | null> {
  const found = await world.peek.log.times(topic.memory, [partition])();
  const time = found._tag === "Left" ? undefined : found.right.partitions[0];
  return time === undefined ? null : { length: time.appended, isSealed: time.sealed };
}

/** Whether a read ends at once, and alike. A reader that read before may have read ahead, and notice a loss later. */
async function endsAtOnce(play: Play, reader: OpenReader): Promise<boolean> {
  if (reader.state === "closed") {
    return true;
  }
  const found = await stateOf(play, reader);
  if (reader.session.isClosed || found === null) {
    return reader.state === "fresh";
  }
  return reader.next.memory < found.length && reader.next.redis < found.length;
}

/** The next records, within a budget. How many there are in one answer is the adapter's business. */
async function read(play: Play, args: { readonly back: number; readonly budget: ReadBudget }): Promise<void> {
  const reader = latest(play.readers, args.back);
  if (reader === undefined || !(await endsAtOnce(play, reader))) {
    return;
  }
  const length = (await stateOf(play, reader))?.length ?? 0;
  const answers = {
    memory: await reader.readers.memory.next(args.budget),
    redis: await reader.readers.redis.next(args.budget),
  };
  compareReads(play, reader, { name: "reader.next", answers, budget: args.budget, length });
}

interface Reads {
  readonly name: string;
  readonly answers: Pair<Either<PortError, ReadBatch>>;
  readonly budget: ReadBudget;
  /** How many records there are at most. */
  readonly length: number;
}

/** Compares two answers as far as both go. */
function compareReads(play: Play, reader: OpenReader, reads: Reads): void {
  const { world } = play;
  const { answers, budget, name } = reads;
  const counts = world.pair((side) => countOf(answers[side.kind]));
  // Where one has read less before, the rest of it comes again.
  const least = Math.min(reader.next.memory + counts.memory, reader.next.redis + counts.redis);
  const shown = world.pair((side) => {
    const answer = answers[side.kind];
    if (answer._tag === "Left") {
      return { text: `Left ${answer.left._tag}`, sort: answer.left._tag };
    }
    const wrong = wrongWith(answer.right, reader, { ...reads, kind: side.kind });
    const from = Math.max(reader.next.memory, reader.next.redis) - reader.next[side.kind];
    const records = answer.right.records.slice(from, Math.max(from, least - reader.next[side.kind]));
    const text = textOf(records.map((record) => shownRecord(record, reader.label, side)));
    const sort = answer.right.records.length === 0 ? "nothing" : answer.right.atEnd ? "up to the end" : "some";
    return { text: wrong ?? text, sort };
  });
  for (const side of world.sides) {
    const answer = answers[side.kind];
    if (answer._tag === "Right") {
      remember(play, reader, side.kind, answer.right);
    }
  }
  if (reader.state === "fresh") {
    reader.state = "read";
  }
  world.note(`${name}(${textOf({ of: reader.label, budget })})`, shown, { name, isClosed: reader.session.isClosed });
}

function countOf(answer: Either<PortError, ReadBatch>): number {
  return answer._tag === "Left" ? 0 : answer.right.records.length;
}

/** What an answer must not be, whatever the other one is; `null` where it is as it must be. */
function wrongWith(
  { records, atEnd }: ReadBatch,
  reader: OpenReader,
  { budget, length, kind }: Pick<Reads, "budget" | "length"> & { readonly kind: Kind },
): string | null {
  const bytes = records.reduce((sum, each) => sum + each.bytes, 0);
  const behind = length - reader.next[kind] - records.length;
  if (records.length > budget.maxRecords || (records.length > 1 && bytes > budget.maxBytes)) {
    return `${kind}: more than the budget allows (${records.length} records, ${bytes} bytes)`;
  }
  if (atEnd && behind > 0) {
    const isNew = length - behind >= reader.lengthAtOpen;
    return `${kind}: at the end, though ${behind} records lie behind${isNew ? ", all newer than the reader" : ""}`;
  }
  if (reader.state !== "closed" && records.length === 0 && !atEnd) {
    return `${kind}: nothing, and not at the end`;
  }
  return null;
}

function remember({ world }: Play, reader: OpenReader, kind: Kind, { records }: ReadBatch): void {
  for (const { offset } of records) {
    world.saw(reader.label, reader.next[kind], kind, offset);
    reader.next[kind] += 1;
  }
}

function closeReader({ world, readers }: Play, back: number): void {
  const reader = latest(readers, back);
  if (reader !== undefined) {
    reader.readers.memory.close();
    reader.readers.redis.close();
    reader.state = "closed";
    world.compare("reader.close", { of: reader.label }, both("closed"));
  }
}

/** A read that waits at the end, and ends because of something else. */
async function waitingRead(
  play: Play,
  args: { readonly back: number; readonly end: "append" | "close" },
): Promise<void> {
  const reader = latest(play.readers, args.back);
  const found = reader === undefined ? null : await stateOf(play, reader);
  if (reader === undefined || reader.state === "closed" || reader.session.isClosed || found === null) {
    return;
  }
  const { length, isSealed } = found;
  if (reader.next.memory !== length || reader.next.redis !== length || isSealed) {
    return;
  }
  const waiting = [reader.readers.memory.next(AMPLE), reader.readers.redis.next(AMPLE)] as const;
  if (args.end === "append") {
    const name = reader.topic.memory.name.slice(play.world.options.prefix.length);
    const head = { key: "", timestampMs: 0, headers: {}, watermarkMs: null };
    const topic = { name, which: "today's" } as const;
    const to = { slot: 0, topic, partition: reader.partition, producer: PRODUCERS[0] } as const;
    await append(play, { ...to, shift: 0, heads: [head], ephemeral: false });
  } else {
    closeReader(play, args.back);
  }
  const [memory, redis] = await Promise.all(waiting);
  compareReads(play, reader, {
    name: "reader.next, waiting",
    answers: { memory, redis },
    budget: AMPLE,
    length: length + 1,
  });
}

const anyBudget = fc.record({
  maxRecords: fc.constantFrom(1, 2, 3, 1_000),
  maxBytes: fc.constantFrom(1, 400, 1_000_000),
});

/** A call of the port `Reader`. */
export const anyReaderCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ slot: anySlot, topic: anyTopic, partition: fc.nat(1), from: fc.nat(3) })
      .map((args) => (play: Play) => openReader(play, args)),
  },
  {
    weight: 6,
    arbitrary: fc.record({ back: anyBack, budget: anyBudget }).map((args) => (play: Play) => read(play, args)),
  },
  {
    weight: 1,
    arbitrary: anyBack.map((back) => (play: Play) => Promise.resolve(closeReader(play, back))),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ back: anyBack, end: fc.constantFrom("append" as const, "append" as const, "close" as const) })
      .map((args) => (play: Play) => waitingRead(play, args)),
  },
);
