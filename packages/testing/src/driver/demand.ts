import { MillraceError, type PortError } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";

/** What a port answers. Rejects with `MillraceError` where it refuses. */
export async function demand<A>(call: TaskEither<PortError, A>): Promise<A> {
  const answer = await call();
  if (E.isLeft(answer)) {
    throw new MillraceError(answer.left);
  }
  return answer.right;
}
