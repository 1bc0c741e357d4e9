/**
 * A history: what processes asked of the store and were told, what the store held in the end, and what was done to both.
 *
 * Lines are in the order of time, by one clock that never steps back. A call is two lines: `invoke` in front of any effect, and
 * `ok`, `fail` or `info` behind it. `fail` says that there was no effect, `info` that nobody knows; so does a call without an
 * outcome, as of a process that was killed. Topics, groups, keys and offsets are text as the ports have it.
 */

/** A record that was to be written. What identifies it is all that a reader sees of it: key and payload. */
export interface RecordText {
  readonly key: string;
  /** The value as text; read from a file, usually a digest of it (`#` and 16 hexadecimal digits). */
  readonly payload: string;
}

/** A record that lies, or lay, in a partition. */
export interface LogRecord extends RecordText {
  readonly offset: string;
  /** Event time, ms since the Unix epoch. */
  readonly timestampMs: number;
  /** Of a dead letter: whose it is, and the record that was processed; `offset` is `""` for a window's result. */
  readonly letter?: LetterSource;
}

/** Where a dead letter comes from. */
export interface LetterSource {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** Where a partition is. Incarnations tell a topic that was deleted and created again from the one before. */
export interface PartitionPlace {
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
}

/** A task of a consumer group: one partition of the topic that it reads. */
export interface TaskPlace extends PartitionPlace {
  readonly group: string;
}

/** A line that a process wrote. */
interface OfProcess {
  /** One run of one program; a process that is started again has another name. */
  readonly process: string;
  /** Monotonic time, ms; only differences and the order mean something. */
  readonly atMs: number;
}

/** A line of one call of a port. */
interface OfCall extends OfProcess {
  /** Counts the calls of the process. */
  readonly call: number;
}

/** A producer appends records. */
export interface AppendInvoked extends OfCall, PartitionPlace {
  readonly _tag: "invoke";
  readonly op: "append";
  readonly producer: string;
  /** Number of the first record among all that this producer appends to this partition. */
  readonly firstSequence: number;
  readonly records: readonly RecordText[];
}

/** A worker makes itself the owner of a task. */
export interface AcquireInvoked extends OfCall, TaskPlace {
  readonly _tag: "invoke";
  readonly op: "acquire";
  /** Of the target that gives it the task. */
  readonly generation: number;
}

/** What a commit does to one store of its task. */
export interface StateChange {
  readonly store: string;
  readonly puts: readonly (readonly [key: string, value: string, ...due: readonly unknown[]])[];
  readonly deletes: readonly string[];
}

/** Records of a commit for one partition of another topic. */
export interface CommitOutput extends PartitionPlace {
  readonly records: readonly RecordText[];
}

/** A worker commits. */
export interface CommitInvoked extends OfCall, TaskPlace {
  readonly _tag: "invoke";
  readonly op: "commit";
  readonly nonce: string;
  /** How many commits went before. */
  readonly sequence: number;
  /** The last processed position after this commit. */
  readonly offset: string;
  /** How many records were processed up to there. */
  readonly processed: number;
  readonly outputs: readonly CommitOutput[];
  readonly state: readonly StateChange[];
}

/** A worker reads entries of one store of a task. */
export interface StateReadInvoked extends OfCall, TaskPlace {
  readonly _tag: "invoke";
  readonly op: "state";
  readonly store: string;
}

/** Somebody deletes a whole store of a task, which no task writes any more. */
export interface StateDropInvoked extends OfCall, TaskPlace {
  readonly _tag: "invoke";
  readonly op: "drop";
  readonly store: string;
}

/** The beginning of a call. */
export type InvokeLine = AppendInvoked | AcquireInvoked | CommitInvoked | StateReadInvoked | StateDropInvoked;

/** What a call does. */
export type Operation = InvokeLine["op"];

/** So many of the records are new; the others had been appended before. */
export interface AppendOk extends OfCall {
  readonly _tag: "ok";
  readonly op: "append";
  readonly appended: number;
}

/** What the owner of a task begins with. */
export interface AcquireOk extends OfCall {
  readonly _tag: "ok";
  readonly op: "acquire";
  readonly nonce: string;
  readonly sequence: number;
  readonly offset: string;
  readonly processed: number;
}

/** The commit has its effect, since now or since an earlier call. */
export interface CommitOk extends OfCall {
  readonly _tag: "ok";
  readonly op: "commit";
  readonly result: "applied" | "alreadyApplied";
}

/** What lies under keys; `null`: nothing. */
export interface StateReadOk extends OfCall {
  readonly _tag: "ok";
  readonly op: "state";
  /** Whether that is all that the store holds. */
  readonly isWhole: boolean;
  readonly entries: readonly (readonly [key: string, value: string | null])[];
}

/** The store is empty. */
export interface StateDropOk extends OfCall {
  readonly _tag: "ok";
  readonly op: "drop";
}

/** A call that has had its effect. */
export type OkLine = AppendOk | AcquireOk | CommitOk | StateReadOk | StateDropOk;

/** A call that has had no effect, and never will. */
export interface FailLine extends OfCall {
  readonly _tag: "fail";
  readonly op: Operation;
  /** `_tag` of the port's error. */
  readonly error: string;
}

/** A call that may have had its effect, or still have it. */
export interface InfoLine extends OfCall {
  readonly _tag: "info";
  readonly op: Operation;
  /** `_tag` of the port's error; `"thrown"` for a call that threw. */
  readonly error: string;
}

/** Records that a reader was given, in log order. */
export interface ReadLine extends OfProcess, PartitionPlace {
  readonly _tag: "read";
  /** When the reader was asked: what it was given was there at some moment since. */
  readonly askedMs: number;
  /** Counts the readers of the process: what one reader was given has no gaps. */
  readonly reader: number;
  /** Where the reader stood: everything behind that and in front of these records was trimmed. */
  readonly after: string;
  readonly records: readonly LogRecord[];
}

/** What a worker says of itself: the counters of an `AppEvent`. */
export interface EventLine extends OfProcess {
  readonly _tag: "event";
  /** `_tag` of the event. */
  readonly event: string;
  /** `<group>/<topic>/<partition>`; `null` where it is of no task. */
  readonly task: string | null;
  /** Of `Committed`. */
  readonly offset?: string;
  readonly records?: number;
  readonly outputs?: number;
  /** Of `Gap`. */
  readonly lost?: number;
}

/** Something that was done to the system. */
export interface FaultLine {
  readonly _tag: "fault";
  readonly kind: string;
  /** The process that it hit; `null`: the store, hence everybody. */
  readonly victim: string | null;
  readonly fromMs: number;
  /** When it was over; `fromMs` where it takes no time. */
  readonly untilMs: number;
}

/**
 * The store came back without some of its writes: whatever was written between these times may be gone. Nothing else may.
 */
export interface LossLine {
  readonly _tag: "loss";
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The first records of a partition were dropped: so many since it was made. */
export interface TrimLine extends PartitionPlace {
  readonly _tag: "trim";
  readonly atMs: number;
  readonly trimmed: number;
}

/** A partition as it is in the end. */
export interface PartitionLine extends PartitionPlace {
  readonly _tag: "partition";
  /** How many records were ever appended. */
  readonly appended: number;
  /** How many of them lie there: the last ones. */
  readonly held: number;
}

/** Records of a partition as they lie there in the end, in log order. A partition may take several lines. */
export interface LogLine extends PartitionPlace {
  readonly _tag: "log";
  readonly records: readonly LogRecord[];
}

/** How far a task is in the end. */
export interface PositionLine extends TaskPlace {
  readonly _tag: "position";
  /** How many commits have counted. */
  readonly sequence: number;
  readonly offset: string;
  readonly processed: number;
}

/** All that lies in a store of a task in the end. */
export interface StateLine extends TaskPlace {
  readonly _tag: "state";
  readonly store: string;
  readonly entries: readonly (readonly [key: string, value: string])[];
}

/** When the history ends: nothing is known of later times. */
export interface EndLine {
  readonly _tag: "end";
  readonly atMs: number;
}

/** One line of a history. */
export type HistoryLine =
  | InvokeLine
  | OkLine
  | FailLine
  | InfoLine
  | ReadLine
  | EventLine
  | FaultLine
  | LossLine
  | TrimLine
  | PartitionLine
  | LogLine
  | PositionLine
  | StateLine
  | EndLine;
