import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { MillraceError } from "../errors.ts";
import type { PortError } from "../ports/port-error.ts";

/** The result of a call; throws its failure as a `MillraceError`. */
export async function demand<A>(call: TaskEither<PortError, A>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new MillraceError(result.left);
  }
  return result.right;
}
