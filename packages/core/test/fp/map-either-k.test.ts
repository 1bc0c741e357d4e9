import { around, asRecords, MillraceError, map } from "@millrace/core";
import { LeftError, type MapEitherKOptions, mapEitherK } from "@millrace/core/fp";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { from, of } from "rxjs";
import { describe, expect, it } from "vitest";
import { unfold } from "../../src/topology/operator.ts";
import { collect } from "../support/collect.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");
const half = (n: number): E.Either<{ readonly _tag: "Odd"; readonly n: number }, number> =>
  n % 2 === 0 ? E.right(n / 2) : E.left({ _tag: "Odd", n });

describe("mapEitherK on an ordinary Observable", () => {
  it("passes on what is Right, up to the first Left", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (numbers) => {
        const odd = numbers.findIndex((n) => n % 2 === 1);
        const { values, end } = collect(from(numbers).pipe(mapEitherK(half)));
        expect(values).toEqual((odd < 0 ? numbers : numbers.slice(0, odd)).map((n) => n / 2));
        expect(end === "completed").toBe(odd < 0);
      }),
    );
  });

  it("is map for a function without Lefts", () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), (values) => {
        const f = (value: unknown): string => typeof value;
        const seen = collect(from(values).pipe(mapEitherK((value) => E.right(f(value)))));
        expect(seen.values).toEqual(collect(from(values).pipe(map(f))).values);
      }),
    );
  });

  it("ends with a LeftError that carries the left, whatever onLeft says", () => {
    const { values, end } = collect(of(2, 3, 4).pipe(mapEitherK(half, { onLeft: () => "skip" })));
    expect(values).toEqual([1]);
    expect(end).toMatchObject({ error: { _tag: "LeftError", left: { _tag: "Odd", n: 3 } } });
    expect((end as { readonly error: unknown }).error).toBeInstanceOf(LeftError);
  });

  it("ends with what the function throws: that is no Left", () => {
    const throwing = (): E.Either<string, number> => {
      throw boom;
    };
    expect(collect(of(1).pipe(mapEitherK(throwing))).end).toEqual({ error: boom });
  });

  it("throws a Left as LeftError through a handler that is put around it", () => {
    const seen: unknown[] = [];
    const noted = around((next) => {
      try {
        return next();
      } catch (error) {
        seen.push(error);
        throw error;
      }
    });
    const { end } = collect(of(3).pipe(noted(mapEitherK(half))));
    expect(seen).toEqual([expect.any(LeftError)]);
    expect(end).toEqual({ error: seen[0] });
  });

  it("gives the record to the function", () => {
    const decline = (_order: Order, record: { readonly key: string }): E.Either<string, Order> => E.left(record.key);
    const { end } = collect(of(orderOf({ customer: "ann" })).pipe(asRecords(orders), mapEitherK(decline)));
    expect(end).toMatchObject({ error: { left: "ann" } });
  });
});

describe("mapEitherK in a plan", () => {
  it("is the map of the plain door, with the name of the user's function", () => {
    expect(unfold(mapEitherK(half))).toMatchObject([{ kind: "map", detail: "half", name: null, failure: null }]);
  });

  it("has a policy, a name and dead letters where it is told", () => {
    const options = { onLeft: "deadLetter", name: "halve", deadLetters: { topic: "odd" } } as const;
    expect(unfold(mapEitherK(half, options))).toMatchObject([{ name: "halve", failure: { topic: "odd" } }]);
  });

  it.each<[string, object, RegExp]>([
    ["an onLeft that is no decision", { onLeft: "ignore" }, /^mapEitherK: onLeft must be .*, not "ignore"/],
    ["an onLeft that repeats", { onLeft: "retry" }, /^mapEitherK: onLeft: "retry" needs retry/],
    ["an onError that is no decision", { onError: "retry" }, /^mapEitherK: onError must be .*, not "retry"/],
    ["a name that is none", { name: "{a}" }, /"\{a\}"/],
  ])("refuses %s", (_what, options, message) => {
    const make = (): unknown => mapEitherK(half, options as MapEitherKOptions<number, unknown>);
    expect(make).toThrow(MillraceError);
    expect(make).toThrow(message);
  });
});
