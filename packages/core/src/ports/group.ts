import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Full, Refused, Unavailable, WrongType } from "./port-error.ts";

/** A worker's place in a consumer group. */
export interface Membership {
  /** Rises with every member that joins, from 1. Tasks are acquired at this generation. */
  readonly generation: number;
}

/**
 * Consumer groups. A group has one member at a time so far: whoever joins last takes over every task, and an earlier
 * member finds itself fenced at its next commit or acquisition.
 */
export interface Group {
  /** Enters the group at a generation of its own, higher than every earlier one. */
  join(group: string, member: string): TaskEither<WrongType | Full | Refused | Unavailable, Membership>;
}
