/**
 * What can go wrong behind a port. Each port's methods name the members that they can return.
 *
 * `retriable` is decided at birth: `true` means that repeating the same call unchanged is safe and may succeed.
 */

interface Failure<Tag extends string, Code extends string, Retriable extends boolean> {
  readonly _tag: Tag;
  readonly code: Code;
  readonly retriable: Retriable;
  /** What failed, with identifiers, and what to do next. Never a secret, never a payload. */
  readonly message: string;
  readonly cause?: unknown;
}

/** The store did not answer, or refused for the moment. The effect may or may not have happened: repeat the call. */
export type Unavailable = Failure<"Unavailable", "MR_UNAVAILABLE", true>;

/** There is no room for what would be added (a topic's limit, or the server's memory). Nothing was written. */
export type Full = Failure<"Full", "MR_FULL", true>;

/**
 * Somebody else owns the task, a newer generation exists, or another worker has joined under the same name. Nothing was
 * written; the caller must stop.
 */
export type Fenced = Failure<"Fenced", "MR_FENCED", false>;

/** The store's commit sequence is not where this owner left it: the store lost writes. Nothing was written. */
export type Regressed = Failure<"Regressed", "MR_REGRESSED", false>;

/** The topic is missing, or was deleted and created again (another incarnation). Nothing was written. */
export type TopicLost = Failure<"TopicLost", "MR_TOPIC_LOST", false>;

/** The topic exists with another number of partitions. Nothing was written. */
export type TopicMismatch = Failure<"TopicMismatch", "MR_TOPIC_MISMATCH", false>;

/** A key that Millrace needs holds a value of another type. Nothing was written. */
export type WrongType = Failure<"WrongType", "MR_WRONG_TYPE", false>;

/** The topic was sealed by `producer.end()`: it takes no new records. Nothing was written. */
export type TopicSealed = Failure<"TopicSealed", "MR_TOPIC_SEALED", false>;

/**
 * The producer's sequence does not continue what the log remembers: records between were never appended, or what was
 * remembered has expired. Appending could reorder or duplicate, so nothing was written.
 */
export type SequenceGap = Failure<"SequenceGap", "MR_SEQUENCE_GAP", false>;

/** The server cannot be used as it is (wrong URL, credentials, version, role or eviction policy), or refuses a call for good. */
export type Refused = Failure<"Refused", "MR_REFUSED", false>;

/** The caller is no member of the group: its session is over, or the store has lost the group. It may join again. */
export type NotMember = Failure<"NotMember", "MR_NOT_MEMBER", false>;

/** Members of the group understand a sub-topology in another way than the caller. Nothing was written. */
export type GroupMismatch = Failure<"GroupMismatch", "MR_GROUP_MISMATCH", false>;

/** Every failure of every port. */
export type PortError =
  | Unavailable
  | Full
  | Fenced
  | Regressed
  | TopicLost
  | TopicMismatch
  | WrongType
  | TopicSealed
  | SequenceGap
  | NotMember
  | GroupMismatch
  | Refused;

const SHAPES = {
  Unavailable: ["MR_UNAVAILABLE", true],
  Full: ["MR_FULL", true],
  Fenced: ["MR_FENCED", false],
  Regressed: ["MR_REGRESSED", false],
  TopicLost: ["MR_TOPIC_LOST", false],
  TopicMismatch: ["MR_TOPIC_MISMATCH", false],
  WrongType: ["MR_WRONG_TYPE", false],
  TopicSealed: ["MR_TOPIC_SEALED", false],
  SequenceGap: ["MR_SEQUENCE_GAP", false],
  NotMember: ["MR_NOT_MEMBER", false],
  GroupMismatch: ["MR_GROUP_MISMATCH", false],
  Refused: ["MR_REFUSED", false],
} as const satisfies { readonly [Tag in PortError["_tag"]]: readonly [string, boolean] };

/** Makes the failure named `tag`; code and `retriable` follow from it. For implementations of ports. */
export function portError<Tag extends PortError["_tag"]>(
  tag: Tag,
  message: string,
  cause?: unknown,
): Extract<PortError, { readonly _tag: Tag }> {
  const [code, retriable] = SHAPES[tag];
  const error = { _tag: tag, code, retriable, message, ...(cause === undefined ? {} : { cause }) };
  return error as unknown as Extract<PortError, { readonly _tag: Tag }>;
}
