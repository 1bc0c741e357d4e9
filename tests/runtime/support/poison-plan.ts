/** What the workers of poison-redis.test.ts run; the test makes the same plan to ask about its letters. */
import {
  type Codec,
  type FailureDecision,
  json,
  map,
  mapOrdered,
  type OnError,
  type Pipeline,
  pipeline,
  sink,
  stream,
  type Topic,
  topic,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";

export const PARTITIONS = 3;
export const APP = "poison";

/** The value of these tests. */
export interface Numbered {
  readonly key: string;
  readonly n: number;
}

/** `"function"`: parks key 1, and writes a letter for every other. */
export type Policy = FailureDecision | "function";

export interface PlanConfig {
  readonly kind: "map" | "mapOrdered";
  readonly policy: Policy;
  /** What becomes of entries that do not decode. */
  readonly undecodable: FailureDecision;
  /** The version whose codec makes something of every text. */
  readonly isMended: boolean;
}

const strict: Codec<Numbered> = json(t.type({ key: t.string, n: t.number }));

/** What the mended version makes of a text that is no item: shown by how long that is. */
export function madeOf(text: string): Numbered {
  return { key: "mended", n: -1 - text.length };
}

const mended: Codec<Numbered> = {
  ...strict,
  decode: (text) => {
    const decoded = strict.decode(text);
    return E.isRight(decoded) ? decoded : E.right(madeOf(text));
  },
};

function sourceOf(isMended: boolean): Topic<Numbered> {
  return topic("source", {
    codec: isMended ? mended : strict,
    key: (item) => item.key,
    timestamp: (item) => 1_000_000 + item.n,
    partitions: PARTITIONS,
  });
}

/** What the tests send. */
export const source: Topic<Numbered> = sourceOf(false);
/** What the workers write. */
export const copy: Topic<Numbered> = topic("copy", { codec: strict, key: (item) => item.key, partitions: PARTITIONS });

/** `check` throws for items that are bad. */
export function poisonPlan(
  { kind, policy, undecodable, isMended }: PlanConfig,
  check: (item: Numbered) => Numbered,
): Pipeline {
  const onError: OnError =
    policy === "function" ? (_error, { key }) => (key === "key-1" ? "park" : "deadLetter") : policy;
  const handle = async (item: Numbered): Promise<Numbered> => {
    // Some of them are under way at any moment at which the process may be killed.
    await new Promise((resolve) => setTimeout(resolve, 1 + (item.n % 4)));
    return check(item);
  };
  const through =
    kind === "map"
      ? map(check, { onError, name: "check" })
      : mapOrdered(handle, { onError, name: "check", concurrency: 4 });
  return pipeline("copy", stream(sourceOf(isMended), { onError: undecodable }).pipe(through, sink(copy)));
}
