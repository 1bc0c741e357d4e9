import * as E from "fp-ts/lib/Either.js";
import { Observable } from "rxjs";
import { DecodeError, MillraceError } from "../errors.ts";
import { backoffMs } from "../kernel/backoff.ts";
import { BEFORE_FIRST, compareOffsets, type Offset } from "../kernel/offset.ts";
import type { Ports } from "../ports/adapter.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Reader, StoredRecord, TopicInfo } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import { type StreamRecord, TopicRecord } from "../topology/record.ts";
import { DEFAULT_PARTITIONS, type Topic } from "../topology/topic.ts";
import { demand } from "./demand.ts";

/** Where an observer begins. */
export interface ObserveOptions {
  /** `"start"`: with the oldest record that is kept; `"end"`: with what comes from now on. Default `"end"`. */
  readonly from?: "start" | "end";
  /** Completes when everything that was there at the beginning has been seen. Default: never completes. */
  readonly untilEnd?: boolean;
}

const BUDGET = { maxRecords: 500, maxBytes: 1_048_576 };

/**
 * The committed records of a topic: in order within each partition, the partitions interleaved. Read-only: no group, no
 * acknowledgement, every subscription reads for itself, and an observer that is slow in its callbacks slows only itself.
 * Errors with `DecodeError` at a record that does not decode; completes when `signal` aborts.
 */
export function observeTopic<A>(
  topic: Topic<A>,
  open: () => Promise<Ports>,
  how: { readonly clock: Clock; readonly signal: AbortSignal } & ObserveOptions,
): Observable<StreamRecord<A>> {
  return new Observable((subscriber) => {
    const given = new AbortController();
    const readers: Reader[] = [];
    const stop = (): void => {
      given.abort();
      for (const reader of readers) {
        reader.close();
      }
    };
    how.signal.addEventListener("abort", stop);
    const observe = async (): Promise<void> => {
      const { log } = await open();
      const { name, partitions } = topic;
      const info = await demand(log.ensureTopic({ name, partitions, defaultPartitions: DEFAULT_PARTITIONS }));
      const times = await demand(log.times(info));
      if (given.signal.aborted) {
        subscriber.complete();
        return;
      }
      await Promise.all(
        times.partitions.map(({ end }, partition) => {
          const until = how.untilEnd === true ? end : null;
          const from = how.from === "start" ? BEFORE_FIRST : end;
          const at = { topic, info, partition, from, until, clock: how.clock, signal: given.signal };
          const reader = log.reader(info, partition, from);
          readers.push(reader);
          return readPartition(at, reader, (record) => subscriber.next(record));
        }),
      );
      subscriber.complete();
    };
    observe().catch((error: unknown) => {
      given.abort();
      subscriber.error(error);
    });
    return () => {
      how.signal.removeEventListener("abort", stop);
      stop();
    };
  });
}

interface ObservedPartition<A> {
  readonly topic: Topic<A>;
  readonly info: TopicInfo;
  readonly partition: number;
  readonly from: Offset;
  readonly until: Offset | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function readPartition<A>(
  at: ObservedPartition<A>,
  reader: Reader,
  next: (record: StreamRecord<A>) => void,
): Promise<void> {
  let failures = 0;
  let position = at.from;
  while (!isDone(at, position)) {
    const batch = await reader.next(BUDGET);
    if (E.isRight(batch)) {
      failures = 0;
      deliver(at, batch.right.records, next);
      // Where what lay in front of the end was trimmed meanwhile, the end of the log is the end, too.
      position = batch.right.atEnd ? (at.until ?? position) : (batch.right.records.at(-1)?.offset ?? position);
      await new Promise<void>((resolve) => setImmediate(resolve));
    } else {
      failures += 1;
      await waitOrThrow(at, batch.left, failures);
    }
  }
  reader.close();
}

function deliver<A>(
  at: ObservedPartition<A>,
  records: readonly StoredRecord[],
  next: (record: StreamRecord<A>) => void,
): void {
  for (const stored of records) {
    if (!at.signal.aborted && !isBehindEnd(at, stored.offset)) {
      next(decode(at, stored));
    }
  }
}

function isDone<A>({ signal, until }: ObservedPartition<A>, position: Offset): boolean {
  return signal.aborted || (until !== null && compareOffsets(position, until) >= 0);
}

function isBehindEnd<A>({ until }: ObservedPartition<A>, offset: Offset): boolean {
  return until !== null && compareOffsets(offset, until) > 0;
}

async function waitOrThrow<A>(at: ObservedPartition<A>, error: PortError, failures: number): Promise<void> {
  if (!error.retriable) {
    throw new MillraceError(error);
  }
  await sleep(at.clock, backoffMs(failures, Math.random()), at.signal);
}

function decode<A>(at: ObservedPartition<A>, stored: StoredRecord): StreamRecord<A> {
  const where = { topic: at.topic.name, partition: at.partition, offset: stored.offset };
  const decoded =
    stored.problem === null ? at.topic.codec.decode(stored.payload) : E.left([{ path: "", message: stored.problem }]);
  if (E.isLeft(decoded)) {
    throw new DecodeError({ ...where, raw: stored.payload, issues: decoded.left });
  }
  const { topic, partition, offset, key, timestamp, headers, id } = new TopicRecord(where, stored, 0);
  return { topic, partition, offset, key, timestamp, headers, id, value: decoded.right };
}
