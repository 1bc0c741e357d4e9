import { type Log, type NewRecord, partitionOf, type Topic, type TopicInfo } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { demand } from "./demand.ts";
import { kindOf, optionProblem } from "./option-names.ts";
import type { RawRecord } from "./test-driver.ts";
import { TestDriverError } from "./test-driver-error.ts";

/** The log knows the driver by this name. */
const PRODUCER = "test-driver-raw";

/** Where entries go. */
interface RawDestination<A> {
  readonly log: Log;
  readonly topic: Topic<A>;
  readonly info: TopicInfo;
  readonly nowMs: number;
}

/** Appends entries as they are, each in the partition of its key. Rejects with `MillraceError`. */
export async function appendRaw<A>(to: RawDestination<A>, records: readonly RawRecord[]): Promise<void> {
  const { log, info: topic } = to;
  const sequences = [...(await demand(log.nextSequences(topic, PRODUCER)))];
  for (const raw of records) {
    const record = recordOf(to, raw);
    const partition = partitionOf(record.key, topic.partitions);
    const firstSequence = sequences[partition] ?? 0;
    const request = { topic, partition, producer: PRODUCER, ephemeral: false, firstSequence, records: [record] };
    await demand(log.append(request));
    sequences[partition] = firstSequence + 1;
  }
}

function recordOf<A>({ topic, nowMs }: RawDestination<A>, raw: RawRecord): NewRecord {
  const decoded = topic.codec.decode(raw.payload);
  const value = E.isRight(decoded) ? decoded : null;
  const key = raw.key ?? (value === null ? "" : (topic.key?.(value.right) ?? ""));
  // A time of its own would move event time on, and make what follows late.
  const unknownMs = topic.timestamp === null ? nowMs : 0;
  const timestampMs = raw.timestamp ?? (value === null ? unknownMs : (topic.timestamp?.(value.right) ?? nowMs));
  return { payload: raw.payload, key, timestampMs, headers: raw.headers ?? {}, watermarkMs: null };
}

const PARTS = ["payload", "key", "timestamp", "headers"] satisfies (keyof RawRecord)[];

/** One entry or several, as a list. Throws `InvalidCall` for what the store could not take: it would wait for it for ever. */
export function rawRecordsOf(given: RawRecord | readonly RawRecord[]): readonly RawRecord[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  return list.map((one) => {
    const problem = optionProblem(one, PARTS) ?? partProblem(one as RawRecord);
    if (problem !== null) {
      throw new TestDriverError(
        "InvalidCall",
        `sendRaw: an entry is { payload: "…", key, timestamp, headers }: ${problem}`,
      );
    }
    return one as RawRecord;
  });
}

function partProblem({ payload, key = "", timestamp = 0, headers = {} }: Partial<RawRecord>): string | null {
  if (typeof headers !== "object" || headers === null) {
    return `headers must be an object, not ${kindOf(headers)}`;
  }
  const odd = Object.entries({ payload, key, ...headers }).find(([, text]) => typeof text !== "string");
  if (odd !== undefined) {
    return `${odd[0]} must be a text, not ${kindOf(odd[1])}`;
  }
  return Number.isSafeInteger(timestamp) ? null : `timestamp must be a whole number of ms, not ${String(timestamp)}`;
}
