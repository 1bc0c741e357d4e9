import { isDeepStrictEqual } from "node:util";
import type { App, Producer, Topic } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { lastValueFrom, toArray } from "rxjs";
import { isSign, SIGNS } from "./diagram.ts";
import { MarbleError } from "./marble-error.ts";

/** What letters stand for: a table, or a function of the letter. */
export type LetterValues<A> = Readonly<Record<string, A>> | ((letter: string) => A);

/** Drawn for a value that no letter stands for. */
export const UNKNOWN = "?";

/** A record that came out of a topic. */
export interface ReadMarble {
  readonly partition: number;
  /** When it was committed, ms since the Unix epoch. */
  readonly atMs: number;
  readonly key: string;
  /** The letter, or {@link UNKNOWN}. */
  readonly symbol: string;
  /** For messages. */
  readonly value: unknown;
}

/** Sends values to a topic by their letters. */
export interface MarbleProducer {
  send(letter: string): Promise<void>;
  end(): Promise<void>;
}

/** A topic in marbles: what letters stand for its values. Made by {@link marblesOf} and {@link marblesBy}. */
export interface TopicMarbles {
  readonly name: string;
  /** `null`: as it exists, or the default. */
  readonly partitions: number | null;
  /**
   * The key of the letter's value; `null`: the topic has no keys. Throws `MarbleError` where no value is known for it.
   * @internal
   */
  keyOf(letter: string): string | null;
  /** @internal */
  open(app: App): Promise<MarbleProducer>;
  /** @internal */
  read(app: App): Promise<readonly ReadMarble[]>;
}

/**
 * A topic whose values are drawn as letters or digits: `marblesOf(orders, { a: { id: "1" }, b: { id: "2" } })`, or with a function
 * that makes the value of a letter. Without one, of topics of text, the letter is the value. Values that come out are known by being
 * deeply equal to what is stored for a letter; of several such letters, digits come first, then small ones, then capitals.
 *
 * Throws `MarbleError` for a name in the table that is not one letter or digit.
 */
export function marblesOf<A>(
  topic: Topic<A>,
  ...values: string extends A ? [values?: LetterValues<NoInfer<A>>] : [values: LetterValues<NoInfer<A>>]
): TopicMarbles {
  const [given] = values;
  // Only topics of text can do without.
  const valueFor = given === undefined ? (letter: string) => letter as A : lookUp(topic.name, given);
  let stored: ReadonlyMap<string, { readonly value: A }> | null = null;
  return topicMarbles(topic, valueFor, (value) => {
    stored ??= storedValues(topic, valueFor);
    return [...stored].find(([, known]) => isDeepStrictEqual(known, { value }))?.[0] ?? null;
  });
}

/** What each letter's value is once it was stored: JSON, for one, leaves out what is undefined. */
function storedValues<A>(
  { codec }: Topic<A>,
  valueFor: (letter: string) => A,
): ReadonlyMap<string, { readonly value: A }> {
  const stored = new Map<string, { readonly value: A }>();
  for (const sign of SIGNS) {
    const known = valueIfAny(valueFor, sign);
    const text = known === null ? null : codec.encode(known.value);
    const value = text !== null && E.isRight(text) ? codec.decode(text.right) : null;
    if (value !== null && E.isRight(value)) {
      stored.set(sign, { value: value.right });
    }
  }
  return stored;
}

/**
 * A topic whose values are only read: each is drawn as the letter or digit that the function says, so that a diagram shows one of its
 * parts: `marblesBy(totals, (total) => total.customer)`.
 */
export function marblesBy<A>(topic: Topic<A>, letterOf: (value: A) => string): TopicMarbles {
  const noValue = (letter: string): never => {
    throw new MarbleError(
      "InvalidMarbles",
      `topic "${topic.name}" is only read by marblesBy: what "${letter}" stands for is said by marblesOf`,
    );
  };
  return topicMarbles(topic, noValue, (value) => letterOf(value));
}

function lookUp<A>(topicName: string, values: LetterValues<A>): (letter: string) => A {
  if (typeof values === "function") {
    return values;
  }
  const odd = Object.keys(values).find((name) => !isSign(name));
  if (odd !== undefined) {
    throw new MarbleError(
      "InvalidMarbles",
      `topic "${topicName}": values are drawn as one letter or digit, not as ${JSON.stringify(odd)}`,
    );
  }
  const table = new Map(Object.entries(values));
  return (letter) => {
    if (!table.has(letter)) {
      const known = [...table.keys()].join(", ");
      throw new MarbleError(
        "InvalidMarbles",
        `"${letter}" stands for no value of topic "${topicName}": there are ${known === "" ? "none" : known}`,
      );
    }
    return table.get(letter) as A;
  };
}

/** The value of a letter in a box, `null` where it stands for none: a function may know only some letters. */
function valueIfAny<A>(valueFor: (letter: string) => A, letter: string): { readonly value: A } | null {
  try {
    return { value: valueFor(letter) };
  } catch {
    return null;
  }
}

function topicMarbles<A>(
  topic: Topic<A>,
  valueFor: (letter: string) => A,
  letterOf: (value: A) => string | null,
): TopicMarbles {
  return {
    name: topic.name,
    partitions: topic.partitions,
    keyOf: (letter) => {
      const value = valueFor(letter);
      return topic.key === null ? null : topic.key(value);
    },
    open: async (app) => producerOf(await app.producer(topic), valueFor),
    read: async (app) => {
      const records = await lastValueFrom(app.observe(topic, { from: "start", untilEnd: true }).pipe(toArray()));
      return records.map(({ partition, offset, key, value }) => {
        const symbol = letterOf(value) ?? UNKNOWN;
        // An offset begins with the time of the append.
        const atMs = Number.parseInt(offset, 10);
        return { partition, atMs, key, symbol: isSign(symbol) ? symbol : UNKNOWN, value };
      });
    },
  };
}

function producerOf<A>(producer: Producer<A>, valueFor: (letter: string) => A): MarbleProducer {
  return {
    send: async (letter) => {
      await producer.send(valueFor(letter));
    },
    end: () => producer.end(),
  };
}
