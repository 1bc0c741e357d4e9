import { MarbleError } from "../../src/marbles/marble-error.ts";

/** The `MarbleError` that is thrown; `null`: nothing is. Other errors pass. */
function errorOf(call: () => unknown): MarbleError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof MarbleError) {
      return error;
    }
    throw error;
  }
}

/** The `MarbleError` that is thrown. Throws where none is. */
export function thrownBy(call: () => unknown): MarbleError {
  const error = errorOf(call);
  if (error === null) {
    throw new Error("nothing was thrown");
  }
  return error;
}

/** The message of the `MarbleError` that is thrown, if any. */
export function messageIfThrown(call: () => unknown): string | null {
  return errorOf(call)?.message ?? null;
}
