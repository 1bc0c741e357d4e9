/** How operators are linked where they run on an ordinary Observable: as those of RxJS are. */
import { filter, flatMap, map, tap } from "@millrace/core";
import { concat, NEVER, Observable, type OperatorFunction, of, pipe, range, map as rxMap, Subject, take } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";

const chains: readonly (readonly [name: string, chain: OperatorFunction<number, number>])[] = [
  ["one operator", map((n: number) => n + 1)],
  [
    "several",
    pipe(
      tap(() => {}),
      map((n: number) => n + 1),
      filter((n) => n > 0),
    ),
  ],
  [
    "several, with one of RxJS between them",
    pipe(
      tap(() => {}),
      rxMap((n: number) => n + 1),
      filter((n) => n > 0),
    ),
  ],
];

describe.each(chains)("%s", (_name, chain) => {
  it("listens no more to a source that emits at once when those behind it have enough", () => {
    let emitted = 0;
    const source = range(0, 1_000).pipe(
      rxMap((n) => {
        emitted += 1;
        return n;
      }),
    );
    const { values, end } = collect(source.pipe(chain, take(2)));
    expect([values, end, emitted]).toEqual([[1, 2], "completed", 2]);
  });

  it("lets go of its source when nobody listens any more", () => {
    const source = new Subject<number>();
    const subscription = source.pipe(chain).subscribe();
    expect(source.observed).toBe(true);
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it("lets go of its source when that has completed or failed, once", () => {
    let torn = 0;
    const ended = (end: "complete" | "error"): Observable<number> =>
      new Observable((to) => {
        to.add(() => {
          torn += 1;
        });
        to.next(1);
        to[end]("gone");
        to.next(2);
      });
    expect(collect(ended("complete").pipe(chain))).toMatchObject({ values: [2], end: "completed" });
    expect(torn).toBe(1);
    expect(collect(ended("error").pipe(chain)).values).toEqual([2]);
    expect(torn).toBe(2);
  });
});

it("values of one that becomes many reach nobody behind one that has failed", () => {
  const seen: number[] = [];
  const failing = map((n: number) => {
    if (n === 2) {
      throw new RangeError("two");
    }
    return n;
  });
  const results = collect(
    concat(of([1, 2, 3]), NEVER).pipe(
      flatMap((list) => list),
      tap((n) => void seen.push(n)),
      failing,
    ),
  );
  expect(results.values).toEqual([1]);
  expect(seen).toEqual([1, 2]);
});
