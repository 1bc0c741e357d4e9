/** What is wrong with marbles. */
export type MarbleErrorTag = "InvalidMarbles" | "OwnerNotReached" | "MarblesDiffer";

const CODES: { readonly [Tag in MarbleErrorTag]: string } = {
  InvalidMarbles: "MR_MARBLES_INVALID",
  OwnerNotReached: "MR_MARBLES_OWNER",
  MarblesDiffer: "MR_MARBLES_DIFFER",
};

/**
 * The error of diagrams.
 *
 * - `InvalidMarbles`: the diagram, or what it is run with, makes no sense; the message has a caret under the column.
 * - `OwnerNotReached`: the group did not give a partition to the worker that an owner row draws.
 * - `MarblesDiffer`: what came out is not what was drawn. `expected` and `actual` are both diagrams, aligned, which test runners show
 *   as a difference; the message has both, one above the other.
 */
export class MarbleError extends Error {
  readonly _tag: MarbleErrorTag;
  readonly code: string;
  /** Never: the same diagram gives the same run. */
  readonly retriable = false;
  /** What was drawn; only of `MarblesDiffer` and `OwnerNotReached`. */
  readonly expected?: string;
  /** What came instead. */
  readonly actual?: string;

  constructor(tag: MarbleErrorTag, message: string, diagrams?: { readonly expected: string; readonly actual: string }) {
    super(message);
    this.name = "MarbleError";
    this._tag = tag;
    this.code = CODES[tag];
    if (diagrams !== undefined) {
      this.expected = diagrams.expected;
      this.actual = diagrams.actual;
    }
  }
}
