import type { NewRecord, Offset, StoredRecord } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeLetter,
  encodeLetter,
  type FoundLetter,
  LETTER_HEADER,
  type LetterParts,
  recordOf,
} from "../../src/topology/letter.ts";
import { type CurrentRecord, NO_RECORD } from "../../src/topology/record.ts";

const AT = "99-0/0" as Offset;
const text = fc.string({ unit: "binary" });
const timestamp = fc.oneof(fc.maxSafeInteger(), fc.constant(Number.NaN));

const anyRecord: fc.Arbitrary<CurrentRecord> = fc.record({
  topic: text,
  partition: fc.nat(),
  offset: text,
  key: text,
  timestamp,
  headers: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
  id: text,
  watermarkMs: fc.constant(0),
  isFromTask: fc.constant(true),
  path: text,
  letter: fc.constant(null),
});

const anyParts: fc.Arbitrary<LetterParts> = fc.record({
  group: text,
  node: text,
  number: fc.integer({ min: 1 }),
  isParked: fc.boolean(),
  isBehind: fc.boolean(),
  isForeign: fc.boolean(),
  record: anyRecord,
  error: fc.oneof(fc.constant(null), fc.record({ cause: fc.anything() })),
  attempts: fc.nat(),
  failedAt: fc.maxSafeInteger(),
  input: text,
});

/** The letter of these parts, as it is found again. */
function foundOf(parts: LetterParts): FoundLetter {
  const found = decodeLetter(stored(encodeLetter(parts)));
  if (found === null) {
    throw new Error("no letter");
  }
  return found;
}

const plain: LetterParts = {
  group: "app.copy",
  node: "map",
  number: 3,
  isParked: true,
  isBehind: false,
  isForeign: false,
  record: { ...NO_RECORD, topic: "t", partition: 2, offset: "7-0/0", key: "k", timestamp: 5, id: "t/2/7-0/0" },
  error: { cause: new RangeError("no") },
  attempts: 4,
  failedAt: 1_000,
  input: "{}",
};

/** The record as a reader returns it. */
function stored(record: NewRecord): StoredRecord {
  return { ...record, offset: AT, bytes: 1, appendedMs: 0, problem: null };
}

/** The letter of an error, as it is read again. */
function errorsOf(cause: unknown) {
  return decodeLetter(stored(encodeLetter({ ...plain, error: { cause } })))?.letter.errors;
}

describe("a dead letter", () => {
  it("comes back from its record with all that was known", () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const { group, node, number, isParked, isBehind, isForeign, record, attempts, failedAt, input } = parts;
        const found = decodeLetter(stored(encodeLetter(parts)));
        const { topic, partition, offset, key, headers, id, path } = record;
        expect(found).toMatchObject({ group, number, path, at: AT });
        expect(found?.letter).toEqual({
          id: `${node}/${partition}/${number}`,
          node,
          isParked,
          isBehind,
          isForeign,
          topic,
          partition,
          offset,
          key,
          timestamp: Number.isNaN(record.timestamp) ? failedAt : record.timestamp,
          headers,
          recordId: id,
          errors: expect.any(Array),
          attempts,
          failedAt,
          input,
        });
        expect(found?.letter.errors.length === 0).toBe(parts.error === null);
      }),
    );
  });

  it("is a record that every topic can carry: its time is whole, and its texts have a UTF-8 form", () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const { timestampMs, headers } = encodeLetter(parts);
        const header = headers[LETTER_HEADER] ?? "";
        expect(Number.isInteger(timestampMs)).toBe(true);
        expect(Buffer.from(header).toString()).toBe(header);
      }),
    );
  });

  it("becomes the record that it was, beneath its value, judged late as of now", () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const found = foundOf(parts);
        const { topic, partition, offset, key, headers, id, path } = parts.record;
        expect(recordOf(found, 77)).toEqual({
          topic,
          partition,
          offset,
          key,
          timestamp: found.letter.timestamp,
          headers,
          id,
          watermarkMs: 77,
          isFromTask: true,
          path,
          letter: {
            id: found.letter.id,
            node: parts.node,
            number: parts.number,
            isParked: parts.isParked,
            at: AT,
          },
        });
      }),
    );
  });

  it("of a dead letter keeps the header that it had, and that one keeps its own", () => {
    fc.assert(
      fc.property(anyParts, anyParts, anyParts, (first, second, third) => {
        const inner = encodeLetter(first);
        const middle = encodeLetter({ ...second, record: { ...second.record, headers: inner.headers } });
        const outer = encodeLetter({ ...third, record: { ...third.record, headers: middle.headers } });
        const found = decodeLetter(stored(outer));
        expect(found?.letter.headers).toEqual(middle.headers);
        const again = decodeLetter(stored({ ...outer, headers: found?.letter.headers ?? {} }));
        expect(again?.letter.headers).toEqual(inner.headers);
        expect(again?.letter.node).toBe(second.node);
      }),
    );
  });
});

describe("a dead letter that becomes one again and again", () => {
  it("does not grow without end: a header of more than 16,384 characters is not kept", () => {
    let { headers } = encodeLetter(plain);
    for (let round = 0; round < 30; round += 1) {
      headers = encodeLetter({ ...plain, record: { ...plain.record, headers } }).headers;
      expect(headers[LETTER_HEADER]?.length).toBeLessThan(50_000);
    }
    const long = { [LETTER_HEADER]: "x".repeat(16_384) };
    const longer = { [LETTER_HEADER]: "x".repeat(16_385) };
    const outerOf = (outer: Readonly<Record<string, string>>) =>
      foundOf({ ...plain, record: { ...plain.record, headers: outer } }).letter.headers;
    expect(outerOf(long)).toEqual(long);
    expect(outerOf(longer)).toEqual({});
  });
});

describe("the errors of a dead letter", () => {
  it("are the error and its causes, outermost first, five at most", () => {
    const chain = Array.from({ length: 9 }, (_, n) => n).reduceRight<Error | undefined>(
      (cause, n) => new Error(`error ${n}`, cause === undefined ? {} : { cause }),
      undefined,
    );
    expect(errorsOf(chain)?.map(({ message }) => message)).toEqual([0, 1, 2, 3, 4].map((n) => `error ${n}`));
  });

  it("end, though an error is its own cause", () => {
    const own = new Error("own");
    own.cause = own;
    expect(errorsOf(own)).toHaveLength(5);
    const a = new Error("a");
    const b = new Error("b", { cause: a });
    a.cause = b;
    expect(errorsOf(a)?.map(({ message }) => message)).toEqual(["a", "b", "a", "b", "a"]);
  });

  it("have the class, the message and the code, where that is text", () => {
    class Refused extends Error {
      override readonly name = "Refused";
      readonly code = "E_REFUSED";
    }
    expect(errorsOf(new Refused("no", { cause: Object.assign(new Error("why"), { code: 7 }) }))).toEqual([
      { name: "Refused", message: "no", code: "E_REFUSED" },
      { name: "Error", message: "why", code: null },
    ]);
  });

  it.each<readonly [string, unknown, object]>([
    ["null", null, { name: "object", message: "" }],
    ["undefined", undefined, { name: "undefined", message: "" }],
    ["text", "no", { name: "string", message: "no" }],
    ["a number", 7, { name: "number", message: "" }],
    ["an object", { secret: 1 }, { name: "object", message: "" }],
    ["a symbol", Symbol("s"), { name: "symbol", message: "" }],
    ["a bigint", 7n, { name: "bigint", message: "" }],
    ["a function", () => "secret", { name: "function", message: "" }],
  ])("say what was thrown: %s", (_, thrown, expected) => {
    expect(errorsOf(thrown)).toEqual([{ code: null, ...expected }]);
  });

  it("are cut where they are huge", () => {
    const [error] = errorsOf(Object.assign(new Error("x".repeat(5_000_000)), { code: "c".repeat(5_000) })) ?? [];
    expect(error?.message).toBe("x".repeat(2_000));
    expect(error?.code).toHaveLength(2_000);
    expect(errorsOf("y".repeat(5_000_000))?.[0]?.message).toBe("y".repeat(2_000));
  });

  it("have a UTF-8 form, also where they are cut in the middle of a character", () => {
    expect(errorsOf(`${"x".repeat(1_999)}🚂`)?.[0]?.message).toBe(`${"x".repeat(1_999)}\uFFFD`);
    expect(errorsOf(new Error("half \ud83d of one"))?.[0]?.message).toBe("half \uFFFD of one");
  });

  it.each(["name", "message", "code", "cause"])(
    "are known as far as they can be when the %s of an error throws",
    (part) => {
      const hostile = new Error("hostile", { cause: new Error("why") });
      Object.defineProperty(hostile, part, {
        get: () => {
          throw new Error("a getter that throws");
        },
      });
      const known = { name: "Error", message: "hostile", code: null };
      const unknown = { name: "unknown", message: "", code: null };
      expect(errorsOf(hostile)).toEqual(
        part === "cause" ? [known] : [unknown, { name: "Error", message: "why", code: null }],
      );
    },
  );

  it.each(["name", "message"])("are text, whatever the %s of an error is", (part) => {
    const odd = { toString: () => "odd" };
    const [error] = errorsOf(Object.assign(new Error("x"), { [part]: odd })) ?? [];
    expect(error).toMatchObject({ [part]: "odd" });
    const hostile = {
      toString: () => {
        throw new Error("no text");
      },
    };
    expect(errorsOf(Object.assign(new Error("x"), { [part]: hostile }))).toEqual([
      { name: "unknown", message: "", code: null },
    ]);
    expect(errorsOf(Object.assign(new Error("x"), { [part]: Symbol("s") }))?.[0]).toMatchObject({
      [part]: "Symbol(s)",
    });
  });

  it("are known to be unknown where nothing at all can be asked", () => {
    const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
    revoke();
    expect(errorsOf(proxy)).toEqual([{ name: "unknown", message: "", code: null }]);
  });
});

describe("a record of a dead-letter topic that is no letter", () => {
  const header = JSON.parse(encodeLetter(plain).headers[LETTER_HEADER] ?? "") as Record<string, unknown>;
  const withHeader = (value: string): StoredRecord =>
    stored({ ...encodeLetter(plain), headers: { [LETTER_HEADER]: value } });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ["without the header", {}],
    ["with a header that is no JSON", { [LETTER_HEADER]: "{" }],
    ["with a header that is nothing", { [LETTER_HEADER]: "null" }],
    ["with a header that is text", { [LETTER_HEADER]: '"v"' }],
    ["with a header of a later version", { [LETTER_HEADER]: JSON.stringify({ ...header, v: 2 }) }],
  ])("%s is passed over", (_, headers) => {
    expect(decodeLetter(stored({ ...encodeLetter(plain), headers }))).toBeNull();
  });

  it.each(Object.keys(header).filter((name) => name !== "v"))(
    "whose header has no usable %s is passed over",
    (name) => {
      const { [name]: _left, ...rest } = header;
      expect(decodeLetter(withHeader(JSON.stringify(rest)))).toBeNull();
      expect(decodeLetter(withHeader(JSON.stringify({ ...header, [name]: { odd: true } })))).toBeNull();
      expect(decodeLetter(withHeader(JSON.stringify(header)))).not.toBeNull();
    },
  );

  it("never makes the reader throw, whatever the header is", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (value) => {
        expect(decodeLetter(withHeader(value))).toBeNull();
      }),
    );
  });
});
