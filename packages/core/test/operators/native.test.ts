import { native } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";

describe("native on an ordinary Observable", () => {
  it("is the operator that it names", () => {
    const totals = rx.of(1, 2, 3).pipe(
      native(
        "totals",
        rx.scan((total: number, n: number) => total + n, 0),
      ),
    );
    expect(collect(totals)).toMatchObject({ values: [1, 3, 6], end: "completed" });
  });

  it("may complete early there, for nothing has to be acknowledged", () => {
    const source = new rx.Subject<number>();
    const first = collect(source.pipe(native("first", rx.take(1))));
    source.next(1);
    expect(first).toMatchObject({ values: [1], end: "completed" });
    expect(source.observed).toBe(false);
  });

  it("starts anew for every subscriber", () => {
    const totals = rx.of(1, 2).pipe(
      native(
        "totals",
        rx.scan((total: number, n: number) => total + n, 0),
      ),
    );
    expect([collect(totals).values, collect(totals).values]).toEqual([
      [1, 3],
      [1, 3],
    ]);
  });
});
