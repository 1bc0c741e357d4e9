import { randomUUID } from "node:crypto";
import {
  BEFORE_FIRST,
  type Commit,
  entryIdOf,
  type Offset,
  offsetOf,
  type Refused,
  type StateDelta,
  type TaskPosition,
  type TaskRef,
  type Tasks,
  type Unavailable,
  type WrongType,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { callScript, needsNoRoom } from "./call-script.ts";
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { scoreOf } from "./due-score.ts";
import { encodeRecord, encodeTime } from "./entry-codec.ts";
import { failureOf } from "./errors.ts";
import type { Keys } from "./keys.ts";
import { integerOf, listOf, textIn } from "./reply.ts";
import { ACQUIRE } from "./scripts/acquire.ts";
import { COMMIT, COMMIT_WITHOUT_ROOM } from "./scripts/commit.ts";

/**
 * Tasks as one hash each. Everything that one commit touches goes to the server in one script, so that it happens as a
 * whole or not at all. A server without room is reported as `Full` at once; whoever commits waits and repeats.
 */
export function redisTasks({ commands, reader }: Pick<Connections, "commands" | "reader">, keys: Keys): Tasks {
  return {
    acquire: (task, generation) => {
      const nonce = randomUUID();
      const { log, meta } = keys.partition(task.topic.name, task.partition);
      return callScript(commands, () => ({
        script: ACQUIRE,
        keys: [log, meta, taskKey(keys, task)],
        args: [task.topic.incarnation, String(generation), nonce, task.group],
        what: `acquiring ${nameOf(task)} at generation ${generation}`,
        rejections: ["Fenced", "TopicLost", "WrongType"],
        read: ([, sequence, offset, processed, quietMs, time]) => ({
          nonce,
          sequence: integerOf(sequence),
          offset: offsetIn(offset),
          processed: integerOf(processed),
          quietMs: integerOf(quietMs),
          time: time === null ? null : textIn(time),
        }),
      }));
    },

    commit: (commit) =>
      callScript(commands, () => {
        const changes = commit.state.map(changesOf);
        return {
          script: addsSomething(commit) ? COMMIT : COMMIT_WITHOUT_ROOM,
          keys: keysOfCommit(keys, commit, changes),
          args: argsOfCommit(commit, changes),
          what: `committing ${nameOf(commit.task)}, sequence ${commit.sequence}`,
          rejections: ["Fenced", "Regressed", "TopicLost", "WrongType"],
          read: ([code]) => (code === "already-applied" ? "alreadyApplied" : "applied"),
        };
      }),

    positions: (tasks) => TE.traverseArray((task: TaskRef) => positionOf(reader, keys, task))(tasks),
  };
}

/** One command for each task: they lie in slots of their own. What another incarnation of the topic left does not count. */
function positionOf(
  connection: Connection,
  keys: Keys,
  task: TaskRef,
): TE.TaskEither<WrongType | Refused | Unavailable, TaskPosition> {
  return needsNoRoom(async () => {
    try {
      const fields = [taskKey(keys, task), "incarnation", "sequence", "offset", "processed"];
      const [incarnation, sequence, offset, processed] = listOf(await connection.send("hmget", fields));
      return E.right(
        incarnation === task.topic.incarnation
          ? { sequence: integerOf(sequence), offset: offsetIn(offset), processed: integerOf(processed) }
          : { sequence: 0, offset: BEFORE_FIRST, processed: 0 },
      );
    } catch (error) {
      return E.left(failureOf(error, `reading the position of ${nameOf(task)}`));
    }
  });
}

function addsSomething({ outputs, state }: Commit): boolean {
  return outputs.some(({ records }) => records.length > 0) || state.some(({ puts }) => puts.length > 0);
}

/** The changes of one store, as arguments of the script. */
interface StoreChanges {
  readonly store: string;
  /** Keys and values in turn. */
  readonly puts: readonly string[];
  /** Scores and keys in turn. */
  readonly dues: readonly string[];
  /** Keys that have no due time from now on. */
  readonly undues: readonly string[];
  readonly deletes: readonly string[];
}

function changesOf({ store, puts, deletes }: StateDelta): StoreChanges {
  const entries: string[] = [];
  const dueMsOf = new Map<string, number | null>();
  for (const [key, value, dueMs] of puts) {
    entries.push(key, value);
    if (dueMs !== undefined) {
      dueMsOf.set(key, dueMs);
    }
  }
  const dues: string[] = [];
  const undues: string[] = [];
  for (const [key, dueMs] of dueMsOf) {
    if (dueMs === null) {
      undues.push(key);
    } else {
      dues.push(scoreOf(dueMs), key);
    }
  }
  return { store, puts: entries, dues, undues, deletes };
}

/** As the script asks by the numbers that it is given. */
function changesDues({ dues, undues, deletes }: StoreChanges): boolean {
  return dues.length + undues.length + deletes.length > 0;
}

function keysOfCommit(
  keys: Keys,
  { task, outputs, watermarks }: Commit,
  changes: readonly StoreChanges[],
): readonly string[] {
  const { log, meta } = keys.partition(task.topic.name, task.partition);
  const all = [log, meta, taskKey(keys, task)];
  for (const { topic, partition } of outputs) {
    const destination = keys.partition(topic.name, partition);
    all.push(destination.log, destination.meta);
  }
  for (const each of changes) {
    const { values, dues } = keys.store(task, each.store);
    all.push(...(changesDues(each) ? [values, dues] : [values]));
  }
  for (const { topic } of watermarks) {
    const table = keys.topic(topic.name);
    all.push(table.topic, table.writers);
  }
  return all;
}

/** As the head of `scripts/commit.ts` describes them. */
function argsOfCommit(commit: Commit, changes: readonly StoreChanges[]): readonly string[] {
  const { task, outputs, watermarks } = commit;
  const args = [
    commit.nonce,
    String(commit.sequence),
    task.topic.incarnation,
    commit.offset,
    String(commit.processed),
    commit.time,
    task.group,
    entryIdOf(commit.offset),
    String(outputs.length),
    String(changes.length),
    String(watermarks.length),
  ];
  for (const { topic, records } of outputs) {
    args.push(topic.incarnation, String(records.length));
  }
  for (const { puts, dues, undues, deletes } of changes) {
    args.push(String(puts.length / 2), String(dues.length / 2), String(undues.length), String(deletes.length));
  }
  for (const { topic, writer, watermarkMs } of watermarks) {
    args.push(topic.incarnation, writer, watermarkText(watermarkMs));
  }
  for (const { records } of outputs) {
    for (const record of records) {
      encodeRecord(record, args);
    }
  }
  for (const { puts, dues, undues, deletes } of changes) {
    for (const content of [puts, dues, undues, deletes]) {
      for (const text of content) {
        args.push(text);
      }
    }
  }
  return args;
}

function watermarkText(watermarkMs: number | null): string {
  return watermarkMs === null ? "" : encodeTime(watermarkMs);
}

function taskKey(keys: Keys, { group, topic, partition }: TaskRef): string {
  return keys.task(topic.name, partition, group);
}

function nameOf({ group, topic, partition }: TaskRef): string {
  return `task ${group} on ${topic.name}/${partition}`;
}

function offsetIn(reply: unknown): Offset {
  const text = textIn(reply);
  const slash = text.indexOf("/");
  return offsetOf(text.slice(0, slash), Number(text.slice(slash + 1)));
}
