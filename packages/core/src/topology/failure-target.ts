/** Where an operator's failures lead to in one sub-topology. */
import * as E from "fp-ts/lib/Either.js";
import type { Codec } from "../codec/codec.ts";
import type { Any } from "./any.ts";
import { type FailurePolicy, mayLeaveBehind, mayWriteLetters } from "./failure.ts";
import { checkName, type Topic, topic } from "./topic.ts";

/** An operator with a policy, in one sub-topology. */
export interface FailureTarget {
  /** The operator's stable name. */
  readonly name: string;
  /** For messages. */
  readonly label: string;
  readonly policy: FailurePolicy;
  /** How the operator's input is written. */
  readonly codec: Codec<Any>;
  /** Where letters go, and the store that remembers them; `null` for a policy that writes none. */
  readonly letters: { readonly topic: Topic<Any>; readonly store: string } | null;
}

/** Text as it is. */
export const rawText: Codec<string> = { name: "text", decode: E.right, encode: E.right };

/** The store beside that of the operator itself; users' names have no `!`. */
const LETTERS_STORE = "!letters";

/** The store of an operator that remembers its letters. */
export function lettersStoreOf(name: string): string {
  return `${name}${LETTERS_STORE}`;
}

/** The store of a task that remembers what it was asked. */
export const CONTROL_STORE = "!control";

/** `null` without a policy. */
export function failureTarget(
  policy: FailurePolicy | null,
  of: {
    readonly name: string;
    readonly label: string;
    readonly codec: Codec<Any>;
    readonly source: Topic<Any>;
    readonly group: string;
  },
): FailureTarget | null {
  if (policy === null) {
    return null;
  }
  const { name, label, source, group } = of;
  const writes = mayWriteLetters(policy);
  const to = policy.topic ?? `${inGroup(group, source)}.dead-letters`;
  return {
    name,
    label,
    policy: { ...policy, mayPark: policy.mayPark && source.key !== null },
    codec: policy.codec ?? of.codec,
    letters: writes ? { topic: alignedTopic("dead-letter topic", to), store: lettersStoreOf(name) } : null,
  };
}

/** The topics that letters of a sub-topology go to, each once. */
export function letterTopics(targets: readonly FailureTarget[]): readonly Topic<Any>[] {
  const byName = new Map(
    targets.flatMap(({ letters }) => (letters === null ? [] : [[letters.topic.name, letters.topic] as const])),
  );
  return [...byName.values()];
}

/** The topic in which the tasks of a sub-topology are asked; `null` where there is nothing to ask. */
export function controlTopic(targets: readonly FailureTarget[], source: Topic<Any>, group: string): Topic<Any> | null {
  const isNeeded = targets.some(({ policy }) => mayLeaveBehind(policy));
  return isNeeded ? alignedTopic("control topic", `${inGroup(group, source)}.control`) : null;
}

/** A repartition topic's name begins with the group already. */
function inGroup(group: string, source: Topic<Any>): string {
  return source.name.startsWith(`${group}.`) ? source.name : `${group}.${source.name}`;
}

/** A topic with as many partitions as the one that is read: partitions are said, and no key is asked for. */
function alignedTopic(what: string, name: string): Topic<Any> {
  checkName(what, name);
  return topic<Any>(name, { codec: rawText, key: null });
}
