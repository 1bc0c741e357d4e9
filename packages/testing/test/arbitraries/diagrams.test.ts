import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diagramsOf, type GeneratedDiagram } from "../../src/arbitraries.ts";
import { parseDiagram } from "../../src/marbles/parse.ts";

const diagrams = diagramsOf({ letters: "abcdefgh", workers: ["A", "B", "C"], column: "50 ms", within: "2 s", most: 8 });

describe("generated diagrams", () => {
  it("can be read, hold the letters in their order, and end with an owner and a quiet time", () => {
    fc.assert(
      fc.property(diagrams, ({ text, sent }) => {
        const { columns, rows } = parseDiagram(text, { topics: [] }).diagram;
        const [records, owner] = rows;
        expect(columns).toBe(40 + 60 + 10);
        expect(records?.events.map(({ symbol }) => symbol).join("") || "-").toBe(sent);
        expect("-abcdefgh").toContain(sent);
        expect(records?.events.every(({ column }) => column <= 40)).toBe(true);
        expect(owner?.events.at(-1)?.symbol).toMatch(/[ABC]/);
        expect(owner?.events.at(-1)?.column).toBeLessThanOrEqual(40 + 10);
      }),
    );
  });

  it("shrink to nothing but an owner, and are printed as they are", () => {
    const details = fc.check(
      fc.property(diagrams, () => false),
      { seed: 1 },
    );
    const found = details.counterexample?.[0] as GeneratedDiagram | undefined;
    expect(found).toEqual({
      text: `records p0  ${"-".repeat(110)}\nowner p0    A${"-".repeat(109)}`,
      sent: "-",
    });
    expect(fc.stringify(found)).toBe(`\n${found?.text}\n`);
  });

  it("are refused letters that are none, and columns without a length", () => {
    const options = { letters: "ab", column: "50 ms", within: "2 s" } as const;
    expect(() => diagramsOf({ ...options, letters: "a-b" })).toThrow("letters are letters and digits");
    expect(() => diagramsOf({ ...options, column: "0 ms" })).toThrow("column must be above 0 ms");
    expect(() => diagramsOf({ ...options, workers: ["worker-1"] })).toThrow("a worker is one letter or digit");
  });
});
