import { randomUUID } from "node:crypto";
import {
  type AppendRequest,
  BEFORE_FIRST,
  type Log,
  offsetOf,
  type PartitionTime,
  type TopicInfo,
  type TopicTimes,
} from "@millrace/core";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { BlockingPool } from "./blocking-pool.ts";
import { callScript, needsNoRoom, type ScriptCall } from "./call-script.ts";
import type { Connections } from "./connections.ts";
import { decodeTime, encodeRecord } from "./entry-codec.ts";
import type { Keys } from "./keys.ts";
import { RedisReader } from "./redis-reader.ts";
import { integerOf, listOf, pairsOf, textIn } from "./reply.ts";
import { APPEND } from "./scripts/append.ts";
import { ENSURE_TOPIC, FIND_TOPIC } from "./scripts/ensure-topic.ts";
import { NEXT_SEQUENCES } from "./scripts/next-sequences.ts";
import { REGISTER_WRITERS } from "./scripts/register-writers.ts";
import type { Script } from "./scripts/script.ts";
import { SEAL } from "./scripts/seal.ts";
import { TIMES } from "./scripts/times.ts";
import { checkSpec, type TopicSpec, topicFrom } from "./topic-spec.ts";

/** A producer that may be forgotten is, after it was silent for a week. */
const FORGET_AFTER_MS = 7 * 24 * 60 * 60 * 1_000;

/** The watermark of a writer that a commit has taken out of the table. */
const TAKEN_OUT = "";

/** What a log works with. */
export interface LogWiring {
  readonly connections: Connections;
  readonly pool: BlockingPool;
  readonly keys: Keys;
}

/**
 * Topics as one hash each, and their partitions as one stream each. A server without room is reported as `Full` at
 * once; whoever appends waits and repeats.
 */
export function redisLog({ connections, pool, keys }: LogWiring): Log {
  const { commands, producer, reader } = connections;
  return {
    ensureTopic: (spec) =>
      pipe(
        TE.fromEither(checkSpec(spec)),
        TE.chainW((partitions) =>
          pipe(
            callScript(commands, () => topicCall(ENSURE_TOPIC, keys, spec, partitions)),
            // A topic that exists needs no room: its workers can start on a full server.
            TE.orElse((failure) =>
              failure._tag === "Full"
                ? pipe(
                    callScript(commands, () => topicCall(FIND_TOPIC, keys, spec, partitions)),
                    TE.filterOrElseW(
                      ([code]) => code !== "none",
                      () => failure,
                    ),
                  )
                : TE.left(failure),
            ),
          ),
        ),
        TE.chainEitherKW((answer) => topicFrom(answer, spec)),
      ),

    append: (request) => callScript(producer, () => appendCall(keys, request)),

    nextSequences: (topic, producerId) =>
      needsNoRoom(
        callScript(producer, () => ({
          script: NEXT_SEQUENCES,
          keys: [
            keys.topic(topic.name).topic,
            ...allOf(topic).map((partition) => keys.producer(topic.name, partition, producerId)),
          ],
          args: [topic.incarnation],
          what: `reading the sequences of producer ${producerId} in ${topic.name}`,
          rejections: ["TopicLost", "WrongType"],
          read: ([, ...sequences]) => sequences.map(integerOf),
        })),
      ),

    seal: (topic, all) =>
      callScript(producer, () => ({
        script: SEAL,
        keys: allOf(topic).flatMap((partition) => {
          const { log, meta } = keys.partition(topic.name, partition);
          return all === undefined ? [log, meta] : [log, meta, keys.producer(topic.name, partition, all.producer)];
        }),
        args: [
          topic.incarnation,
          ...(all === undefined ? [] : allOf(topic).map((partition) => String(all.sequences[partition] ?? 0))),
        ],
        what: `sealing ${topic.name}`,
        rejections: ["SequenceGap", "TopicLost", "WrongType"],
        read: () => undefined,
      })),

    reader: (topic, partition, after) =>
      new RedisReader(
        { connection: reader, pool, topic, partition, keys: keys.partition(topic.name, partition) },
        after,
      ),

    registerWriters: (topic, writers, onlyNew = false) =>
      callScript(commands, () => {
        const table = keys.topic(topic.name);
        return {
          script: REGISTER_WRITERS,
          keys: [table.topic, table.writers],
          args: [topic.incarnation, onlyNew ? "new" : "", ...writers],
          what: `registering writers of ${topic.name}`,
          rejections: ["TopicLost", "WrongType"],
          read: () => undefined,
        };
      }),

    times: (topic, partitions) =>
      needsNoRoom(
        callScript(reader, () => {
          const table = keys.topic(topic.name);
          return {
            script: TIMES,
            keys: [table.topic, table.writers, ...partitionKeys(keys, topic, partitions)],
            args: [topic.incarnation],
            what: `reading the times of ${topic.name}`,
            rejections: ["TopicLost", "WrongType"],
            read: timesIn,
          };
        }),
      ),
  };
}

function topicCall(
  script: Script,
  keys: Keys,
  { name }: TopicSpec,
  partitions: number,
): ScriptCall<"WrongType", readonly unknown[]> {
  const { topic, writers } = keys.topic(name);
  const incarnation = randomUUID();
  return {
    script,
    keys: [topic, writers, ...partitionKeys(keys, { name, partitions, incarnation })],
    args: [incarnation, String(partitions), name],
    what: `creating topic ${name}`,
    rejections: ["WrongType"],
    read: (answer) => answer,
  };
}

function appendCall(
  keys: Keys,
  request: AppendRequest,
): ScriptCall<"TopicLost" | "WrongType" | "TopicSealed" | "SequenceGap", number> {
  const { topic, partition, producer } = request;
  const { log, meta } = keys.partition(topic.name, partition);
  const forgetAfterMs = request.ephemeral ? FORGET_AFTER_MS : 0;
  const args = [topic.incarnation, String(request.firstSequence), String(forgetAfterMs)];
  for (const record of request.records) {
    encodeRecord(record, args);
  }
  return {
    script: APPEND,
    keys: [log, meta, keys.producer(topic.name, partition, producer)],
    args,
    what: `appending to ${topic.name}/${partition} as producer ${producer}`,
    rejections: ["TopicLost", "WrongType", "TopicSealed", "SequenceGap"],
    read: ([, appended]) => integerOf(appended),
  };
}

function timesIn([, writers, ...partitions]: readonly unknown[]): TopicTimes {
  return {
    writers: Object.fromEntries(
      pairsOf(writers)
        .filter(([, time]) => time !== TAKEN_OUT)
        .map(([writer, time]) => [writer, promiseIn(time)]),
    ),
    partitions: partitions.map(timeIn),
  };
}

/** What is no number promises nothing: it holds its readers back rather than lets them run ahead. */
function promiseIn(text: string): number {
  const watermarkMs = decodeTime(text);
  return Number.isNaN(watermarkMs) ? Number.NEGATIVE_INFINITY : watermarkMs;
}

function timeIn(reply: unknown): PartitionTime {
  const [end, appended, sealed] = listOf(reply);
  const id = textIn(end);
  return {
    end: id === "" ? BEFORE_FIRST : offsetOf(id, 0),
    appended: integerOf(appended),
    sealed: integerOf(sealed) === 1,
  };
}

function partitionKeys(keys: Keys, topic: TopicInfo, partitions = allOf(topic)): string[] {
  return partitions.flatMap((partition) => {
    const { log, meta } = keys.partition(topic.name, partition);
    return [log, meta];
  });
}

function allOf({ partitions }: TopicInfo): readonly number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}
