import { randomUUID } from "node:crypto";
import {
  type AppendError,
  type AppendRequest,
  BEFORE_FIRST,
  type EnsureTopicError,
  type Full,
  type Log,
  type Offset,
  type ProducerEnd,
  portError,
  type Reader,
  type SequenceGap,
  type TopicInfo,
  type TopicLost,
  type TopicTimes,
  type Unavailable,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Decision } from "./admission.ts";
import type { MemoryPartition } from "./memory-partition.ts";
import { MemoryReader } from "./memory-reader.ts";
import { type MemoryStore, type MemoryTopic, partitionOf } from "./memory-store.ts";
import { type Session, sessionClosed } from "./session.ts";

/** Topics in memory. Producers are remembered for as long as their topic, `ephemeral` ones too. */
export class MemoryLog implements Log {
  readonly #store: MemoryStore;
  readonly #session: Session;

  constructor(store: MemoryStore, session: Session) {
    this.#store = store;
    this.#session = session;
  }

  ensureTopic(spec: {
    readonly name: string;
    readonly partitions: number | null;
    readonly defaultPartitions: number;
  }): TaskEither<EnsureTopicError, TopicInfo> {
    return this.#session.call(() => {
      const { name, partitions, defaultPartitions } = spec;
      const found = this.#store.topicNamed(name);
      if (found === undefined) {
        const info = { name, partitions: partitions ?? defaultPartitions, incarnation: randomUUID() };
        this.#store.createTopic(info);
        return E.right(info);
      }
      const has = found.info.partitions;
      return partitions === null || partitions === has
        ? E.right(found.info)
        : E.left(
            portError(
              "TopicMismatch",
              `topic ${name} has ${has} partitions, not ${partitions}; declare ${has}, or use another topic`,
            ),
          );
    });
  }

  append(request: AppendRequest): TaskEither<AppendError, number> {
    const { topic, partition, signal } = request;
    return this.#session.call(async () => {
      const result = await this.#store.admission.run<E.Either<AppendError, number>>({
        decide: () => this.#decideAppend(request),
        signal,
        session: this.#session,
        gaveUp: () => E.left(full(`partition ${topic.name}/${partition}`)),
        closed: () => E.left(sessionClosed()),
      });
      await this.#store.pace.spend(E.isRight(result) ? result.right : 0);
      return result;
    });
  }

  nextSequences(topic: TopicInfo, producer: string): TaskEither<TopicLost | Unavailable, readonly number[]> {
    return this.#onTopic(topic, ({ partitions }) => partitions.map(({ sequences }) => sequences.get(producer) ?? 0));
  }

  seal(topic: TopicInfo, all?: ProducerEnd): TaskEither<SequenceGap | TopicLost | Unavailable, void> {
    return this.#session.call(() => {
      const found = this.#store.topic(topic);
      if (E.isLeft(found)) {
        return found;
      }
      const { partitions } = found.right;
      const lacking = all === undefined ? null : lackingIn(partitions, topic, all);
      if (lacking !== null) {
        return E.left(lacking);
      }
      for (const partition of partitions) {
        partition.sealed = true;
      }
      this.#store.admission.recheck();
      return E.right(undefined);
    });
  }

  reader(topic: TopicInfo, partition: number, after: Offset): Reader {
    return new MemoryReader(this.#store, this.#session, { topic, partition, after });
  }

  registerWriters(
    topic: TopicInfo,
    names: readonly string[],
    onlyNew = false,
  ): TaskEither<TopicLost | Unavailable, void> {
    return this.#onTopic(topic, ({ writers }) => {
      for (const name of names) {
        const isOut = writers.get(name) === null && !onlyNew;
        if (isOut || !writers.has(name)) {
          writers.set(name, Number.NEGATIVE_INFINITY);
        }
      }
    });
  }

  /** Throws where the topic has no such partition: a mistake of the caller. */
  times(topic: TopicInfo, numbers?: readonly number[]): TaskEither<TopicLost | Unavailable, TopicTimes> {
    return this.#onTopic(topic, (found) => {
      const partitions = numbers?.map((number) => partitionOf(found, number)) ?? found.partitions;
      return {
        writers: Object.fromEntries([...found.writers].filter(isIn)),
        partitions: partitions.map(({ end, appended, trimmed, sealed }) => ({
          end: trimmed === appended ? BEFORE_FIRST : end,
          appended,
          sealed,
        })),
      };
    });
  }

  #onTopic<A>(topic: TopicInfo, body: (topic: MemoryTopic) => A): TaskEither<TopicLost | Unavailable, A> {
    return this.#session.call(() => E.map(body)(this.#store.topic(topic)));
  }

  #decideAppend(request: AppendRequest): Decision<E.Either<AppendError, number>> {
    const { topic, producer, firstSequence, records } = request;
    const found = this.#store.partition(topic, request.partition);
    if (E.isLeft(found)) {
      return { done: found };
    }
    const partition = found.right;
    const place = `partition ${topic.name}/${request.partition}`;
    const next = partition.sequences.get(producer) ?? 0;
    const seen = next - firstSequence;
    if (seen < 0) {
      return { done: E.left(gap(producer, `${topic.name}/${request.partition}`, next)) };
    }
    if (seen >= records.length) {
      return { done: E.right(0) };
    }
    if (partition.sealed) {
      return { done: E.left(portError("TopicSealed", `${place} is sealed; append to another topic`)) };
    }
    return {
      into: [partition],
      write: () => {
        partition.append(seen === 0 ? records : records.slice(seen));
        partition.sequences.set(producer, firstSequence + records.length);
        return E.right(records.length - seen);
      },
    };
  }
}

function isIn(writer: [name: string, watermarkMs: number | null]): writer is [name: string, watermarkMs: number] {
  return writer[1] !== null;
}

/** Why a topic cannot be sealed by a producer; `null`: it has all that the producer has appended. */
function lackingIn(
  partitions: readonly MemoryPartition[],
  { name }: TopicInfo,
  { producer, sequences }: ProducerEnd,
): SequenceGap | null {
  for (const [number, partition] of partitions.entries()) {
    const has = partition.sequences.get(producer) ?? 0;
    if (has < (sequences[number] ?? 0)) {
      return gap(producer, `${name}/${number}`, has);
    }
  }
  return null;
}

/** What a producer is told of whose records the log has fewer than it has acknowledged. */
function gap(producer: string, place: string, has: number): SequenceGap {
  return portError(
    "SequenceGap",
    `partition ${place} has ${has} records of producer ${producer} and misses the next: they were never appended, or the ` +
      "store has lost them. Open the producer again, and send the input again from the first that is missing",
  );
}

/** What a call ends with that gave up waiting for room in `place`. */
export function full(place: string): Full {
  return portError("Full", `${place} has no room; let its consumers commit, then repeat the call`);
}
