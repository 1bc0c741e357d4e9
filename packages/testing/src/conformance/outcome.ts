import { type PortError, portError } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { expect } from "vitest";

/** What a call returned; fails the test when it did not succeed. */
export async function ok<A>(call: TaskEither<PortError, A>): Promise<A> {
  const result = await call();
  if (result._tag === "Left") {
    throw new Error(`expected success, got ${result.left._tag}: ${result.left.message}`);
  }
  return result.right;
}

/** Fails the test unless the call failed with `tag`, in the form that `portError` gives such a failure. */
export async function refused(call: TaskEither<PortError, unknown>, tag: PortError["_tag"]): Promise<void> {
  const { code, retriable } = portError(tag, "");
  const result = await call();
  expect(result).toMatchObject({ _tag: "Left", left: { _tag: tag, code, retriable } });
  expect(result).toHaveProperty("left.message", expect.stringMatching(/\S/));
}
