import { type Codec, EncodeError, json, type Topic, type TopicOptions, topic } from "@millrace/core";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { encodeRecord, MAX_KEY_BYTES, MAX_VALUE_BYTES } from "../../src/topology/topic.ts";

const inherited = { timestampMs: 77, headers: { trace: "abc" }, watermarkMs: 70 };

function topicOf<A>(options: Partial<TopicOptions<A>> & { readonly codec: Codec<A> }): Topic<A> {
  return topic("orders", { key: null, ...options });
}

const text: Codec<string> = { name: "text", decode: E.right, encode: E.right };
const texts = topicOf({ codec: text });

/** The error of a value that the topic refuses. */
function refusal<A>(to: Topic<A>, value: A): EncodeError {
  try {
    encodeRecord(to, value, inherited);
  } catch (error) {
    if (error instanceof EncodeError && error.code === "MR_ENCODE" && error.topic === "orders") {
      return error;
    }
    throw error;
  }
  throw new Error("the value was taken");
}

describe("a value becomes a record", () => {
  it("with the topic's key and event time", () => {
    const codec = json(t.type({ id: t.string, at: t.number }));
    const to = topicOf({ codec, key: (value: { id: string }) => value.id, timestamp: (value) => value.at });
    expect(encodeRecord(to, { id: "o-1", at: 5 }, inherited)).toEqual({
      key: "o-1",
      timestampMs: 5,
      payload: '{"id":"o-1","at":5}',
      headers: { trace: "abc" },
      watermarkMs: 70,
    });
  });

  it("with the time of what caused it, and without a key, where the topic says neither", () => {
    expect(encodeRecord(texts, "a", inherited)).toEqual({ ...inherited, key: "", payload: "a" });
  });

  it("not when the codec refuses it: every issue is in the message, no value is", () => {
    const to = topicOf({ codec: json(t.type({ a: t.number, secret: t.string })) });
    const error = refusal(to, { a: Number.NaN, secret: "4111-1111" });
    expect(error.message).toBe(
      `cannot write this value to topic "orders": a: NaN has no JSON form: convert it with the codec's encode`,
    );
    expect(error.issues).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["a BigInt", 1n],
    ["a function", () => 1],
  ])("not when it is %s", (_what, value) => {
    expect(refusal(topicOf({ codec: json(t.unknown) }), value).issues[0]?.message).toContain("has no JSON form");
  });
});

describe("a record's key", () => {
  it.each<[unknown, string]>([
    [7, "a number"],
    [undefined, "nothing"],
    [null, "null"],
    [Symbol("k"), "a symbol"],
    [{ toString: () => "k" }, "an object"],
    [["k"], "an array"],
  ])("is text, not %o", (key, kind) => {
    const error = refusal(topicOf({ codec: texts.codec, key: () => key as string }), "a");
    expect(error.issues).toEqual([{ path: "key", message: `must be a string, not ${kind}` }]);
  });

  it.each(["\ud800", "a\udc00", "\udc00\ud800", "🙂\ud83d"])("has a UTF-8 form: %j has none", (key) => {
    const error = refusal(topicOf({ codec: texts.codec, key: () => key }), "a");
    expect(error.issues).toEqual([{ path: "key", message: "holds half of a surrogate pair" }]);
  });

  it("comes back as the same text from UTF-8 whenever it is taken", () => {
    const units = fc.array(fc.constantFrom("a", "é", "\ud83d", "\ude42", "🙂"), { maxLength: 6 });
    fc.assert(
      fc.property(units, (parts) => {
        const key = parts.join("");
        const to = topicOf({ codec: texts.codec, key: () => key });
        const survives = Buffer.from(key, "utf8").toString("utf8") === key;
        expect(E.isRight(E.tryCatch(() => encodeRecord(to, "a", inherited), String))).toBe(survives);
      }),
    );
  });

  it("takes up to 65,536 bytes, however many characters these are", () => {
    const keyed = (key: string): Topic<string> => topicOf({ codec: texts.codec, key: () => key });
    expect(MAX_KEY_BYTES).toBe(65_536);
    for (const [char, bytes] of [
      ["a", 1],
      ["é", 2],
      ["€", 3],
      ["🙂", 4],
    ] as const) {
      const fits = char.repeat(Math.floor(MAX_KEY_BYTES / bytes));
      expect(encodeRecord(keyed(fits), "a", inherited).key).toBe(fits);
      expect(refusal(keyed(fits + char), "a").issues).toEqual([{ path: "key", message: "is larger than 65536 bytes" }]);
    }
  });
});

describe("a record's value", () => {
  it("takes up to a mebibyte of UTF-8, however many characters these are", () => {
    expect(MAX_VALUE_BYTES).toBe(1_048_576);
    for (const [char, bytes] of [
      ["a", 1],
      ["é", 2],
      ["€", 3],
      ["🙂", 4],
    ] as const) {
      const count = Math.floor(MAX_VALUE_BYTES / bytes);
      const fits = char.repeat(count) + "a".repeat(MAX_VALUE_BYTES - count * bytes);
      expect(encodeRecord(texts, fits, inherited).payload).toBe(fits);
      expect(refusal(texts, `${fits}a`).issues).toEqual([{ path: "", message: "is larger than 1048576 bytes" }]);
    }
  });
});

describe("a record's event time", () => {
  const timed = (time: unknown): Topic<string> => topicOf({ codec: texts.codec, timestamp: () => time as number });

  it.each([0, -1, 8.64e15, -8.64e15])("may be %d", (time) => {
    expect(encodeRecord(timed(time), "a", inherited).timestampMs).toBe(time);
  });

  it.each<[unknown, string]>([
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [1e18, "1000000000000000000"],
    [-1e18, "-1000000000000000000"],
    [8.64e15 + 1, "8640000000000001"],
    [1.5, "1.5"],
    ["2001-01-31", "a string"],
    [new Date(0), "a Date"],
    [5n, "a bigint"],
    [undefined, "nothing"],
    [null, "null"],
  ])("is a whole number that a Date can hold, not %o", (time, shown) => {
    expect(refusal(timed(time), "a").issues).toEqual([
      { path: "timestamp", message: `must be a whole number of ms since 1970 that a Date can hold, not ${shown}` },
    ]);
  });
});
