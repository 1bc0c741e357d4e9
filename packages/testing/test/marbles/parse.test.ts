import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDiagram } from "../../src/marbles/parse.ts";
import { placesOf, printDiagram } from "../../src/marbles/print.ts";
import { anyDiagram } from "./diagram-arbitrary.ts";
import { messageIfThrown, thrownBy } from "./thrown.ts";

const names = { topics: ["orders", "a.b"] };

/** The events of each row, as `column symbol`. */
function eventsIn(text: string): Readonly<Record<string, readonly string[]>> {
  const { rows } = parseDiagram(text, names).diagram;
  return Object.fromEntries(
    rows.map(({ kind, topic, partition, events }) => [
      [kind, topic, partition].filter((part) => part !== null).join(" "),
      events.map(({ column, symbol }) => `${column}${symbol}`),
    ]),
  );
}

/** The message of the error that a diagram is refused with. */
function refusal(text: string): string {
  const { _tag, code, retriable, message } = thrownBy(() => parseDiagram(text, names));
  expect([_tag, code, retriable]).toEqual(["InvalidMarbles", "MR_MARBLES_INVALID", false]);
  return message;
}

describe("reading marbles", () => {
  it("takes each character for a column, and groups for their first one", () => {
    expect(
      eventsIn(`
        records orders p0  -ab-c---d|
        owner              A----!-B--
        out                ----(ab)-c
        effects            -----ab
        commits p12        ----1----4
      `),
    ).toEqual({
      "records orders 0": ["1a", "2b", "4c", "8d", "9|"],
      owner: ["0A", "5!", "7B"],
      out: ["4a", "4b", "9c"],
      effects: ["5a", "6b"],
      "commits 12": ["41", "94"],
    });
  });

  it("takes a group in square brackets for one column, with blanks beside it", () => {
    expect(
      eventsIn(`
        records  -a    --b
        out      -[abc]cd-
      `),
    ).toEqual({ records: ["1a", "4b"], out: ["1a", "1b", "1c", "2c", "3d"] });
    expect(
      eventsIn(`
        out p0  a[bc]d
        out p1  a-   -e
      `),
    ).toEqual({ "out 0": ["0a", "1b", "1c", "2d"], "out 1": ["0a", "3e"] });
  });

  it("needs no label where one row is given and known", () => {
    const { diagram } = parseDiagram("--(ab)-", { topics: [], kind: "out" });
    expect(diagram).toEqual({
      columns: 7,
      rows: [
        {
          kind: "out",
          topic: null,
          partition: null,
          events: [
            { column: 2, symbol: "a" },
            { column: 2, symbol: "b" },
          ],
        },
      ],
    });
  });

  it("gives back every diagram that was printed, and prints it again as it was", () => {
    fc.assert(
      fc.property(anyDiagram, (diagram) => {
        const text = printDiagram(diagram);
        const parsed = parseDiagram(text, names);
        expect(parsed.diagram).toEqual(diagram);
        expect(printDiagram(parsed.diagram)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("draws what happens at the same time at the same place in every row", () => {
    fc.assert(
      fc.property(anyDiagram, (diagram) => {
        const lines = printDiagram(diagram).split("\n");
        const { source } = parseDiagram(printDiagram(diagram), names);
        const start = source.placeOfColumn[0] ?? 0;
        expect(source.placeOfColumn).toEqual(placesOf(diagram).map((place) => place + start));
        diagram.rows.forEach(({ events }, row) => {
          for (const { column, symbol } of events) {
            const drawn = (lines[row] ?? "").slice(source.placeOfColumn[column]);
            const inColumn = /^[([]/.test(drawn) ? drawn.slice(1, drawn.search(/[)\]]/)) : drawn.slice(0, 1);
            expect(inColumn).toContain(symbol);
          }
        });
      }),
    );
  });

  it("survives any text: it is read, or refused with a caret", () => {
    const rubbish = fc.array(
      fc.constantFrom(..."records out owner p0 -ab!|()[] \n\t\u00e9".split(""), "records ", "out "),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(rubbish, (parts) => {
        const refused = messageIfThrown(() => parseDiagram(parts.join(""), names));
        expect(refused ?? "^").toContain("^");
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("diagrams that make no sense", () => {
  it("are refused with the diagram and a caret under the column", () => {
    expect(
      refusal(`
        records p0  -ab-c
        out         -(ab-c
        commits p0  -----2
      `),
    ).toBe(`a group is one column, so nothing passes within it: leave out the -

  records p0  -ab-c
  out         -(ab-c
                  ^
  commits p0  -----2
`);
  });

  it.each([
    ["rows that begin in different places", "records  -ab\nout     --a", "the rows are not aligned", 8],
    ["a group that is not closed", "records  -ab\nout      -(ab", "this group is never closed", 10],
    ["a closing bracket alone", "out  -ab)-", '")" closes no group', 8],
    ["a bracket of another kind", "out  -(ab]-", '"]" closes no group', 9],
    ["a group in a group", "out  -(a(b))", "a group has no groups in it", 8],
    ["an empty group", "out  -()", "this group is empty", 6],
    ["a crash among outputs", "out  -a!", '"!" means nothing in the row "out"', 7],
    ["a letter of another alphabet", "out  -\u00e9-", "there are letters, digits, - and groups", 6],
    ["blanks", "out  -a b", "a blank is only possible beside a group", 7],
    [
      "something beside a group of another row",
      "records  --a\nout      -[bc]",
      "which takes one column, leave blanks",
      11,
    ],
    ["a tab", "out\t-a", "a tab has no width of its own", 3],
    ["a row without columns", "out", 'the row "out" has no columns', 3],
    ["a row about nothing", "-a-b\nout -a", "a row begins with what it is about", 0],
    ["the same row twice", "out p1  -a\nout p1  -b", 'there are two rows "out p1"', 0],
    ["a topic that it does not know", "records ordesr -a\nout            -b", 'is "ordesr" to be a topic?', 8],
    ["nothing at all", "  \n ", "the diagram is empty", 0],
  ])("%s", (_, text, message, place) => {
    const refused = refusal(text);
    expect(refused).toContain(message);
    const caret = refused.split("\n").find((line) => line.trim() === "^");
    expect(caret?.indexOf("^")).toBe(place + 2);
  });
});
