import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Command,
  checkSelection,
  decodeCommand,
  encodeCommand,
  isSelected,
  type LetterSelection,
} from "../../src/topology/command.ts";
import type { DeadLetter, FoundLetter } from "../../src/topology/letter.ts";

const text = fc.string({ unit: "binary" });
const time = fc.maxSafeInteger();
const selection: fc.Arbitrary<LetterSelection> = fc.record(
  { ids: fc.array(text, { maxLength: 3 }), key: text, node: text, from: time, to: time },
  { requiredKeys: [] },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ id: text, action: fc.constant("resume" as const) }),
  fc.record({
    id: text,
    action: fc.constantFrom("redrive" as const, "discard" as const),
    select: selection,
    most: fc.oneof(fc.constant(null), fc.integer({ min: 1 })),
  }),
);

function found(letter: Partial<DeadLetter>): FoundLetter {
  const whole: DeadLetter = {
    id: "map/0/1",
    node: "map",
    isParked: false,
    isBehind: false,
    isForeign: false,
    topic: "t",
    partition: 0,
    offset: "1-0/0",
    key: "k",
    timestamp: 0,
    headers: {},
    recordId: "t/0/1-0/0",
    errors: [],
    attempts: 1,
    failedAt: 100,
    input: "",
    ...letter,
  };
  return { letter: whole, group: "g", number: 1, path: "", at: "9-0/0" };
}

describe("a command", () => {
  it("comes back from its text as it was", () => {
    fc.assert(
      fc.property(command, (asked) => {
        expect(decodeCommand(encodeCommand(asked))).toEqual(asked);
      }),
    );
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '"resume"',
    '{"action":"resume"}',
    '{"id":7,"action":"resume"}',
    '{"id":"x","action":"stop"}',
    '{"id":"x","action":"redrive"}',
    '{"id":"x","action":"redrive","select":null}',
    '{"id":"x","action":"discard","select":"all"}',
    '{"id":"x","action":"discard","select":{"key":7}}',
  ])("is not made of %j", (other) => {
    expect(decodeCommand(other)).toBeNull();
  });

  it("never makes the reader throw, whatever lies in its topic", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (other) => {
        const decoded = decodeCommand(other);
        expect(decoded === null || typeof decoded.id === "string").toBe(true);
      }),
    );
  });

  it("means all letters where it has no number of them", () => {
    expect(decodeCommand('{"id":"x","action":"redrive","select":{}}')).toMatchObject({ most: null });
    expect(decodeCommand('{"id":"x","action":"redrive","select":{},"most":null}')).toMatchObject({ most: null });
  });

  it.each([
    '{"id":"x","action":"redrive","select":{},"most":"7"}',
    '{"id":"x","action":"redrive","select":{},"most":0}',
    '{"id":"x","action":"discard","select":{"ids":5}}',
    '{"id":"x","action":"discard","select":{"errorName":"of a newer version"}}',
  ])("is none where it says what this version does not know: all letters would be too many: %s", (other) => {
    expect(decodeCommand(other)).toBeNull();
  });
});

describe("a selection", () => {
  it("selects what is true of all its parts; and one without parts, everything", () => {
    const letter = found({});
    const parts: readonly (readonly [keyof LetterSelection, unknown, unknown])[] = [
      ["ids", ["map/0/1", "x"], ["x"]],
      ["key", "k", "K"],
      ["node", "map", "tap"],
      ["from", 100, 101],
      ["to", 101, 100],
    ];
    expect(isSelected(letter, {})).toBe(true);
    for (const [name, right, wrong] of parts) {
      expect(isSelected(letter, { [name]: right })).toBe(true);
      expect(isSelected(letter, { [name]: wrong })).toBe(false);
      for (const [other, good] of parts.filter(([each]) => each !== name)) {
        expect(isSelected(letter, { [name]: wrong, [other]: good })).toBe(false);
      }
    }
    expect(isSelected(letter, Object.fromEntries(parts.map(([name, right]) => [name, right])))).toBe(true);
    expect(isSelected(letter, { ids: [] })).toBe(false);
  });

  it("means the same where it was asked and where it is carried out", () => {
    const letters = fc.record({ id: text, key: text, node: text, failedAt: time });
    fc.assert(
      fc.property(selection, letters, (select, letter) => {
        const asked: Command = { id: "x", action: "discard", select: checkSelection("discard", select), most: null };
        const sent = decodeCommand(encodeCommand(asked)) as typeof asked;
        expect(isSelected(found(letter), sent.select)).toBe(isSelected(found(letter), select));
      }),
    );
  });

  it("keeps what was said, without what was left out", () => {
    const said = { ids: ["a"], key: "", node: undefined, from: 0, to: undefined };
    expect(checkSelection("list", said)).toEqual({ ids: ["a"], key: "", from: 0 });
    expect(Object.keys(checkSelection("list", { key: undefined }))).toEqual([]);
  });

  it.each<readonly [object, RegExp]>([
    [{ id: "a" }, /^redrive: there is no option "id"$/],
    [{ toString: "a" }, /there is no option "toString"/],
    [{ ids: "a" }, /ids must be a list of ids, not a string/],
    [{ ids: ["a", 7] }, /ids must be a list of ids/],
    [{ key: null }, /key must be a string, not null/],
    [{ node: ["a"] }, /node must be a string, not an array/],
    [{ from: Number.NaN }, /from must be a time in ms since the Unix epoch, not NaN/],
    [{ to: Number.POSITIVE_INFINITY }, /to must be a time .* not Infinity/],
    [{ to: new Date(0) }, /to must be a time/],
  ])("%j is refused", (said, message) => {
    expect(() => checkSelection("redrive", said)).toThrow(
      expect.objectContaining({ _tag: "InvalidOption", message: expect.stringMatching(message) }) as Error,
    );
  });
});
