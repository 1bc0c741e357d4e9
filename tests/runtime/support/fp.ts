import { type Pipeline, pipeline, type StreamRecord, sink, stream, type Topic } from "@millrace/core";
import { type MapOrderedTEOptions, mapOrderedTE } from "@millrace/core/fp";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { firstValueFrom, take, toArray } from "rxjs";
import { type Bench, type Item, items, sequence } from "./bench-top.ts";

export const source: Topic<Item> = items("source", { partitions: 1 });
export const copy: Topic<Item> = items("copy", { partitions: 1 });

/** What the functions of these tests answer; the text is a payload that nobody is to see. */
export interface Refused {
  readonly _tag: "Refused";
  readonly n: number;
  readonly secret: string;
}
export interface Busy {
  readonly _tag: "Busy";
}
/** A refusal of an item. */
export const refused = (n: number): Refused => ({ _tag: "Refused", n, secret: "secret payload" });

/** The numbers of the test's items without some. */
export function numbersBut(count: number, ...left: readonly number[]): number[] {
  return sequence(count).flatMap(({ n }) => (left.includes(n) ? [] : [n]));
}

export type Answer = (item: Item, attempt: number) => TE.TaskEither<Refused | Busy, Item>;

export function planOf(answer: Answer, options: MapOrderedTEOptions<Item, Refused | Busy> = {}): Pipeline {
  return pipeline(
    "copy",
    stream(source).pipe(
      mapOrderedTE((item, _record, { attempt }) => answer(item, attempt), options),
      sink(copy),
    ),
  );
}

export async function written(top: Bench): Promise<number[]> {
  return (await top.read(copy)).map(({ value }) => value.n);
}

/** The first `count` letters in a dead-letter topic, with what redriving knows of them. */
export async function letters(
  top: Bench,
  topic: Topic<Item>,
  count: number,
): Promise<readonly [StreamRecord<Item>, Letter][]> {
  const found = top.app("reader").observe(topic, { from: "start" }).pipe(take(count), toArray());
  return (await top.settle(firstValueFrom(found))).map((record) => [
    record,
    JSON.parse(record.headers["millrace.dead-letter"] ?? "") as Letter,
  ]);
}
export interface Letter {
  readonly node: string;
  readonly attempts: number;
  readonly isParked: boolean;
  readonly errors: readonly { readonly name: string; readonly message: string }[];
}
