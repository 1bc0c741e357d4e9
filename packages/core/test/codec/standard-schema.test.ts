import { json, type StandardSchema } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

/** A Standard Schema (version 1) as a library would make it. */
function schemaOf<A>(validate: (value: unknown) => unknown): StandardSchema<unknown, A> {
  return { "~standard": { version: 1, vendor: "by-hand", validate } };
}

const accepted = (value: unknown): object => ({ value });
const refused = (...issues: readonly object[]): object => ({ issues });

describe("json() of a Standard Schema", () => {
  it("is named after the library", () => {
    expect(json(schemaOf<string>(accepted)).name).toBe("json(by-hand)");
  });

  it("decodes what it encoded", () => {
    const codec = json(schemaOf<{ a: number }>(accepted));
    expect(codec.encode({ a: 1 })).toEqual(E.right('{"a":1}'));
    expect(codec.decode('{"a":1}')).toEqual(E.right({ a: 1 }));
  });

  it("decodes to the output of a schema that transforms", () => {
    const codec = json(
      schemaOf<Date>((text) => accepted(new Date(text as string))),
      { encode: (date) => date.toISOString() },
    );
    const at = new Date("2001-01-31T00:00:00.000Z");
    expect(codec.decode('"2001-01-31T00:00:00.000Z"')).toEqual(E.right(at));
    expect(codec.encode(at)).toEqual(E.right('"2001-01-31T00:00:00.000Z"'));
  });

  it("lists issues at paths made of keys, indexes and segments", () => {
    const codec = json(
      schemaOf<string>(() =>
        refused(
          { message: "as a whole" },
          { message: "keys", path: ["items", 2, "price"] },
          { message: "segments", path: [{ key: "items" }, { key: 0 }, { key: "sku" }] },
          { message: "no path", path: undefined },
          { message: "a symbol", path: [Symbol("s")] },
        ),
      ),
    );
    expect(codec.decode("{}")).toEqual(
      E.left([
        { path: "", message: "as a whole" },
        { path: "items[2].price", message: "keys" },
        { path: "items[0].sku", message: "segments" },
        { path: "", message: "no path" },
        { path: "Symbol(s)", message: "a symbol" },
      ]),
    );
  });

  it("takes a result whose issues are undefined for a success", () => {
    expect(json(schemaOf<number>(() => ({ value: 7, issues: undefined }))).decode("1")).toEqual(E.right(7));
  });

  it("is not mistaken for io-ts because of methods of the same names", () => {
    const throws = (): never => {
      throw new Error("called another library's method");
    };
    const codec = json(Object.assign(schemaOf<number>(accepted), { decode: throws, encode: throws }));
    expect(codec.name).toBe("json(by-hand)");
    expect(codec.decode("1")).toEqual(E.right(1));
    expect(codec.encode(1)).toEqual(E.right("1"));
  });

  it("takes a schema that is a function", () => {
    const schema = Object.assign(() => "callable", schemaOf<number>(accepted));
    expect(json(schema).decode("1")).toEqual(E.right(1));
  });

  it("throws for a schema that validates asynchronously, and leaves no rejection behind", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on("unhandledRejection", note);
    const codec = json(schemaOf<number>(() => Promise.reject(new Error("later"))));
    expect(() => codec.decode("1")).toThrow(
      expect.objectContaining({
        _tag: "InvalidOption",
        message:
          "the by-hand schema validates asynchronously: records are decoded in order and at once, use a synchronous schema",
      }) as Error,
    );
    await new Promise(setImmediate);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("does not throw when the schema does, and does not show what it threw", () => {
    const codec = json(
      schemaOf<number>(() => {
        throw new TypeError("secret");
      }),
    );
    expect(codec.decode("1")).toEqual(E.left([{ path: "", message: "the schema threw TypeError" }]));
  });

  it("does not throw when encode does, and does not show what it threw", () => {
    const codec = json(schemaOf<Date>(accepted), {
      encode: () => {
        throw new RangeError("secret");
      },
    });
    expect(codec.encode(new Date())).toEqual(E.left([{ path: "", message: "encode threw RangeError" }]));
  });

  it("refuses an encoded value that is not JSON", () => {
    const codec = json(schemaOf<Date>(accepted), { encode: (at) => ({ at }) });
    expect(codec.encode(new Date())).toEqual(
      E.left([{ path: "at", message: "a Date has no JSON form: convert it with the codec's encode" }]),
    );
  });
});
