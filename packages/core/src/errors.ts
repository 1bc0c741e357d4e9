import type { PortError } from "./ports/port-error.ts";

/** Names of the failures that Millrace reports by itself; failures of a store keep the tag of the port. */
export type MillraceErrorTag =
  | PortError["_tag"]
  | "InvalidName"
  | "InvalidOption"
  | "InvalidPipeline"
  | "InvalidOperator"
  | "EncodeError"
  | "DecodeError"
  | "HandlerError"
  | "HandlerTimeout"
  | "StateMismatch"
  | "TopologyMismatch"
  | "NativeOperatorError"
  | "ParkedKeysLimit"
  | "NoWorker"
  | "Closed";

const CODES: { readonly [Tag in Exclude<MillraceErrorTag, PortError["_tag"]>]: string } = {
  InvalidName: "MR_INVALID_NAME",
  InvalidOption: "MR_INVALID_OPTION",
  InvalidPipeline: "MR_INVALID_PIPELINE",
  InvalidOperator: "MR_INVALID_OPERATOR",
  EncodeError: "MR_ENCODE",
  DecodeError: "MR_DECODE",
  HandlerError: "MR_HANDLER",
  HandlerTimeout: "MR_HANDLER_TIMEOUT",
  StateMismatch: "MR_STATE_MISMATCH",
  TopologyMismatch: "MR_TOPOLOGY_MISMATCH",
  NativeOperatorError: "MR_NATIVE_OPERATOR",
  ParkedKeysLimit: "MR_PARKED_KEYS_LIMIT",
  NoWorker: "MR_NO_WORKER",
  Closed: "MR_CLOSED",
};

/**
 * The error that every promise and Observable of Millrace rejects with.
 *
 * `_tag` and `code` say what kind it is, `retriable` whether the same call may succeed later. Messages name what failed
 * and what to do; they never hold a secret or a record's value.
 */
export class MillraceError extends Error {
  readonly _tag: MillraceErrorTag;
  readonly code: string;
  readonly retriable: boolean;

  constructor(tag: Exclude<MillraceErrorTag, PortError["_tag"]> | PortError, message?: string, cause?: unknown) {
    const port = typeof tag === "object" ? tag : null;
    const text = message ?? port?.message ?? "";
    const reason = cause ?? port?.cause;
    super(text, reason === undefined ? undefined : { cause: reason });
    this._tag = typeof tag === "object" ? tag._tag : tag;
    this.code = typeof tag === "object" ? tag.code : CODES[tag];
    this.retriable = port?.retriable ?? false;
    this.name = "MillraceError";
  }
}

/** One place in a value where decoding or encoding failed. */
export interface Issue {
  /** Where, as `items[2].price`; `""` for the value as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A stored entry that is not a record of its topic. Names the position and the paths that failed. */
export class DecodeError extends MillraceError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** The text as it is stored. Not part of the message. */
  readonly raw: string;
  readonly issues: readonly Issue[];

  constructor(where: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    readonly raw: string;
    readonly issues: readonly Issue[];
  }) {
    const { topic, partition, offset, raw, issues } = where;
    super(
      "DecodeError",
      `cannot decode the record at ${topic}/${partition} offset ${offset}: ${describeIssues(issues)}`,
    );
    this.name = "DecodeError";
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.raw = raw;
    this.issues = issues;
  }
}

/** A value that cannot be a record of its topic. Nothing was written. */
export class EncodeError extends MillraceError {
  readonly topic: string;
  readonly issues: readonly Issue[];

  constructor(topic: string, issues: readonly Issue[]) {
    super("EncodeError", `cannot write this value to topic "${topic}": ${describeIssues(issues)}`);
    this.name = "EncodeError";
    this.topic = topic;
    this.issues = issues;
  }
}

/** A function given to an operator threw or rejected; `cause` is what it threw. */
export class HandlerError extends MillraceError {
  /** The operator, as the plan names it. */
  readonly node: string;
  /** Topic, partition and offset of the record, or `null` when a watermark caused the call. */
  readonly at: { readonly topic: string; readonly partition: number; readonly offset: string } | null;
  /** The dead letter that was redriven; else `null`. */
  readonly letter: string | null;

  constructor(
    node: string,
    at: { readonly topic: string; readonly partition: number; readonly offset: string } | null,
    cause: unknown,
    letter: string | null = null,
    result: string | null = null,
  ) {
    const of = result === null ? "" : ` for the result ${result}`;
    const where = at === null ? of : ` for the record at ${at.topic}/${at.partition} offset ${at.offset}`;
    const what = cause instanceof MillraceError ? cause.message : nameOf(cause);
    super("HandlerError", `operator "${node}" failed${where}: ${what}`, cause);
    this.name = "HandlerError";
    this.node = node;
    this.at = at === null ? null : { topic: at.topic, partition: at.partition, offset: at.offset };
    this.letter = letter;
  }
}

/** Only the kind of a foreign error goes into a message: its text may hold a payload. It stays in `cause`. */
function nameOf(cause: unknown): string {
  try {
    return cause instanceof Error ? `${cause.name} (see cause)` : `a thrown ${typeof cause} (see cause)`;
  } catch {
    // A name may be a getter that throws, or no text.
    return "an error without a name (see cause)";
  }
}

function describeIssues(issues: readonly Issue[]): string {
  const shown = issues.slice(0, 5).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  const more = issues.length > shown.length ? ` (and ${issues.length - shown.length} more)` : "";
  return shown.join("; ") + more;
}
