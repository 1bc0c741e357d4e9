import type { MillraceError } from "../errors.ts";

/** What a running app reports, as it happens. Nothing here holds a record's value. */
export type AppEvent =
  /** The app is a member of the group and runs its tasks. */
  | { readonly _tag: "Started"; readonly group: string; readonly generation: number; readonly tasks: readonly string[] }
  /** A commit was applied: `records` were processed up to `offset`, `outputs` records written. */
  | {
      readonly _tag: "Committed";
      readonly task: string;
      readonly offset: string;
      readonly records: number;
      readonly outputs: number;
    }
  /** A record came after its window had closed, and was dropped. */
  | { readonly _tag: "LateRecord"; readonly task: string; readonly node: string; readonly id: string }
  /** Records that the task had not processed are no longer in the log: deleted or trimmed by something else. */
  | { readonly _tag: "Gap"; readonly task: string; readonly lost: number }
  /** The store lost commits; the task goes on from what is left. */
  | { readonly _tag: "Regressed"; readonly task: string; readonly message: string }
  /** The store does not answer, or has no room. The task waits and tries again. */
  | { readonly _tag: "Stalled"; readonly task: string; readonly code: string; readonly message: string }
  /** The task has processed all there will ever be: its input was ended. */
  | { readonly _tag: "Completed"; readonly task: string }
  /** The task has stopped because of an error. */
  | { readonly _tag: "Failed"; readonly task: string; readonly error: MillraceError }
  /** The app has left the group. */
  | { readonly _tag: "Stopped"; readonly group: string };

/** Where events go. Must not throw. */
export type Telemetry = (event: AppEvent) => void;
