import { json, map, type Pipeline, pipeline, sink, stream, topic } from "@millrace/core";
import * as t from "io-ts";
import * as rx from "rxjs";
import { expect } from "vitest";
import { type Bench, bench, items, rejection, sequence } from "./bench-top.ts";
import { faultyAdapter } from "./faulty-adapter.ts";

/** What an operator under test makes of the numbers 0, 1, 2, … */
export type Op = rx.OperatorFunction<number, unknown>;

const source = items("source", { partitions: 1 });
const texts = topic("texts", { codec: json(t.type({ text: t.string })), key: null, partitions: 1 });

/** Values as they are compared: of every kind, `undefined` included. */
function textOf(value: unknown): string {
  return JSON.stringify(value) ?? "undefined";
}

/** A pipeline of one operator; `seen` is called in front of it. */
export function planOf(op: Op, seen: (n: number) => void = () => {}): Pipeline {
  const asText = map((value: unknown) => ({ text: textOf(value) }));
  const numbers = map(({ n }: { readonly n: number }) => {
    seen(n);
    return n;
  });
  return pipeline("copy", stream(source).pipe(numbers, op, asText, sink(texts)));
}

/** What RxJS alone makes of the numbers from `from` to in front of `to`, pushed one by one. */
export function plain(op: Op, from: number, to: number, isEnded = true): readonly string[] {
  const values: string[] = [];
  const numbers = new rx.Subject<number>();
  let failure: { readonly error: unknown } | null = null;
  const subscription = numbers.pipe(op).subscribe({
    next: (value) => values.push(textOf(value)),
    error: (error: unknown) => {
      failure = { error };
    },
  });
  for (let n = from; n < to; n++) {
    numbers.next(n);
  }
  if (isEnded) {
    numbers.complete();
  }
  subscription.unsubscribe();
  if (failure !== null) {
    throw (failure as { readonly error: unknown }).error;
  }
  return values;
}

/** How many records the commits so far have acknowledged. */
export function acknowledged({ events }: Bench): number {
  return events.reduce((sum, event) => sum + (event._tag === "Committed" ? event.records : 0), 0);
}

/** Sends the numbers from `from` to in front of `to`. */
export async function sendNumbers(top: Bench, from: number, to: number, isEnd: boolean): Promise<void> {
  await top.send(source, sequence(to, 1).slice(from), { end: isEnd });
}

/** What has been written. */
export async function written(top: Bench): Promise<readonly string[]> {
  return (await top.read(texts)).map(({ value }) => value.text);
}

/** What the operator writes for `count` numbers, without any incident. */
export async function valuesOf(op: Op, count: number): Promise<readonly string[]> {
  const top = bench();
  await sendNumbers(top, 0, count, true);
  await top.complete(top.app(), planOf(op));
  return written(top);
}

/** How a worker ends: when nothing more can be committed, or while it pushes a record. */
export type Incident = "crash" | "stop" | "crash amid the push";

/**
 * Has a worker process the first `at` of `count` numbers until nothing more can be committed, ends it then or in the next
 * push, and has another one do the rest. `acknowledged`: how far the first one's commits went.
 */
export async function restartedAt(
  op: Op,
  at: number,
  { count, by }: { readonly count: number; readonly by: Incident },
): Promise<{ readonly values: readonly string[]; readonly acknowledged: number }> {
  const top = bench();
  const member = { session: "1 s" } as const;
  await sendNumbers(top, 0, at, false);
  const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
  const seen = (n: number): void => {
    if (n === at && by === "crash amid the push") {
      adapter.crash();
    }
  };
  const first = await top.settle(top.app("app", { adapter, member }).run(planOf(op, seen)));
  await top.clock.advance(500);
  if (by === "crash amid the push") {
    await sendNumbers(top, at, count, true);
    await top.clock.advance(500);
    adapter.crash();
  } else if (by === "crash") {
    adapter.crash();
  } else {
    await top.settle(first.stop());
  }
  const done = acknowledged(top);
  if (by !== "crash amid the push") {
    await sendNumbers(top, at, count, true);
  }
  await top.complete(top.app("app", { member }), planOf(op));
  return { values: await written(top), acknowledged: done };
}

/** What a refusal has left behind. */
interface Refusal {
  readonly message: string;
  readonly acknowledged: number;
  readonly values: readonly string[];
}

/**
 * Runs a pipeline that is to stop with `NativeOperatorError`; the operator is called "strange". Checks that whoever runs a
 * repaired pipeline finds every record that was not acknowledged. `meanwhile` is called when the records are processed as
 * far as possible.
 */
export async function refusalOf(
  op: Op,
  options: { readonly count?: number; readonly isEnded?: boolean; readonly meanwhile?: () => void } = {},
): Promise<Refusal> {
  const { count = 10, isEnded = true, meanwhile = () => {} } = options;
  const top = bench();
  await sendNumbers(top, 0, count, isEnded);
  const error = await top.settle(rejection(runUntilDone(top, op, meanwhile)));
  const told = (error as { readonly cause?: unknown }).cause;
  const refused = tagOf(error) === "NativeOperatorError" ? error : told;
  expect(tagOf(refused)).toBe("NativeOperatorError");
  expect((refused as Error).message).toContain("strange");
  const done = { acknowledged: acknowledged(top), values: await written(top) };

  if (!isEnded) {
    await sendNumbers(top, count, count, true);
  }
  await top.complete(
    top.app(),
    planOf((numbers) => numbers.pipe(map((n) => ({ n })))),
  );
  const rest = (await written(top)).slice(done.values.length);
  expect(rest).toEqual(Array.from({ length: count - done.acknowledged }, (_, i) => `{"n":${done.acknowledged + i}}`));
  return { message: (refused as Error).message, ...done };
}

async function runUntilDone(top: Bench, op: Op, meanwhile: () => void): Promise<void> {
  const running = await top.app().run(planOf(op));
  // Further calls only queue behind the moves of time that are under way.
  await top.clock.advance(500);
  meanwhile();
  await running.done;
}

function tagOf(error: unknown): unknown {
  return (error as { readonly _tag?: unknown } | null)?._tag;
}
