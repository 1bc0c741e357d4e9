import { type DuePage, type DueRange, portError, type StateStore, type TaskRef, type WrongType } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { callScript, needsNoRoom } from "./call-script.ts";
import type { Connection } from "./connection.ts";
import { dueOf, scoreOf } from "./due-score.ts";
import { failureOf } from "./errors.ts";
import type { Keys, StoreKeys } from "./keys.ts";
import { listOf, pairsOf, textIn } from "./reply.ts";
import { DROP } from "./scripts/drop.ts";
import { DUE } from "./scripts/due.ts";

/** Roughly how many keys a page holds. A small store comes as one page whatever it holds. */
const PAGE_KEYS = 1_000;

/** How many values one command asks for: a few ms of the server's time. */
const MOST_KEYS = 5_000;

/**
 * Stores of tasks as a hash each, and a sorted set beside it of the entries that have a due time. `connection` is the one
 * that commits: the server answers it in order, so that a read never overtakes a commit.
 */
export function redisStateStore(connection: Connection, keys: Keys): StateStore {
  return {
    scan: (task, store, cursor) =>
      needsNoRoom(async () => {
        const { values } = keys.store(task, store);
        try {
          const reply = await connection.send("hscan", [values, cursor ?? "0", "COUNT", `${PAGE_KEYS}`]);
          const [next, flat] = listOf(reply);
          const rest = textIn(next);
          return E.right({ entries: pairsOf(flat), cursor: rest === "0" ? null : rest });
        } catch (error) {
          return E.left(failureOf(error, `reading ${nameOf(task, store)}`));
        }
      }),

    get: (task, store, wanted) =>
      needsNoRoom(async () => {
        try {
          return E.right(await valuesOf(connection, keys, { task, store, wanted }));
        } catch (error) {
          return E.left(failureOf(error, `reading ${nameOf(task, store)}`));
        }
      }),

    due: (task, store, range) => {
      const at = keys.store(task, store);
      const what = `reading what is due in ${nameOf(task, store)}`;
      const call = callScript(connection, () => ({
        script: DUE,
        keys: [at.values, at.dues],
        args: boundsOf(range),
        what,
        rejections: ["WrongType"],
        read: (answer) => answer,
      }));
      return needsNoRoom(TE.flatMapEither((answer: readonly unknown[]) => pageIn(answer, at, what))(call));
    },

    drop: (task, store) => {
      const { values, dues } = keys.store(task, store);
      return needsNoRoom(
        callScript(connection, () => ({
          script: DROP,
          keys: [values, dues],
          args: [],
          what: `deleting ${nameOf(task, store)}`,
          rejections: ["WrongType"],
          read: () => undefined,
        })),
      );
    },
  };
}

interface Request {
  readonly task: TaskRef;
  readonly store: string;
  readonly wanted: readonly string[];
}

/**
 * Many values are asked for in parts, so that the server has time for others in between. The task's sequence, before the
 * first part and behind the last, tells whether a commit came between them; then all is read again, at once. The owner's own
 * commits never do: the parts are sent together.
 */
async function valuesOf(
  connection: Connection,
  keys: Keys,
  { task, store, wanted }: Request,
): Promise<readonly (string | null)[]> {
  const { values } = keys.store(task, store);
  const read = async (part: readonly string[]): Promise<readonly (string | null)[]> =>
    listOf(await connection.send("hmget", [values, ...part])).map((value) => (value === null ? null : textIn(value)));
  if (wanted.length <= MOST_KEYS) {
    return wanted.length === 0 ? [] : read(wanted);
  }
  const sequence = (): Promise<unknown> =>
    connection.send("hget", [keys.task(task.topic.name, task.partition, task.group), "sequence"]);
  const parts: string[][] = [];
  for (let from = 0; from < wanted.length; from += MOST_KEYS) {
    parts.push(wanted.slice(from, from + MOST_KEYS));
  }
  const [before, found, after] = await Promise.all([sequence(), Promise.all(parts.map(read)), sequence()]);
  return before === after ? found.flat() : read(wanted);
}

/** As the head of `scripts/due.ts` describes them. */
function boundsOf({ fromMs, untilMs, limit }: DueRange): readonly string[] {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`The limit of a page must be a whole number from 1, not ${limit}`);
  }
  return [scoreOf(fromMs), scoreOf(untilMs), String(limit)];
}

function pageIn(answer: readonly unknown[], at: StoreKeys, what: string): E.Either<WrongType, DuePage> {
  if (answer[0] === "no-value") {
    const key = JSON.stringify(textIn(answer[1]).slice(0, 200));
    const message = `${what}: somebody deleted the value of ${key} from ${at.values}, but not its due time. Put the value back, or ZREM the key from ${at.dues}`;
    return E.left(portError("WrongType", message));
  }
  const values = listOf(answer[2]);
  const entries = pairsOf(answer[1]).map(([key, score], n) => [key, textIn(values[n]), dueOf(score)] as const);
  return E.right({ entries, nextMs: typeof answer[3] === "string" ? dueOf(answer[3]) : null });
}

function nameOf({ group, topic, partition }: TaskRef, store: string): string {
  return `store ${store} of ${group} in ${topic.name}/${partition}`;
}
