import type { MemberRef } from "../ports/group.ts";

/** A confirmed membership: what is asked in its name ends with it. */
export interface Stay {
  readonly ref: MemberRef;
  /** Aborts when the session is over. */
  readonly signal: AbortSignal;
}
