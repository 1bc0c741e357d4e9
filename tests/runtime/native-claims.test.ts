/** What is said of foreign operators, by options and in the table of the guide, and is checked no further there. */
import { native } from "@millrace/core";
import * as rx from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bench, rejection } from "./support/bench-top.ts";
import { type Op, planOf, refusalOf, valuesOf } from "./support/native-run.ts";

type Numbers = rx.Observable<number>;

// RxJS's timers; the rest runs by the virtual clock.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const strange = (op: (numbers: Numbers) => rx.Observable<unknown>, options = {}): Op => native("strange", op, options);
/** A cache: a hit answers at once, a miss (4 and above) later. */
const cached = (n: number): rx.ObservableInput<number> => (n < 4 ? [n] : Promise.resolve(n));

describe("what an operator is said to be and is not:", () => {
  it("sync, with promises: the task stops at the first late value", async () => {
    const { message } = await refusalOf(strange(rx.mergeMap(cached), { sync: true }), { isEnded: false });
    expect(message).toMatch(/emitted while no record was pushed/);
  });

  it("synchronous, where a function of the user waits by itself", async () => {
    const late = (numbers: Numbers): Numbers =>
      new rx.Observable((to) =>
        numbers.subscribe((n) => {
          if (n < 4) {
            to.next(n);
          } else {
            void Promise.resolve().then(() => to.next(n));
          }
        }),
      );
    const { message, ...rest } = await refusalOf(strange(late), { isEnded: false });
    expect(message).toMatch(/emitted while no record was pushed/);
    expect(rest).toEqual({ acknowledged: 4, values: ["0", "1", "2", "3"] });
  });

  it("sync, with a promise that is still under way at the end", async () => {
    const never = strange(
      rx.mergeMap((n) => (n < 9 ? [n] : rx.NEVER)),
      { sync: true },
    );
    expect((await refusalOf(never)).message).toMatch(/works on behind the push/);
  });

  it("stateless, with values that it has kept to the end", async () => {
    const kept = strange(rx.bufferCount(4), { stateless: true });
    expect((await refusalOf(kept)).message).toMatch(/at the end of its input, where it held no record/);
  });
});

describe("remarks of the table of operators are true:", () => {
  const windows = native(
    "strange",
    rx.pipe(
      rx.windowCount<number>(4),
      rx.mergeMap((inner) => inner.pipe(rx.toArray())),
    ),
    { sync: true },
  );

  it("windowCount with what consumes it is for small inputs", async () => {
    expect(await valuesOf(windows, 10)).toEqual(["[0,1,2,3]", "[4,5,6,7]", "[8,9]"]);
    expect((await refusalOf(windows, { count: 400 })).message).toMatch(/yielded nothing for 256 records/);
  });

  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>, RegExp]>([
    ["every completes at the first value that does not fit", rx.every((n) => n < 5), /completed/],
    ["sequenceEqual at the first that differs", rx.sequenceEqual(rx.range(0, 5)), /completed/],
    [
      "dematerialize at a notification that says so",
      rx.pipe(
        rx.map(() => ({ kind: "C" as const })),
        rx.dematerialize(),
      ),
      /completed/,
    ],
  ])("%s", async (_name, op, reason) => {
    expect((await refusalOf(strange(op))).message).toMatch(reason);
  });

  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>, RegExp]>([
    ["zipWith emits when the other does", rx.zipWith(rx.interval(1)), /emitted while no record was pushed/],
    ["raceWith may lose", (numbers) => rx.race(rx.of(-1).pipe(rx.concatWith(rx.NEVER)), numbers), /does not listen/],
  ])("%s", async (_name, op, reason) => {
    const waiting = { isEnded: false, meanwhile: () => void vi.advanceTimersByTime(10) };
    expect((await refusalOf(strange(op), waiting)).message).toMatch(reason);
  });

  it("timeout of the first value fails where nothing has come", async () => {
    const top = bench();
    const running = await top.settle(top.app().run(planOf(strange(rx.timeout({ first: 5 })))));
    await top.clock.advance(500);
    vi.advanceTimersByTime(10);
    expect(await top.settle(rejection(running.done))).toMatchObject({
      _tag: "NativeOperatorError",
      cause: { name: "TimeoutError" },
    });
  });
});
