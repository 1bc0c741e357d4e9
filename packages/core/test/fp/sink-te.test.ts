import { asRecords, MillraceError } from "@millrace/core";
import { type SinkTEOptions, sinkTE } from "@millrace/core/fp";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { of } from "rxjs";
import { describe, expect, it } from "vitest";
import { unfold } from "../../src/topology/operator.ts";
import { collect, settled } from "../support/collect.ts";
import { orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");

describe("sinkTE on an ordinary Observable", () => {
  it("passes values on when the call that got them is Right, and tells the call of their records", async () => {
    const seen: unknown[] = [];
    const [a, b] = [orderOf({ customer: "ann" }), orderOf({ customer: "bob" })];
    const results = collect(
      of(a, b).pipe(
        asRecords(orders),
        sinkTE((values, { records, attempt }) => {
          seen.push([values, records.map(({ key }) => key), attempt]);
          return TE.right(values.length);
        }),
      ),
    );
    expect(results).toMatchObject({ values: [], end: "open" });
    await settled();
    expect(results).toMatchObject({ values: [a, b], end: "completed" });
    expect(seen).toEqual([[[a, b], ["ann", "bob"], 1]]);
  });

  it("ends with a LeftError that carries the left, whatever onLeft says", async () => {
    const results = collect(of(1, 2).pipe(sinkTE(() => TE.left("no"), { onLeft: "skip" })));
    await settled();
    expect(results).toMatchObject({ values: [], end: { error: { _tag: "LeftError", left: "no" } } });
  });

  it.each<[string, () => TE.TaskEither<string, void>]>([
    ["rejects", () => () => Promise.reject(boom)],
    [
      "throws",
      () => {
        throw boom;
      },
    ],
  ])("ends with the defect of a function that %s", async (_how, f) => {
    const results = collect(of(1).pipe(sinkTE(f)));
    await settled();
    expect(results.end).toEqual({ error: boom });
  });
});

describe("sinkTE in a plan", () => {
  function insert(): TE.TaskEither<string, void> {
    return () => Promise.resolve(E.right(undefined));
  }

  it("is the sink of the plain door, with the name of the user's function", () => {
    expect(unfold(sinkTE(insert))).toMatchObject([
      { kind: "sink", detail: "insert, batches of up to 100", isEnd: true },
    ]);
  });

  it.each<[string, object, RegExp]>([
    ["repeating Lefts without a schedule", { onLeft: "retry" }, /^sinkTE: onLeft: "retry" needs retry/],
    ["a schedule by which nothing is repeated", { retry: { attempts: 2 } }, /^sinkTE: retry would repeat nothing/],
    ["what sink refuses", { maxBatch: 0 }, /maxBatch must be a whole number from 1 to 500, not 0/],
  ])("refuses %s", (_what, options, message) => {
    const make = (): unknown => sinkTE(insert, options as SinkTEOptions<unknown, unknown>);
    expect(make).toThrow(MillraceError);
    expect(make).toThrow(message);
  });
});
