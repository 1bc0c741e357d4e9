import type { Call, CallOf } from "./calls.ts";
import { linesOf } from "./calls.ts";
import type { HistoryLine, RecordText } from "./lines.ts";
import { partitionKey } from "./partition-view.ts";
import type { LogicalCommit, TaskView } from "./task-view.ts";
import { recordId } from "./verdict.ts";

/** Whether a record was written: `certain`; nobody knows; or it was asked for in vain. */
type Certainty = "certain" | "possible" | "failed";

/** A record that somebody asked to be written, however often. */
export interface Written {
  readonly record: RecordText;
  readonly id: string;
  /** {@link partitionKey}. */
  readonly partition: string;
  /** A producer, or a task: what it writes to one partition is in the order of {@link at}. */
  readonly writer: object;
  readonly at: number;
  readonly certainty: Certainty;
  /** Whether a producer wrote it; else a commit. */
  readonly isAppended: boolean;
  /** Whether it was asked for again as another record under the same number. */
  readonly isChanged: boolean;
  /** For people: whose it is. */
  readonly what: string;
  /** The lines of the calls that ask for it. */
  readonly lines: () => readonly HistoryLine[];
}

/** For people: which record that is. */
export function nameOf({ isAppended, at, what, record }: Written): string {
  return `${isAppended ? `record ${at} ` : ""}${what} (key ${record.key})`;
}

/** Everything that was to be written to the log. */
export function writtenIn(appends: readonly CallOf<"append">[], tasks: readonly TaskView[]): readonly Written[] {
  return [...appendedIn(appends), ...tasks.flatMap(committedIn)];
}

interface Numbered {
  readonly record: RecordText;
  readonly calls: Call[];
  isChanged: boolean;
}

interface ProducerStream {
  readonly partition: string;
  readonly what: string;
  readonly byNumber: Map<number, Numbered>;
}

function appendedIn(appends: readonly CallOf<"append">[]): readonly Written[] {
  const streams = new Map<string, ProducerStream>();
  for (const call of appends) {
    const { producer, firstSequence, records } = call.invoke;
    const partition = partitionKey(call.invoke);
    const key = `${partition} ${producer}`;
    const what = `of producer ${producer}`;
    const stream = streams.get(key) ?? { partition, what, byNumber: new Map<number, Numbered>() };
    streams.set(key, stream);
    for (const [at, record] of records.entries()) {
      const known = stream.byNumber.get(firstSequence + at);
      if (known === undefined) {
        stream.byNumber.set(firstSequence + at, { record, calls: [call], isChanged: false });
      } else {
        known.calls.push(call);
        known.isChanged ||= known.record.key !== record.key || known.record.payload !== record.payload;
      }
    }
  }
  return [...streams.values()].flatMap((stream) => [...stream.byNumber].map(([at, of]) => appended(stream, at, of)));
}

function appended(stream: ProducerStream, at: number, { record, calls, isChanged }: Numbered): Written {
  return {
    record,
    id: recordId(record),
    partition: stream.partition,
    writer: stream,
    at,
    certainty: certaintyOf(calls),
    isAppended: true,
    isChanged,
    what: stream.what,
    lines: () => calls.flatMap(linesOf),
  };
}

function certaintyOf(calls: readonly Call[]): Certainty {
  if (calls.some(({ ok, isLossy }) => ok !== null && !isLossy)) {
    return "certain";
  }
  return calls.every(({ hasFailed }) => hasFailed) ? "failed" : "possible";
}

function committedIn(task: TaskView): readonly Written[] {
  let outputs = 0;
  return task.commits.flatMap((commit) => {
    const written = outputsOf(task, commit, outputs);
    outputs += written.length;
    return written;
  });
}

function outputsOf(task: TaskView, commit: LogicalCommit, from: number): readonly Written[] {
  const lines = (): readonly HistoryLine[] => task.linesOf(commit);
  const what = `an output of commit ${commit.sequence} of ${task.name}`;
  const certainty: Certainty = commit.fate === "effective" ? "certain" : commit.fate;
  let at = from;
  return commit.invoke.outputs.flatMap((output) => {
    const partition = partitionKey(output);
    return output.records.map((record): Written => {
      at += 1;
      const id = recordId(record);
      return { record, id, partition, writer: task, at, certainty, isAppended: false, isChanged: false, what, lines };
    });
  });
}
