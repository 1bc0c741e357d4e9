/** Reads the open dead letters of one partition. */
import { BEFORE_FIRST, compareOffsets, type Offset } from "../kernel/offset.ts";
import type { Log, ReadBatch, ReadError, TopicInfo } from "../ports/log.ts";
import type { TaskRef } from "../ports/tasks.ts";
import { decodeLetter, type FoundLetter } from "../topology/letter.ts";
import { demand } from "./demand.ts";
import type { LetterBook } from "./letter-book.ts";
import { type RetryOptions, retrying } from "./retrying.ts";

/** Letters that are read, and redriven beside each other, at once. */
const BUDGET = { maxRecords: 500, maxBytes: 1_048_576 };

/** Which letters, and where they lie. */
export interface LettersOf {
  readonly log: Log;
  /** The dead-letter topic. */
  readonly info: TopicInfo;
  /** The task that has written them. */
  readonly ref: TaskRef;
  /** What is remembered of the letters of each operator. */
  readonly books: ReadonlyMap<string, LetterBook>;
  readonly retry: RetryOptions;
}

/**
 * Hands over the letters that are open, in the order in which they were written, up to where the topic ended at the beginning,
 * until `next` says no. Resolves with whether all were handed over. Rejects with `MillraceError`.
 */
export async function readLetters(
  of: LettersOf,
  next: (letters: readonly FoundLetter[]) => Promise<boolean>,
): Promise<boolean> {
  const { log, info, ref, books, retry } = of;
  const times = await demand(() => retrying(log.times(info, [ref.partition]), retry));
  const end = times.partitions[0]?.end ?? BEFORE_FIRST;
  let position = firstOpen(books.values());
  const reader = log.reader(info, ref.partition, position);
  try {
    while (compareOffsets(position, end) < 0) {
      const batch = await demand<ReadBatch>(() => retrying<ReadError, ReadBatch>(() => reader.next(BUDGET), retry));
      const letters = batch.records.flatMap((stored) => decodeLetter(stored) ?? []);
      const open = letters.filter((found) => isOf(found, ref) && books.get(found.letter.node)?.isOpen(found.number));
      if (retry.signal.aborted || !(await next(open))) {
        return false;
      }
      // Where what lay in front of the end is gone, the end of the log is the end, too.
      position = batch.atEnd ? end : (batch.records.at(-1)?.offset ?? position);
    }
  } finally {
    reader.close();
  }
  return true;
}

/** Behind this position lies everything that may be open. */
function firstOpen(books: Iterable<LetterBook>): Offset {
  const throughs = [...books]
    .filter(({ hasOpen }) => hasOpen)
    .map(({ doneThrough }) => (doneThrough === "" ? BEFORE_FIRST : (doneThrough as Offset)));
  return throughs.reduce(
    (least, next) => (compareOffsets(next, least) < 0 ? next : least),
    throughs[0] ?? BEFORE_FIRST,
  );
}

/** A dead-letter topic may be that of several pipelines, and of several topics of one. */
function isOf({ group, letter }: FoundLetter, ref: TaskRef): boolean {
  return group === ref.group && letter.topic === ref.topic.name && letter.partition === ref.partition;
}
