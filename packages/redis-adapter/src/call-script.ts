import { type Full, type PortError, portError, type Refused, type Unavailable, type WrongType } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Connection } from "./connection.ts";
import { failureOf, type Rejection, rejectionIn } from "./errors.ts";
import { listOf } from "./reply.ts";
import { runScript } from "./scripts/run.ts";
import type { Script } from "./scripts/script.ts";

/** One call of a script, and how to understand its answer. */
export interface ScriptCall<Tag extends Rejection["_tag"], A> {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** What is tried, with identifiers; begins every message. */
  readonly what: string;
  /** The rejections that the script can answer. */
  readonly rejections: readonly Tag[];
  /** Reads any other answer, its code included. */
  readonly read: (answer: readonly unknown[]) => A;
}

type Rejected<Tag> = Extract<Rejection, { readonly _tag: Tag }>;

/** Runs the call that `prepare` makes, each time the task is run. Never rejects but for a defect. */
export function callScript<Tag extends Rejection["_tag"], A>(
  connection: Connection,
  prepare: () => ScriptCall<Tag, A>,
): TE.TaskEither<Rejected<Tag> | WrongType | Full | Unavailable | Refused, A> {
  return async () => {
    const call = prepare();
    let answer: readonly unknown[];
    try {
      answer = listOf(await runScript(connection, call.script, call));
    } catch (error) {
      return E.left(failureOf(error, call.what));
    }
    const rejection = rejectionIn(answer, call.what);
    if (rejection === null) {
      return E.right(call.read(answer));
    }
    if (!isOneOf(rejection, call.rejections)) {
      throw new TypeError(`${call.what}: the script answered ${rejection._tag}`);
    }
    return E.left(rejection);
  };
}

function isOneOf<Tag extends Rejection["_tag"]>(
  rejection: Rejection,
  tags: readonly Tag[],
): rejection is Rejected<Tag> {
  return tags.some((tag) => tag === rejection._tag);
}

/** For calls that need no room (they read, or carry `allow-oom`), so that `Full` is not among their failures. */
export function needsNoRoom<Failure extends PortError, A>(
  task: TE.TaskEither<Failure, A>,
): TE.TaskEither<Exclude<Failure, Full> | Unavailable, A> {
  return TE.mapLeft((failure: Failure) => (isNotFull(failure) ? failure : portError("Unavailable", failure.message)))(
    task,
  );
}

function isNotFull<Failure extends PortError>(failure: Failure): failure is Exclude<Failure, Full> {
  return failure._tag !== "Full";
}
