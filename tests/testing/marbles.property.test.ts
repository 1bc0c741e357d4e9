import { aggregate, count, json, map, pipeline, sink, stream, topic } from "@millrace/core";
import { effectMarbles, marblesBy, marblesOf, runMarbles } from "@millrace/testing";
import { diagramsOf } from "@millrace/testing/arbitraries";
import * as fc from "fast-check";
import * as t from "io-ts";
import { skip } from "rxjs";
import { describe, expect, it } from "vitest";

const text = { codec: json(t.string), key: (letter: string) => letter.toLowerCase() };
const letters = topic("letters", text);
const copies = topic("copies", text);
const io = { column: "100 ms", owners: "asked", in: marblesOf(letters), out: marblesOf(copies) } as const;

/** Records that come while two workers crash and leave, one after the other. */
const diagrams = diagramsOf({ letters: "aAbBcC", column: "100 ms", within: "2 s", quiet: "2 s" });
const RUNS = { numRuns: Number(process.env["MILLRACE_RUNS"] ?? 25), ...seed() };

function seed(): { readonly seed?: number } {
  const given = process.env["MILLRACE_SEED"];
  return given === undefined ? {} : { seed: Number(given) };
}

describe("whoever owns the partition, and however they go", () => {
  it("what is sent comes out once, in the order of its key; side effects come at least once", async () => {
    const seen = effectMarbles(
      (letter: string) => letter,
      (letter) => letter.toLowerCase(),
    );
    const copy = pipeline(
      "copy",
      stream(letters).pipe(
        map((letter) => {
          seen.record(letter);
          return letter;
        }),
        sink(copies),
      ),
    );
    await fc.assert(
      fc.asyncProperty(diagrams, async (diagram) => {
        const run = await runMarbles(copy, diagram.text, { ...io, effects: seen });
        run.expectOut(diagram.sent).perKeyOrder();
        run.expectEffects(diagram.sent).atLeastOnce().perKeyOrder();
      }),
      RUNS,
    );
  }, 60_000);

  it("running counts are carried on", async () => {
    const numbers = topic("numbers", { codec: json(t.number), key: () => "all" });
    const counting = pipeline(
      "counting",
      stream(topic("same", { codec: json(t.string), key: () => "all" })).pipe(
        aggregate({ n: count() }),
        map(({ value }) => numbers.of(value.n)),
        sink(numbers),
      ),
    );
    const same = marblesOf(topic("same", { codec: json(t.string), key: () => "all" }));
    await fc.assert(
      fc.asyncProperty(diagrams, async (diagram) => {
        const out = marblesBy(numbers, (n) => String(n));
        const run = await runMarbles(counting, diagram.text, { ...io, in: same, out });
        run.expectOut(diagram.sent === "-" ? "-" : "123456".slice(0, diagram.sent.length)).perKeyOrder();
      }),
      RUNS,
    );
  }, 60_000);

  it("what an operator of RxJS remembers is not: the counterexample is a diagram", async () => {
    // It means to leave out the first record, and leaves out the first one of each owner.
    const headless = pipeline("headless", stream(letters).pipe(skip(1), sink(copies)));
    const small = diagramsOf({ letters: "abc", column: "200 ms", within: "1 s", quiet: "2 s" });
    const details = await fc.check(
      fc.asyncProperty(small, async (diagram) => {
        const run = await runMarbles(headless, diagram.text, { ...io, column: "200 ms" });
        run.expectOut(diagram.sent.slice(1) || "-").perKeyOrder();
      }),
      { seed: 1 },
    );
    const [found] = details.counterexample ?? [];
    // It takes three: what is left out is only committed with the next one that is not.
    expect(found?.sent).toBe("abc");
    expect(found?.text.split("\n")[1]).toMatch(/^owner p0 {4}A[- ]*(![- ]*[AB]|B)-*$/);
    expect(fc.defaultReportMessage(details)).toContain(`Counterexample: [\n${found?.text}\n]`);
    expect(details.errorInstance).toMatchObject({ _tag: "MarblesDiffer" });
  }, 60_000);
});
