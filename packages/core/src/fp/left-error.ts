import { isName } from "../kernel/name.ts";

/**
 * Stands for a `Left` where Millrace speaks of errors: as `cause` of the `HandlerError` that stops a task, and in what
 * events and dead letters tell. Its message holds the `_tag` of the left where it has one that is a plain name, and nothing
 * else of it: a left may carry a payload.
 */
export class LeftError<E = unknown> extends Error {
  readonly _tag = "LeftError";
  /** What was in the `Left`. Not part of the message. */
  readonly left: E;

  constructor(left: E) {
    const tag = tagOf(left);
    super(tag === null ? "the function answered with a Left" : `the function answered with a Left: ${tag}`);
    this.name = "LeftError";
    this.left = left;
  }
}

function tagOf(left: unknown): string | null {
  const tag = typeof left === "object" && left !== null && "_tag" in left ? left._tag : null;
  return isName(tag) ? tag : null;
}
