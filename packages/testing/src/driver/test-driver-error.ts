/** What can be wrong with a call of the test driver, or come out in it. */
export type TestDriverErrorTag =
  | "WorkerFailed"
  | "NotSettled"
  | "UnknownTopic"
  | "UnknownWorker"
  | "InvalidOption"
  | "InvalidCall"
  | "Closed";

const CODES: { readonly [Tag in TestDriverErrorTag]: string } = {
  WorkerFailed: "MR_TEST_WORKER_FAILED",
  NotSettled: "MR_TEST_NOT_SETTLED",
  UnknownTopic: "MR_TEST_UNKNOWN_TOPIC",
  UnknownWorker: "MR_TEST_UNKNOWN_WORKER",
  InvalidOption: "MR_TEST_INVALID_OPTION",
  InvalidCall: "MR_TEST_INVALID_CALL",
  Closed: "MR_TEST_CLOSED",
};

/**
 * What a call of a test driver rejects with, beside the `MillraceError`s of the app itself. Its form is theirs.
 *
 * - `WorkerFailed`: a pipeline has stopped on a worker, and `cause` says why; the message ends with what was thrown first. Told once, by the call in which it happens or the
 *   next one; the worker is gone, and `restart()` starts it again.
 * - `NotSettled`: work has begun that does not come to an end, such as a handler whose promise never settles. The message names
 *   operators and tasks.
 * - `UnknownTopic`, `UnknownWorker`: there is none of that name; the message lists those that there are.
 * - `InvalidOption`, `InvalidCall`: a mistake in the test.
 * - `Closed`: the driver was closed.
 */
export class TestDriverError extends Error {
  readonly _tag: TestDriverErrorTag;
  readonly code: string;
  /** Always `false`: the same call would fail again. */
  readonly retriable = false;

  constructor(tag: TestDriverErrorTag, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this._tag = tag;
    this.code = CODES[tag];
    this.name = "TestDriverError";
  }
}
