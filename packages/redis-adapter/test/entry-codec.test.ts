import type { NewRecord } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEntry, decodeTime, encodeRecord, encodeTime, type RawEntry } from "../src/entry-codec.ts";

const text = fc.string({ unit: "binary" });
const watermark = fc.oneof(
  fc.constant(null),
  fc.constantFrom(Infinity, -Infinity),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
);
const anyRecord: fc.Arbitrary<NewRecord> = fc.record({
  key: text,
  payload: text,
  timestampMs: fc.maxSafeInteger(),
  watermarkMs: watermark,
  headers: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
});

function entry(...fields: readonly (string | Buffer)[]): RawEntry {
  return [Buffer.from("1700000000000-3"), fields.map((field) => Buffer.from(field))];
}

function stored(record: NewRecord): RawEntry {
  const args: string[] = [];
  encodeRecord(record, args);
  const [head = "", payload = "", headers = ""] = args;
  return headers === "" ? entry("m", head, "v", payload) : entry("m", head, "v", payload, "h", headers);
}

const plain: NewRecord = { key: "k", payload: "p", timestampMs: 5, watermarkMs: null, headers: {} };

describe("a record", () => {
  it("comes back from its entry as it was", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { offset, appendedMs, bytes, problem, ...rest } = decodeEntry(stored(record));
        expect(problem).toBeNull();
        expect(offset).toBe("1700000000000-3/0");
        expect(appendedMs).toBe(1_700_000_000_000);
        expect(bytes).toBeGreaterThan(record.key.length + record.payload.length);
        expect(rest).toStrictEqual({ ...record, watermarkMs: withoutNegativeZero(record.watermarkMs) });
      }),
    );
  });

  it("keeps semicolons in its key", () => {
    expect(decodeEntry(stored({ ...plain, key: ";a;;b;" }))).toMatchObject({ key: ";a;;b;", problem: null });
  });

  it("is written in the documented form", () => {
    const args: string[] = [];
    encodeRecord({ ...plain, watermarkMs: -3, headers: { a: "1" } }, args);
    encodeRecord({ ...plain, watermarkMs: -Infinity }, args);
    expect(args).toEqual(["1;5;-3;k", "p", '{"a":"1"}', "1;5;-inf;k", "p", ""]);
  });

  it.each([NaN, 1.5, Infinity, 2 ** 60])("is not written at %d, which could not be read", (timestampMs) => {
    expect(() => encodeRecord({ ...plain, timestampMs }, [])).toThrow(RangeError);
  });

  it("is not written with a watermark of NaN", () => {
    expect(() => encodeRecord({ ...plain, watermarkMs: NaN }, [])).toThrow(RangeError);
  });
});

describe("an entry that is no record", () => {
  it.each<readonly [string, readonly (string | Buffer)[], RegExp]>([
    ["fields of somebody else's", ["name", "Ada", "age", "36"], /its fields are "name", "age"/],
    ["many fields", ["a", "", "b", "", "c", "", "d", "", "e", ""], /"d", …/],
    ["one field more", ["m", "1;5;;k", "v", "p", "x", "y"], /its fields are "m", "v", "x"/],
    ["no payload", ["m", "1;5;;k"], /its fields are "m"/],
    ["a later version", ["m", "2;anything", "v", "p"], /format version 2; this reader knows version 1/],
    ["no version", ["m", "hello", "v", "p"], /does not begin with a format version/],
    ["an empty head", ["m", "", "v", "p"], /does not begin with a format version/],
    ["a short head", ["m", "1;5;", "v", "p"], /fewer than four parts/],
    ["a head without a time", ["m", "1;;;k", "v", "p"], /event time .* not a whole number/],
    ["a fractional time", ["m", "1;1.5;;k", "v", "p"], /event time .* not a whole number/],
    ["a time of NaN", ["m", "1;NaN;;k", "v", "p"], /event time .* not a whole number/],
    ["an infinite time", ["m", "1;inf;;k", "v", "p"], /event time .* not a whole number/],
    ["a time with an exponent", ["m", "1;1e18;;k", "v", "p"], /event time .* not a whole number/],
    ["a time of 1e18", ["m", "1;1000000000000000000;;k", "v", "p"], /event time .* not a whole number/],
    ["a time of -1e18", ["m", "1;-1000000000000000000;;k", "v", "p"], /event time .* not a whole number/],
    ["a padded time", ["m", "1;007;;k", "v", "p"], /event time .* not a whole number/],
    ["a time that is too large", ["m", "1;9007199254740993;;k", "v", "p"], /event time .* not a whole number/],
    ["a hexadecimal time", ["m", "1;0x10;;k", "v", "p"], /event time .* not a whole number/],
    ["a strange watermark", ["m", "1;5;soon;k", "v", "p"], /watermark .* not a number/],
    ["a watermark of NaN", ["m", "1;5;NaN;k", "v", "p"], /watermark .* not a number/],
    ["a head that is no text", ["m", Buffer.from([0x31, 0x3b, 0xff]), "v", "p"], /not valid UTF-8/],
  ])("is returned with what is wrong and what was found: %s", (_, fields, problem) => {
    const found = decodeEntry(entry(...fields));
    expect(found.problem).toMatch(problem);
    expect(found.problem).toContain("1700000000000-3");
    expect(found).toMatchObject({ offset: "1700000000000-3/0", timestampMs: 1_700_000_000_000, key: "" });
    expect(found.appendedMs).toBe(1_700_000_000_000);
    expect(bytesIn(found.payload)).toEqual(entry(...fields)[1]);
  });

  it.each<readonly [string, readonly (string | Buffer)[], RegExp]>([
    ["a payload that is no text", ["m", "1;5;7;k", "v", Buffer.from([0x61, 0xff])], /not valid UTF-8/],
    ["headers that are no text", ["m", "1;5;7;k", "v", "p", "h", Buffer.from([0xff])], /not valid UTF-8/],
    ["headers that are no JSON", ["m", "1;5;7;k", "v", "p", "h", "{"], /not a JSON object of strings/],
    ["headers that are a list", ["m", "1;5;7;k", "v", "p", "h", '["a"]'], /not a JSON object of strings/],
    ["headers that are not text", ["m", "1;5;7;k", "v", "p", "h", '{"a":1}'], /not a JSON object of strings/],
  ])(
    "keeps the key and the times that its head says, so that it stays among the records of its key: %s",
    (_, fields, problem) => {
      const found = decodeEntry(entry(...fields));
      expect(found.problem).toMatch(problem);
      expect(found).toMatchObject({ key: "k", timestampMs: 5, watermarkMs: 7, headers: {} });
      expect(found.appendedMs).toBe(1_700_000_000_000);
      expect(bytesIn(found.payload)).toEqual(entry(...fields)[1]);
    },
  );

  it("under an id that no clock has made counts as appended at the last time that a Date can hold", () => {
    const largest: RawEntry = [Buffer.from("18446744073709551615-0"), entry("a", "b")[1]];
    expect(decodeEntry(largest)).toMatchObject({ appendedMs: 8.64e15, timestampMs: 8.64e15 });
  });

  it("loses no byte of what was found, whatever it is", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
      fc.string({ unit: "binary" }).map((written) => Buffer.from(written)),
    );
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 8 }), (fields) => {
        const { payload, problem } = decodeEntry([Buffer.from("5-0"), fields]);
        expect(problem).not.toBeNull();
        expect(bytesIn(payload)).toEqual(fields);
      }),
    );
  });

  it("never makes the reader throw, whatever it is", () => {
    const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));
    const heads = fc.stringMatching(/^[12]?;?-?\d{0,3};?(inf)?;?.?$/).map((head) => Buffer.from(head));
    const names = fc.constantFrom("m", "v", "h", "x").map((name) => Buffer.from(name));
    const fields = fc.array(fc.tuple(names, fc.oneof(bytes, heads)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fields, (pairs) => {
        const found = decodeEntry([Buffer.from("5-0"), pairs.flat()]);
        expect(found.offset).toBe("5-0/0");
      }),
    );
  });

  it("may hold the replacement character as a record does", () => {
    expect(decodeEntry(stored({ ...plain, payload: "a\uFFFDb" }))).toMatchObject({
      payload: "a\uFFFDb",
      problem: null,
    });
  });
});

describe("a watermark", () => {
  it("comes back from its text as it was", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (timeMs) => {
        expect(decodeTime(encodeTime(timeMs))).toBe(withoutNegativeZero(timeMs));
      }),
    );
  });

  it.each(["", "x", "0x1", "1e", "--1", "Infinity", " 1"])("is not read from %j", (other) => {
    expect(decodeTime(other)).toBeNaN();
  });
});

/** The fields of an entry that is no record, from its payload. */
function bytesIn(payload: string): readonly Buffer[] {
  const parts = JSON.parse(payload) as readonly (string | { readonly base64: string })[];
  return parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part.base64, "base64")));
}

function withoutNegativeZero<T extends number | null>(value: T): T | 0 {
  return value === 0 ? 0 : value;
}
