import { type EnsureTopicError, portError, type Refused, type TopicInfo } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { integerOf, textIn } from "./reply.ts";

/** What somebody wants a topic to be. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number | null;
  readonly defaultPartitions: number;
}

/** Creating a topic is one script over all its partitions. */
const MOST_PARTITIONS = 10_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** Whether `name` is safe as part of a key: 1 to 200 letters, digits, `.`, `_`, `-`; no braces, separators, controls. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

/** `Refused` for a name or a number of partitions that no topic can have. */
export function checkSpec({ name, partitions, defaultPartitions }: TopicSpec): E.Either<Refused, number> {
  const wanted = partitions ?? defaultPartitions;
  if (!isName(name)) {
    const shown = JSON.stringify(name.slice(0, 40));
    return E.left(
      portError("Refused", `Topic name ${shown} is not usable: use 1 to 200 letters, digits, ".", "_" and "-"`),
    );
  }
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_PARTITIONS) {
    return E.left(
      portError("Refused", `Topic ${name} cannot have ${wanted} partitions: choose 1 to ${MOST_PARTITIONS}`),
    );
  }
  return E.right(wanted);
}

/** The topic that the script `ensure-topic` answered with, if it is the one that was wanted. */
export function topicFrom(
  [code, first, second]: readonly unknown[],
  { name, partitions }: TopicSpec,
): E.Either<EnsureTopicError, TopicInfo> {
  if (code === "foreign-format") {
    const message = `Topic ${name} has format ${textIn(first)}; this version reads format 1. Use a newer version`;
    return E.left(portError("Refused", message));
  }
  if (code === "leftover") {
    const message = `Topic ${name} does not exist, but its log ${textIn(first)} does. Restore the topic or delete the log`;
    return E.left(portError("Refused", message));
  }
  const found: TopicInfo = { name, partitions: integerOf(first), incarnation: textIn(second) };
  if (partitions !== null && partitions !== found.partitions) {
    const message =
      `Topic ${name} has ${found.partitions} partitions, not ${partitions}. ` +
      "A topic keeps its number: keys would move. Ask for that number, or use a new topic";
    return E.left(portError("TopicMismatch", message));
  }
  return E.right(found);
}
