/** What functions inside foreign operators throw: it fails its record, and never the process. */
import { native } from "@millrace/core";
import * as rx from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bench, rejection } from "./support/bench-top.ts";
import { acknowledged, planOf, sendNumbers, written } from "./support/native-run.ts";

type Numbers = rx.Observable<number>;
const cause = new Error("no");
const no = (): never => {
  throw cause;
};
const noAt5 = (n: number): number => (n === 5 ? no() : n);

// RxJS throws again what nobody has caught, on a timer: in these tests that would be when timers advance.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  // Throws what they throw, and so fails the test.
  vi.runAllTimers();
  vi.useRealTimers();
});

async function errorOf(
  op: (numbers: Numbers) => rx.Observable<unknown>,
  isNamed = true,
): Promise<{ error: unknown; values: readonly string[]; done: number }> {
  const top = bench();
  await sendNumbers(top, 0, 10, true);
  const plan = planOf(isNamed ? native("strange", op) : op);
  const error = await top.settle(rejection(top.complete(top.app(), plan)));
  expect(rx.config.useDeprecatedSynchronousErrorHandling).toBe(false);
  return { error, values: await written(top), done: acknowledged(top) };
}

describe("a throw fails its record, as any handler's does, and those in front commit:", () => {
  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>]>([
    ["in an operator's function", rx.map(noAt5)],
    [
      "behind other operators",
      rx.pipe(
        rx.filter(() => true),
        rx.map(noAt5),
        rx.tap(() => {}),
      ),
    ],
    ["in a flattened Observable", rx.mergeMap((n) => rx.of(n).pipe(rx.map(noAt5)))],
    [
      "behind values that the record has yielded already",
      rx.concatMap((n) =>
        n === 5
          ? rx.concat(
              rx.of(n),
              rx.throwError(() => cause),
            )
          : rx.of(n),
      ),
    ],
    [
      "in an observer's next",
      (numbers) => new rx.Observable((to) => numbers.subscribe({ next: (n) => to.next(noAt5(n)) })),
    ],
    [
      "in a next that is a function",
      (numbers) => new rx.Observable((to) => numbers.subscribe((n) => to.next(noAt5(n)))),
    ],
    [
      "in front of an observer without error",
      (numbers) => new rx.Observable((to) => numbers.pipe(rx.map(noAt5)).subscribe((n) => to.next(n))),
    ],
    [
      "in an observer's error",
      (numbers) =>
        new rx.Observable((to) => numbers.pipe(rx.map(noAt5)).subscribe({ next: (n) => to.next(n), error: no })),
    ],
    [
      "in an observer of a Subject that the operator feeds",
      (numbers) => {
        const fed = new rx.Subject<number>();
        fed.subscribe(noAt5);
        return numbers.pipe(rx.tap(fed));
      },
    ],
  ])("%s", async (_name, op) => {
    const { error, values, done } = await errorOf(op);
    expect(error).toMatchObject({
      _tag: "HandlerError",
      node: "native strange behind source",
      at: { topic: "source" },
    });
    expect((error as { readonly cause: unknown }).cause).toBe(cause);
    expect([done, values]).toEqual([5, ["0", "1", "2", "3", "4"]]);
  });

  it("and the operator behind it in the plan is not blamed", async () => {
    const front = (numbers: Numbers): Numbers => new rx.Observable((to) => numbers.subscribe((n) => to.next(n)));
    const back = (numbers: Numbers): Numbers => new rx.Observable((to) => numbers.subscribe((n) => to.next(noAt5(n))));
    const { error } = await errorOf(rx.pipe(native("front", front), native("back", back)), false);
    expect(error).toMatchObject({ node: "native back behind source" });
  });
});

describe("a throw at the end of the input fails the task:", () => {
  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>]>([
    [
      "in an observer's complete",
      (numbers) => new rx.Observable((to) => numbers.subscribe({ next: (n) => to.next(n), complete: no })),
    ],
    [
      "by an operator that misses something",
      (numbers) =>
        numbers.pipe(
          rx.filter((n) => n > 10),
          rx.throwIfEmpty(() => cause),
        ),
    ],
    ["in a finalizer", rx.finalize(no)],
  ])("%s", async (_name, op) => {
    const { error } = await errorOf(op);
    expect(error).toMatchObject({ _tag: "HandlerError", node: "native strange behind source", at: null });
  });
});

describe("a throw when the operator is subscribed stops the task before the first record:", () => {
  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>]>([
    ["in the operator", no],
    ["in an Observable's own function", () => new rx.Observable(no)],
    ["in defer", () => rx.defer(no)],
    [
      "in an observer of another source",
      (numbers) => new rx.Observable((to) => rx.of(1).subscribe(no).add(numbers.subscribe(to))),
    ],
    ["by an Observable that fails at once", () => rx.throwError(() => cause)],
  ])("%s", async (_name, op) => {
    const { error, values, done } = await errorOf(op);
    expect(error).toMatchObject({ _tag: "NativeOperatorError", cause });
    expect(String(error)).toMatch(/strange.*failed when it was subscribed/);
    expect([done, values]).toEqual([0, []]);
  });
});

it("a finalizer that throws when a task is stopped hinders nobody", async () => {
  const top = bench();
  await sendNumbers(top, 0, 3, false);
  const running = await top.settle(top.app().run(planOf(native("strange", rx.finalize(no)))));
  await top.clock.advance(500);
  await top.settle(running.stop());
  expect([acknowledged(top), await written(top)]).toEqual([3, ["0", "1", "2"]]);
});
