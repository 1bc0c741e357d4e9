import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "../../src/codec/plain-json.ts";

/** The one issue of a value that was refused. */
function refusal(value: unknown): { readonly path: string; readonly message: string } {
  const result = stringify(value);
  if (E.isRight(result) || result.left.length !== 1 || result.left[0] === undefined) {
    throw new Error(`expected one issue, found ${JSON.stringify(result)}`);
  }
  return result.left[0];
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) {
    value = level % 2 === 0 ? [value] : { down: value };
  }
  return value;
}

describe("JSON text of a value", () => {
  it("decodes to the same value, but for the sign of zero", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = stringify(value);
        expect(E.isRight(text) ? parse(text.right) : text).toEqual(E.right(withoutMinusZero(value)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never a text that decodes to something else, whatever the value", () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const text = stringify(value);
        fc.pre(E.isRight(text));
        // `toEqual` ignores prototypes, and properties that are undefined, as the text does.
        const back: unknown = E.isRight(text) ? JSON.parse(text.right) : null;
        expect(withoutMinusZero(back)).toEqual(withoutMinusZero(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it("leaves properties out that are undefined", () => {
    expect(stringify({ a: undefined, b: 1 })).toEqual(E.right('{"b":1}'));
  });

  it("keeps a property of the name __proto__", () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
    const text = stringify(value);
    expect(text).toEqual(E.right('{"__proto__":{"polluted":true},"a":1}'));
    const back = E.isRight(text) ? parse(text.right) : text;
    expect(Object.keys((back as E.Right<object>).right)).toEqual(["__proto__", "a"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("sees what is wrong below a property of the name __proto__", () => {
    const value = JSON.parse('{"__proto__":{}}') as object;
    Object.defineProperty(value, "__proto__", { value: Number.NaN, enumerable: true });
    expect(refusal(value).path).toBe("__proto__");
  });

  it("takes data that is called toJSON", () => {
    expect(stringify({ toJSON: "a column" })).toEqual(E.right('{"toJSON":"a column"}'));
  });

  it("takes objects without prototype, and instances of classes", () => {
    class Point {
      readonly x = 1;
    }
    expect(stringify(Object.assign(Object.create(null), { a: 1 }))).toEqual(E.right('{"a":1}'));
    expect(stringify(new Point())).toEqual(E.right('{"x":1}'));
  });

  it("keeps lone surrogates", () => {
    const text = stringify("\ud800");
    expect(E.isRight(text) ? parse(text.right) : text).toEqual(E.right("\ud800"));
  });
});

describe("a value that JSON would change is refused", () => {
  class Money {
    toJSON(): string {
      return "1";
    }
  }
  it.each<[string, unknown, string]>([
    ["undefined", undefined, "nothing"],
    ["NaN", Number.NaN, "NaN"],
    ["Infinity", Number.POSITIVE_INFINITY, "Infinity"],
    ["-Infinity", Number.NEGATIVE_INFINITY, "-Infinity"],
    ["a BigInt", 1n, "a bigint"],
    ["a function", () => 1, "a function"],
    ["a symbol", Symbol("s"), "a symbol"],
    ["a Date", new Date(0), "a Date"],
    ["an invalid Date", new Date(Number.NaN), "a Date"],
    ["a Map", new Map([[1, 2]]), "a Map"],
    ["a Set", new Set([1]), "a Set"],
    ["a WeakMap", new WeakMap(), "a WeakMap"],
    ["a typed array", new Uint8Array([1]), "a Uint8Array"],
    ["a Buffer", Buffer.from("a"), "a Buffer"],
    ["an ArrayBuffer", new ArrayBuffer(4), "a ArrayBuffer"],
    ["a DataView", new DataView(new ArrayBuffer(4)), "a DataView"],
    ["a regular expression", /a/, "a RegExp"],
    ["an Error", new Error("lost"), "a Error"],
    ["a Promise", Promise.resolve(1), "a Promise"],
    ["a boxed number", Object(Number.NaN), "a Number"],
    ["a boxed string", Object("a"), "a String"],
    ["an object with toJSON", { toJSON: () => 1 }, "an object"],
    ["an instance with toJSON", new Money(), "a Money"],
    ["a list with toJSON", Object.assign([1], { toJSON: () => 2 }), "an array"],
  ])("%s", (_what, value, kind) => {
    expect(refusal(value)).toEqual({
      path: "",
      message: `${kind} has no JSON form: convert it with the codec's encode`,
    });
    expect(refusal({ items: [{ ok: 1 }, { price: [value] }] }).path).toBe("items[1].price[0]");
  });

  it("undefined in a list, and the hole of a sparse one", () => {
    expect(refusal([1, undefined]).path).toBe("[1]");
    const sparse: unknown[] = [1];
    sparse[2] = 3;
    expect(refusal({ sparse }).path).toBe("sparse[1]");
  });

  it("a value that contains itself", () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle["self"] = { list: [cycle] };
    expect(refusal(cycle).message).toBe("is nested deeper than 100 levels, or contains itself");
    expect(refusal(cycle).path.length).toBeLessThanOrEqual(200);
  });

  it("a value nested deeper than 100 levels", () => {
    expect(stringify(nested(101))).toMatchObject({ _tag: "Right" });
    expect(refusal(nested(102)).message).toBe("is nested deeper than 100 levels, or contains itself");
    expect(refusal(nested(200_000)).message).toBe("is nested deeper than 100 levels, or contains itself");
  });

  it("a value whose getter throws", () => {
    const value = {
      get total(): number {
        throw new TypeError("secret");
      },
    };
    expect(refusal(value)).toEqual({ path: "", message: "reading the value threw TypeError" });
  });

  it("a proxy that throws, also at what is asked of it first", () => {
    const refuse = (): never => {
      throw "secret";
    };
    for (const trap of ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"] as const) {
      expect(refusal({ inside: new Proxy({ a: 1 }, { [trap]: refuse }) }).message).toBe(
        "reading the value threw string",
      );
    }
  });

  it("without showing what is in it", () => {
    const secret = "4111-1111-1111-1111";
    for (const value of [{ constructor: { name: secret }, n: 1n }, [Symbol(secret)], new Map([[secret, secret]])]) {
      expect(JSON.stringify(refusal(value))).not.toContain(secret);
    }
  });
});

describe("JSON text", () => {
  it.each(["", "{", "undefined", "NaN", "'a'", "{a:1}", "[1,]", "\u0000", '{"a":1} x'])("is not %j", (text) => {
    expect(parse(text)).toEqual(E.left([{ path: "", message: "is not JSON" }]));
  });

  it("gives the last of two properties of one name", () => {
    expect(parse('{"a":1,"a":2}')).toEqual(E.right({ a: 2 }));
  });
});

function withoutMinusZero(value: unknown): unknown {
  if (Object.is(value, -0)) {
    return 0;
  }
  if (Array.isArray(value)) {
    return value.map(withoutMinusZero);
  }
  if (typeof value !== "object" || value === null || !isPlain(value)) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMinusZero(item)]));
}

/** An object of its own, without a prototype too. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (prototype as object).constructor === Object;
}
