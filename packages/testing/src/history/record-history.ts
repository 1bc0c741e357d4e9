import type {
  Adapter,
  AppendRequest,
  Commit,
  Log,
  Offset,
  Output,
  Ports,
  ReadBatch,
  ReadError,
  Reader,
  StateStore,
  TaskRef,
  Tasks,
  TopicInfo,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { CommitOutput, PartitionPlace, TaskPlace } from "./lines.ts";
import { Recorder, type RecordOptions } from "./recorder.ts";

/**
 * An adapter that does what another one does, and writes down what is asked of it and what it answers: appends, acquisitions,
 * commits, reads of the log and of state. Everything passes through unchanged: the same answers, the same promises.
 *
 * Nothing is copied or turned into text here: lines refer to the records of the caller, payloads included. `writeLine` leaves
 * payloads out.
 *
 * @example
 * ```ts
 * const lines: HistoryLine[] = [];
 * const adapter = recordHistory(memoryAdapter(), { process: "w1", write: (line) => lines.push(line) });
 * ```
 */
export function recordHistory(adapter: Adapter, options: RecordOptions): Adapter {
  const recorder = new Recorder(options);
  return {
    name: adapter.name,
    open: () => {
      const open = adapter.open();
      return async () => E.map((ports: Ports) => recordedPorts(ports, recorder))(await open());
    },
  };
}

function recordedPorts(ports: Ports, recorder: Recorder): Ports {
  return {
    log: recordedLog(ports.log, recorder),
    tasks: recordedTasks(ports.tasks, recorder),
    group: ports.group,
    state: recordedState(ports.state, recorder),
    close: () => ports.close(),
  };
}

function recordedLog(log: Log, recorder: Recorder): Log {
  return {
    ensureTopic: (spec) => log.ensureTopic(spec),
    append: (request) => recordedAppend(log, request, recorder),
    nextSequences: (topic, producer) => log.nextSequences(topic, producer),
    seal: (topic, all) => log.seal(topic, all),
    reader: (topic, partition, after) => {
      const reader = log.reader(topic, partition, after);
      return recorder.reads ? recordedReader(reader, { topic, partition, after }, recorder) : reader;
    },
    registerWriters: (topic, writers, onlyNew) => log.registerWriters(topic, writers, onlyNew),
    times: (topic, partitions) => log.times(topic, partitions),
  };
}

function recordedAppend(log: Log, request: AppendRequest, recorder: Recorder): ReturnType<Log["append"]> {
  const { topic, partition, producer, firstSequence, records } = request;
  return recorder.watched(
    log.append(request),
    (head) => ({
      _tag: "invoke",
      op: "append",
      ...head,
      ...placeOf(topic, partition),
      producer,
      firstSequence,
      records,
    }),
    (head, appended) => ({ _tag: "ok", op: "append", ...head, appended }),
  );
}

function ignore(): void {}

function recordedReader(
  reader: Reader,
  at: { readonly topic: TopicInfo; readonly partition: number; readonly after: Offset },
  recorder: Recorder,
): Reader {
  const number = recorder.nextReader();
  const place = placeOf(at.topic, at.partition);
  let { after } = at;
  const given = (result: E.Either<ReadError, ReadBatch>, askedMs: number): void => {
    const records = E.isRight(result) ? result.right.records : [];
    const last = records.at(-1);
    if (last !== undefined) {
      const { process } = recorder;
      const atMs = recorder.now();
      recorder.write({ _tag: "read", process, atMs, askedMs, ...place, reader: number, after, records });
      after = last.offset;
    }
  };
  return {
    next: (budget) => {
      const askedMs = recorder.now();
      const answer = reader.next(budget);
      // A read that fails or throws has given nothing; the caller is told.
      answer.then((result) => given(result, askedMs), ignore);
      return answer;
    },
    close: () => reader.close(),
  };
}

function recordedTasks(tasks: Tasks, recorder: Recorder): Tasks {
  return {
    acquire: (task, generation) =>
      recorder.watched(
        tasks.acquire(task, generation),
        (head) => ({ _tag: "invoke", op: "acquire", ...head, ...taskPlaceOf(task), generation }),
        (head, { nonce, sequence, offset, processed }) => ({
          _tag: "ok",
          op: "acquire",
          ...head,
          nonce,
          sequence,
          offset,
          processed,
        }),
      ),
    commit: (commit) => recordedCommit(tasks, commit, recorder),
    positions: (refs) => tasks.positions(refs),
  };
}

function recordedCommit(tasks: Tasks, commit: Commit, recorder: Recorder): ReturnType<Tasks["commit"]> {
  const { task, nonce, sequence, offset, processed, outputs, state } = commit;
  return recorder.watched(
    tasks.commit(commit),
    (head) => ({
      _tag: "invoke",
      op: "commit",
      ...head,
      ...taskPlaceOf(task),
      nonce,
      sequence,
      offset,
      processed,
      outputs: outputs.map(outputOf),
      state,
    }),
    (head, result) => ({ _tag: "ok", op: "commit", ...head, result }),
  );
}

function recordedState(state: StateStore, recorder: Recorder): StateStore {
  return {
    scan: (task, store, cursor) =>
      recorder.watched(
        state.scan(task, store, cursor),
        (head) => ({ _tag: "invoke", op: "state", ...head, ...taskPlaceOf(task), store }),
        (head, page) => ({
          _tag: "ok",
          op: "state",
          ...head,
          isWhole: cursor === null && page.cursor === null,
          entries: page.entries,
        }),
      ),
    get: (task, store, keys) =>
      recorder.watched(
        state.get(task, store, keys),
        (head) => ({ _tag: "invoke", op: "state", ...head, ...taskPlaceOf(task), store }),
        (head, values) => ({
          _tag: "ok",
          op: "state",
          ...head,
          isWhole: false,
          entries: keys.map((key, at) => [key, values[at] ?? null] as const),
        }),
      ),
    due: (task, store, range) =>
      recorder.watched(
        state.due(task, store, range),
        (head) => ({ _tag: "invoke", op: "state", ...head, ...taskPlaceOf(task), store }),
        (head, { entries }) => ({
          _tag: "ok",
          op: "state",
          ...head,
          isWhole: false,
          entries: entries.map(([key, value]) => [key, value] as const),
        }),
      ),
    drop: (task, store) =>
      recorder.watched(
        state.drop(task, store),
        (head) => ({ _tag: "invoke", op: "drop", ...head, ...taskPlaceOf(task), store }),
        (head) => ({ _tag: "ok", op: "drop", ...head }),
      ),
  };
}

function placeOf({ name, incarnation }: TopicInfo, partition: number): PartitionPlace {
  return { topic: name, partition, incarnation };
}

function taskPlaceOf({ group, topic, partition }: TaskRef): TaskPlace {
  return { group, topic: topic.name, partition, incarnation: topic.incarnation };
}

function outputOf({ topic, partition, records }: Output): CommitOutput {
  return { ...placeOf(topic, partition), records };
}
