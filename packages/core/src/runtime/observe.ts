import * as E from "fp-ts/lib/Either.js";
import { Observable } from "rxjs";
import { DecodeError, MillraceError } from "../errors.ts";
import { backoffMs } from "../kernel/backoff.ts";
import { BEFORE_FIRST, type Offset } from "../kernel/offset.ts";
import type { Ports } from "../ports/adapter.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Reader, StoredRecord, TopicInfo } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import { type StreamRecord, TopicRecord } from "../topology/record.ts";
import { DEFAULT_PARTITIONS, type Topic } from "../topology/topic.ts";
import { demand } from "./pipeline-run.ts";

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
          const reader = log.reader(info, partition, how.from === "start" ? BEFORE_FIRST : end);
          readers.push(reader);
          const until = how.untilEnd === true ? end : null;
          const at = { topic, info, partition, until, clock: how.clock, signal: given.signal };
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
  let position: Offset = BEFORE_FIRST;
  const isDone = (): boolean => at.signal.aborted || position === at.until;
  while (!isDone()) {
    const batch = await reader.next(BUDGET);
    if (E.isRight(batch)) {
      failures = 0;
      for (const stored of batch.right.records) {
        if (!isDone()) {
          position = stored.offset;
          next(decode(at, stored));
        }
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    } else {
      failures += 1;
      await waitOrThrow(at, batch.left, failures);
    }
  }
  reader.close();
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
