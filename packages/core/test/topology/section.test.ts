import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { type Fault, type Outcome, Section } from "../../src/topology/section.ts";

type Apply = rx.OperatorFunction<number, unknown>;

function sectionOf(apply: Apply, sync = false): { section: Section; started: Outcome; strays: Fault[] } {
  const strays: Fault[] = [];
  const section = new Section({ sync, strayed: (fault) => strays.push(fault) });
  return { section, started: section.start(apply), strays };
}

describe("a section", () => {
  it("hands over what came out of each push, and of the end", () => {
    const { section, started } = sectionOf(rx.bufferCount(2));
    expect(started).toEqual({ values: [], fault: null });
    expect([1, 2, 3].map((n) => section.push(n).values)).toEqual([[], [[1, 2]], []]);
    expect(section.end()).toEqual({ values: [[3]], fault: null });
  });

  it("tells what came out although it fails", () => {
    const cause = new Error("no");
    const { section } = sectionOf(
      rx.concatMap((n) =>
        rx.concat(
          rx.of(n),
          rx.throwError(() => cause),
        ),
      ),
    );
    expect(section.push(1)).toEqual({ values: [1], fault: { kind: "threw", error: cause } });
  });

  it("tells of values at the start", () => {
    expect(sectionOf(rx.startWith(1, 2)).started).toEqual({ values: [1, 2], fault: null });
  });

  it("tells of what happens between pushes, and of nothing when it is stopped", () => {
    const other = new rx.Subject<number>();
    const { section, strays } = sectionOf((numbers) => rx.merge(numbers, other));
    other.next(1);
    expect(strays).toEqual([{ kind: "stray" }]);
    section.stop();
    other.next(2);
    expect(strays).toHaveLength(1);
    expect(other.observed).toBe(false);
  });

  it("sees what observers throw, also behind operators that throw when they start and when they end", () => {
    const no = (): never => {
      throw new Error("no");
    };
    const throwing: readonly Apply[] = [
      no,
      () => rx.EMPTY.pipe(rx.finalize(no)),
      () => rx.of(1).pipe(rx.finalize(no)),
      () =>
        new rx.Observable((to) => {
          to.complete();
          return no;
        }),
    ];
    for (const apply of throwing) {
      const { section, started } = sectionOf(apply);
      expect(started.fault).not.toBeNull();
      expect(() => section.stop()).not.toThrow();
      const { section: next } = sectionOf((numbers) => new rx.Observable(() => numbers.subscribe(no)));
      expect(next.push(1).fault).toMatchObject({ kind: "threw" });
    }
  });

  it("sets what it changes in RxJS back, whatever it was", () => {
    for (const before of [false, true]) {
      rx.config.useDeprecatedSynchronousErrorHandling = before;
      const seen: boolean[] = [];
      const { section } = sectionOf(rx.tap(() => seen.push(rx.config.useDeprecatedSynchronousErrorHandling)));
      section.push(1);
      expect([seen, rx.config.useDeprecatedSynchronousErrorHandling]).toEqual([[true], before]);
    }
    rx.config.useDeprecatedSynchronousErrorHandling = false;
  });
});

describe("work that goes on behind a push is seen", () => {
  const faultOf = (apply: Apply, sync = false): unknown => {
    const { section } = sectionOf(apply, sync);
    try {
      return section.push(1).fault?.kind ?? null;
    } finally {
      section.stop();
    }
  };

  it.each<[string, Apply]>([
    ["an inner subscription", rx.mergeMap(() => rx.NEVER)],
    ["a timer", rx.debounceTime(1_000)],
    [
      "a subscription deep inside",
      rx.mergeMap(() => rx.of(1).pipe(rx.mergeMap(() => rx.of(1).pipe(rx.mergeMap(() => rx.NEVER))))),
    ],
    [
      "one in front of what hides it",
      rx.pipe(
        rx.mergeMap(() => rx.NEVER),
        rx.share(),
        rx.share(),
      ),
    ],
    ["a function that ends it", (numbers) => new rx.Observable((to) => numbers.subscribe(() => to.add(() => {})))],
  ])("%s", (_name, apply) => {
    expect(faultOf(apply)).toBe("working");
    expect(faultOf(apply, true)).toBeNull();
  });

  // RxJS keeps what is subscribed in a private field: were it called otherwise, nothing would be seen.
  it("by a field of RxJS that has not changed its name", () => {
    const subscription = new rx.Subscription();
    const inner = new rx.Subscription();
    subscription.add(inner);
    expect(subscription).toHaveProperty("_finalizers", [inner]);
  });
});

describe("nothing is seen", () => {
  it.each<[string, Apply]>([
    ["where all is over when the push is", rx.mergeMap((n) => rx.of(n, n).pipe(rx.delayWhen(() => rx.of(1))))],
    ["of what was subscribed when the operator started", rx.withLatestFrom(rx.concat(rx.of(1), rx.NEVER))],
    ["of inner Observables that take each other's place", rx.switchMap((n) => rx.of(n))],
  ])("%s", (_name, apply) => {
    const { section } = sectionOf(apply);
    expect([1, 2, 3].map((n) => section.push(n).fault)).toEqual([null, null, null]);
    section.stop();
  });

  it("of what another source has begun between pushes", () => {
    const other = new rx.Subject<number>();
    const { section } = sectionOf(
      rx.withLatestFrom(
        other.pipe(
          rx.switchMap(() => rx.NEVER),
          rx.startWith(0),
        ),
      ),
    );
    expect(section.push(1)).toEqual({ values: [[1, 0]], fault: null });
    other.next(1);
    expect(section.push(2)).toEqual({ values: [[2, 0]], fault: null });
    section.stop();
  });
});
