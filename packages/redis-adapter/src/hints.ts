/** Hints of consumer groups, as the scripts send them: `changed`, or `released` and the tasks with blanks between. */
import type { GroupHint } from "@millrace/core";

/** Something may have happened. */
export const CHANGED: GroupHint = { kind: "changed" };

/** The hint in a message; `null` for what is none, since anybody may write to a channel. */
export function hintIn(message: string): GroupHint | null {
  const [kind, ...tasks] = message.split(" ");
  if (kind === "released" && tasks.length > 0) {
    return { kind, tasks };
  }
  return message === CHANGED.kind ? CHANGED : null;
}
