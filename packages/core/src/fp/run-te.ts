import * as TE from "fp-ts/lib/TaskEither.js";
import type { App, Running, RunOptions } from "../app.ts";
import { MillraceError } from "../errors.ts";
import type { Pipeline } from "../topology/pipeline.ts";

/**
 * `app.run` as a `TaskEither`: runs pipelines when it is called, and each time anew. `Left` with the `MillraceError` for which
 * nothing runs: the store cannot be used, a topic has another number of partitions, the group runs another pipeline under
 * that name, or has state that the pipeline does not fit. Anything else that goes wrong is a defect, and rejects.
 *
 * @example
 * ```ts
 * await pipe(runTE(app, regionTotals), TE.chain(doneTE), TE.mapLeft(({ code }) => report(code)))();
 * ```
 */
export function runTE(
  app: App,
  pipelines: Pipeline | readonly Pipeline[],
  options: RunOptions = {},
): TE.TaskEither<MillraceError, Running> {
  return TE.tryCatch(() => app.run(pipelines, options), millraceError);
}

/**
 * `running.done` as a `TaskEither`: `Right` when every task of the group is complete, or after `stop`; `Left` with the
 * `MillraceError` that has stopped a pipeline on this worker. Anything else that goes wrong is a defect, and rejects.
 */
export function doneTE(running: Running): TE.TaskEither<MillraceError, void> {
  return TE.tryCatch(() => running.done, millraceError);
}

/** What is thrown here rejects. */
function millraceError(reason: unknown): MillraceError {
  if (reason instanceof MillraceError) {
    return reason;
  }
  throw reason;
}
