/** The fp door in running pipelines: Lefts and defects that are repeated. */
import { pipeline, sink, stream } from "@millrace/core";
import { type MapOrderedTEOptions, mapOrderedTE } from "@millrace/core/fp";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, sequence } from "./support/bench-top.ts";
import {
  type Answer,
  type Busy,
  copy,
  numbersBut,
  planOf,
  type Refused,
  refused,
  source,
  written,
} from "./support/fp.ts";
import { pick } from "./support/workers.ts";

describe("a Left that is to be repeated", () => {
  const busyUntil =
    (attempts: number): Answer =>
    (item, attempt) =>
      item.n === 5 && attempt < attempts ? TE.left({ _tag: "Busy" }) : TE.right(item);
  const retry = { attempts: 4, backoff: "1 s" } as const;

  it.each<[string, MapOrderedTEOptions<Item, Refused | Busy>]>([
    ["a literal", { retry, onLeft: "retry" }],
    ["a function", { retry, onLeft: (left) => (left._tag === "Busy" ? "retry" : "fail") }],
  ])("(by %s) is, in its place, with pauses", async (_how, options) => {
    const top = bench();
    await top.send(source, sequence(20));
    await top.complete(top.app(), planOf(busyUntil(4), options));
    expect(await written(top)).toEqual(numbersBut(20));
    expect(pick(top.events, "Retried").map(({ attempt }) => attempt)).toEqual([2, 3, 4]);
  });

  it("is decided about by onExhausted when the attempts are used up", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const seen: number[] = [];
    const answer: Answer = (item, attempt) => {
      seen.push(...(item.n === 5 ? [attempt] : []));
      return busyUntil(99)(item, attempt);
    };
    await top.complete(top.app(), planOf(answer, { retry, onLeft: "retry", onExhausted: "skip" }));
    expect(await written(top)).toEqual(numbersBut(20, 5));
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(pick(top.events, "Skipped")).toMatchObject([{ error: { left: { _tag: "Busy" } } }]);
  });

  it("fails the task when the attempts are used up and nothing else is said", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    let calls = 0;
    const answer: Answer = (item) => {
      calls += item.n === 5 ? 1 : 0;
      return item.n === 5 && calls <= 4 ? TE.left({ _tag: "Busy" }) : TE.right(item);
    };
    const running = await top.settle(top.app("app", { restart: {} }).run(planOf(answer, { retry, onLeft: "retry" })));
    await top.settle(running.done);
    expect(pick(top.events, "Restarting")).toMatchObject([{ error: { cause: { left: { _tag: "Busy" } } } }]);
    expect(calls).toBe(5);
    expect(await written(top)).toEqual(numbersBut(20));
  });

  it("may be another one at each attempt: the last one counts", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const answer: Answer = (item, attempt) =>
      item.n === 5 ? TE.left(attempt < 3 ? { _tag: "Busy" } : refused(5)) : TE.right(item);
    const onLeft = (left: Refused | Busy): "retry" | "skip" => (left._tag === "Busy" ? "retry" : "skip");
    await top.complete(top.app(), planOf(answer, { retry, onLeft, onExhausted: "fail" }));
    expect(await written(top)).toEqual(numbersBut(20, 5));
    expect(pick(top.events, "Retried")).toHaveLength(2);
    expect(pick(top.events, "Skipped")).toMatchObject([{ error: { left: { _tag: "Refused" } } }]);
  });

  it.each<[string, ((defect: unknown) => boolean) | undefined, number]>([
    ["not repeated by default", undefined, 1],
    ["repeated where retry.when says so", (defect) => defect instanceof RangeError, 4],
  ])("is no defect: those are %s", async (_what, when, calls) => {
    const top = bench();
    await top.send(source, sequence(20));
    let called = 0;
    const answer: Answer = (item) => () => {
      called += item.n === 5 ? 1 : 0;
      return item.n === 5 ? Promise.reject(new RangeError("boom")) : Promise.resolve(E.right(item));
    };
    const schedule = when === undefined ? retry : { ...retry, when };
    await top.complete(top.app(), planOf(answer, { retry: schedule, onLeft: "retry", onError: "skip" }));
    expect(await written(top)).toEqual(numbersBut(20, 5));
    expect(called).toBe(calls);
  });

  it("is so too when it comes after the timeout", async () => {
    const top = bench();
    await top.send(source, sequence(10));
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        mapOrderedTE(
          (item, _record, { attempt, signal }): TE.TaskEither<Busy, Item> =>
            item.n !== 5 || attempt > 1
              ? TE.right(item)
              : () =>
                  new Promise((resolve) => {
                    signal.addEventListener("abort", () => resolve(E.left({ _tag: "Busy" })), { once: true });
                  }),
          { timeout: "2 s", retry, onLeft: "retry" },
        ),
        sink(copy),
      ),
    );
    await top.complete(top.app(), plan);
    expect(await written(top)).toEqual(numbersBut(10));
    expect(pick(top.events, "Retried").map(({ attempt }) => attempt)).toEqual([2]);
  });
});
