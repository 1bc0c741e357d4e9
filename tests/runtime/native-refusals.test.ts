/** What a foreign operator may do that a task cannot acknowledge: the task stops, says why, and commits nothing by guesswork. */
import { native } from "@millrace/core";
import * as rx from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bench, rejection } from "./support/bench-top.ts";
import { type Op, planOf, refusalOf, sendNumbers, valuesOf, written } from "./support/native-run.ts";

type Numbers = rx.Observable<number>;

// RxJS's timers, promises of the test included; the rest runs by the virtual clock.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const strange = (op: (numbers: Numbers) => rx.Observable<unknown>, options = {}): Op => native("strange", op, options);
/** A cache: a hit answers at once, a miss (4 and above) later. */
const cached = (n: number): rx.ObservableInput<number> => (n < 4 ? [n] : Promise.resolve(n));
/** An operator as people write them, with an observer of its own. */
const handWritten = (numbers: Numbers): Numbers =>
  new rx.Observable((to) =>
    numbers.subscribe({
      next: (n) => to.next(n),
      error: (error: unknown) => to.error(error),
      complete: () => to.complete(),
    }),
  );

describe("a cache hit is acknowledged, and a miss stops the task before it could be:", () => {
  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>]>([
    ["mergeMap", rx.mergeMap(cached)],
    ["concatMap", rx.concatMap(cached)],
    ["switchMap", rx.switchMap(cached)],
    ["exhaustMap", rx.exhaustMap(cached)],
    [
      "in front of other operators",
      rx.pipe(
        rx.mergeMap(cached),
        rx.map((n) => n),
        rx.filter(() => true),
      ),
    ],
    ["in front of share", rx.pipe(rx.mergeMap(cached), rx.share())],
    ["in an Observable that is flattened", rx.mergeMap((n) => rx.of(n).pipe(rx.mergeMap(cached)))],
    [
      "in one branch of merge",
      (numbers) => rx.merge(numbers.pipe(rx.mergeMap(cached)), numbers.pipe(rx.ignoreElements())),
    ],
    [
      "behind merge",
      (numbers) =>
        rx.merge(numbers, rx.NEVER).pipe(
          rx.mergeMap(cached),
          rx.map((n) => n),
        ),
    ],
    [
      "in defer",
      (numbers) =>
        rx.defer(() =>
          numbers.pipe(
            rx.mergeMap(cached),
            rx.map((n) => n),
          ),
        ),
    ],
    [
      "in connect",
      rx.connect((numbers) =>
        numbers.pipe(
          rx.mergeMap(cached),
          rx.map((n) => n),
        ),
      ),
    ],
    [
      "behind an operator of the user",
      (numbers) =>
        handWritten(numbers).pipe(
          rx.mergeMap(cached),
          rx.map((n) => n),
        ),
    ],
    ["in front of an operator of the user", (numbers) => handWritten(numbers.pipe(rx.mergeMap(cached)))],
    [
      "while another branch ends",
      (numbers) => rx.merge(numbers.pipe(rx.mergeMap(cached)), numbers.pipe(rx.take(5), rx.ignoreElements())),
    ],
  ])("%s", async (_name, op) => {
    const { message, acknowledged: done, values } = await refusalOf(strange(op));
    expect(message).toMatch(/works on behind the push.*use mapOrdered.*offset/);
    expect([done, values]).toEqual([4, ["0", "1", "2", "3"]]);
  });

  it("in a group, where the group itself has no need of sync", async () => {
    const inGroup = rx.pipe(
      rx.groupBy((n: number) => n % 2),
      rx.mergeMap((group) => group.pipe(rx.mergeMap(cached))),
    );
    expect(await refusalOf(strange(inGroup))).toMatchObject({ acknowledged: 0, values: [] });
  });
});

describe("what other Observables do inside is no work of the push:", () => {
  it("withLatestFrom of something that is under way all the time", async () => {
    const setting$ = rx.timer(0, 5).pipe(rx.switchMap((n) => rx.timer(3).pipe(rx.map(() => n))));
    const top = bench();
    const latest = strange(rx.withLatestFrom(rx.merge(rx.of(-1), setting$)));
    const running = await top.settle(top.app().run(planOf(latest)));
    for (let n = 0; n < 4; n++) {
      vi.advanceTimersByTime(4);
      await sendNumbers(top, n, n + 1, n === 3);
      await top.clock.advance(500);
    }
    await top.settle(running.done);
    expect(await written(top)).toEqual(["[0,-1]", "[1,0]", "[2,1]", "[3,1]"]);
  });

  it("a scheduler that runs what it is given at once", async () => {
    expect(await valuesOf(rx.observeOn(rx.queueScheduler), 3)).toEqual(["0", "1", "2"]);
  });
});

describe("an operator that does not listen to each record stops the task:", () => {
  const failing = rx.map((n: number) => {
    if (n === 5) {
      throw new Error("no");
    }
    return n;
  });
  const upTo5 = { acknowledged: 5, values: ["0", "1", "2", "3", "4"] };

  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>, RegExp]>([
    ["retry", rx.pipe(failing, rx.retry()), /subscribed to its input once more/],
    [
      "catchError that goes on",
      rx.pipe(
        failing,
        rx.catchError((_, again) => again),
      ),
      /subscribed to its input once more/,
    ],
    [
      "catchError with a value",
      rx.pipe(
        failing,
        rx.catchError(() => rx.of(-1)),
      ),
      /completed/,
    ],
    [
      "catchError with silence",
      rx.pipe(
        failing,
        rx.catchError(() => rx.NEVER),
      ),
      /does not listen to its input/,
    ],
    ["onErrorResumeNextWith", rx.pipe(failing, rx.onErrorResumeNextWith(rx.NEVER)), /does not listen to its input/],
    [
      "takeWhile and silence",
      (numbers) => rx.concat(numbers.pipe(rx.takeWhile((n) => n < 5)), rx.NEVER),
      /does not listen to its input/,
    ],
    [
      "takeWhile and again",
      (numbers) => rx.concat(numbers.pipe(rx.takeWhile((n) => n < 5)), numbers),
      /subscribed to its input once more/,
    ],
    [
      "one that unsubscribes by itself",
      (numbers) =>
        new rx.Observable((to) => {
          const all = numbers.subscribe((n) => (n === 5 ? all.unsubscribe() : to.next(n)));
          return all;
        }),
      /does not listen to its input/,
    ],
  ])("%s", async (_name, op, reason) => {
    const { message, ...rest } = await refusalOf(strange(op));
    expect(message).toMatch(reason);
    expect(rest).toEqual(upTo5);
  });

  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>, RegExp]>([
    ["repeat, at the end", rx.repeat(), /subscribed to its input once more/],
    ["repeat with a pause, at the end", rx.repeat({ delay: 1 }), /works on behind the push/],
    ["a later source, at the end", (numbers) => rx.concat(numbers, rx.timer(1)), /works on behind the push/],
    ["an Observable, at the end", (numbers) => rx.concat(numbers, rx.of(rx.of(-1))), /emitted an Observable/],
    ["endWith", rx.endWith(-1), /at the end of its input, where it held no record/],
    ["bufferCount that overlaps, at the end", rx.bufferCount(2, 1), /at the end of its input, where it held no record/],
  ])("%s", async (_name, op, reason) => {
    expect((await refusalOf(strange(op))).message).toMatch(reason);
  });

  it("one that begins to listen later", async () => {
    const later = (numbers: Numbers): Numbers =>
      new rx.Observable((to) => void Promise.resolve().then(() => numbers.subscribe(to)));
    expect(await refusalOf(strange(later))).toMatchObject({ acknowledged: 0, values: [] });
  });

  it("one that takes another source where its own has not come first", async () => {
    const race = strange(rx.raceWith(rx.timer(1).pipe(rx.concatWith(rx.NEVER))));
    const top = bench();
    const running = await top.settle(top.app().run(planOf(race)));
    await top.clock.advance(500);
    vi.advanceTimersByTime(5);
    const error = await top.settle(rejection(running.done));
    expect(error).toMatchObject({
      _tag: "NativeOperatorError",
      message: expect.stringMatching(/while no record was pushed/),
    });
  });
});

describe("what comes at another time than beneath a record stops the task:", () => {
  const waiting = { isEnded: false, meanwhile: () => void vi.advanceTimersByTime(10) };

  it.each<[string, (numbers: Numbers) => rx.Observable<unknown>]>([
    ["a value", (numbers) => rx.merge(numbers.pipe(rx.ignoreElements()), rx.interval(1))],
    ["sampleTime", rx.sampleTime(1)],
    ["bufferTime", rx.bufferTime(1)],
    ["buffer", rx.buffer(rx.interval(1))],
  ])("%s", async (_name, op) => {
    const { message, ...rest } = await refusalOf(strange(op), waiting);
    expect(message).toMatch(/emitted while no record was pushed/);
    expect(rest).toEqual({ acknowledged: 0, values: [] });
  });

  it("the end", async () => {
    const { message } = await refusalOf(strange(rx.takeUntil(rx.timer(1))), waiting);
    expect(message).toMatch(/completed/);
  });

  it("another subscription", async () => {
    const again = (numbers: Numbers): Numbers => rx.merge(numbers, rx.timer(1).pipe(rx.mergeMap(() => numbers)));
    expect((await refusalOf(strange(again), waiting)).message).toMatch(/subscribed to its input once more/);
  });

  it("a failure", async () => {
    const cause = new Error("no");
    const failing = (numbers: Numbers): Numbers =>
      rx.merge(numbers, rx.timer(1).pipe(rx.mergeMap(() => rx.throwError(() => cause))));
    const top = bench();
    const running = await top.settle(top.app().run(planOf(strange(failing))));
    await top.clock.advance(500);
    vi.advanceTimersByTime(5);
    const error = await top.settle(rejection(running.done));
    expect(error).toMatchObject({ _tag: "NativeOperatorError", cause });
    expect(String(error)).toMatch(/strange.*failed while no record was pushed/);
  });
});

describe("the number of values is bounded:", () => {
  it("1,000 for one record are few enough", async () => {
    expect(
      await valuesOf(
        rx.mergeMap(() => rx.range(0, 1_000)),
        1,
      ),
    ).toHaveLength(1_000);
  });

  it("more stop the task, also where there would be no end", async () => {
    function* forever(n: number): Generator<number> {
      for (;;) {
        yield n;
      }
    }
    const endless = rx.mergeMap((n: number) => (n < 3 ? rx.of(n) : forever(n)));
    const { message, ...rest } = await refusalOf(strange(endless));
    expect(message).toMatch(/more than 1000 values for one record/);
    expect(rest).toEqual({ acknowledged: 3, values: ["0", "1", "2"] });
  });

  it("256 records may be held, one more stops the task", async () => {
    const last = rx.takeLast<number>(1);
    expect(await valuesOf(last, 256)).toEqual(["255"]);
    const { message, ...rest } = await refusalOf(strange(last), { count: 257 });
    expect(message).toMatch(/yielded nothing for 256 records.*stateless.*window/);
    expect(rest).toEqual({ acknowledged: 0, values: [] });
  });
});
