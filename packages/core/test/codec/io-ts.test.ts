import { json } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";

const Line = t.type({ sku: t.string, price: t.number });
const Order = t.type({ id: t.string, lines: t.array(Line) });

describe("json() of an io-ts type", () => {
  it("is named after the type", () => {
    expect(json(t.type({ a: t.number }, "Order")).name).toBe("json(Order)");
  });

  it("decodes what it encoded", () => {
    const codec = json(Order);
    const order = { id: "o-1", lines: [{ sku: "a", price: 1.5 }] };
    const text = codec.encode(order);
    expect(text).toEqual(E.right(JSON.stringify(order)));
    expect(codec.decode(JSON.stringify(order))).toEqual(E.right(order));
  });

  it("lists every path that failed, with what was expected and what kind of value was found", () => {
    const text = JSON.stringify({ id: 7, lines: [{ sku: "a", price: 1 }, { sku: null, price: "1" }, 3] });
    expect(json(Order).decode(text)).toEqual(
      E.left([
        { path: "id", message: "expected string, found a number" },
        { path: "lines[1].sku", message: "expected string, found null" },
        { path: "lines[1].price", message: "expected number, found a string" },
        { path: "lines[2]", message: `expected ${Line.name}, found a number` },
      ]),
    );
  });

  it("names the value as a whole by the empty path", () => {
    expect(json(t.array(t.number)).decode("{}")).toEqual(
      E.left([{ path: "", message: "expected Array<number>, found an object" }]),
    );
    expect(json(Order).decode("not JSON")).toEqual(E.left([{ path: "", message: "is not JSON" }]));
  });

  it("reports a missing property at its path", () => {
    expect(json(t.type({ a: t.string })).decode("{}")).toEqual(
      E.left([{ path: "a", message: "expected string, found nothing" }]),
    );
  });

  it("names the place in the value, not the member of the union that was tried", () => {
    const Shape = t.union([t.type({ r: t.number }), t.type({ w: t.number })]);
    expect(json(t.type({ shape: Shape })).decode('{"shape":{"r":"1"}}')).toEqual(
      E.left([
        { path: "shape.r", message: "expected number, found a string" },
        { path: "shape.w", message: "expected number, found nothing" },
      ]),
    );
  });

  it("names the place in the value, not the part of the intersection, also within exact and readonly types", () => {
    const Both = t.intersection([t.type({ a: t.string }), t.partial({ b: t.array(t.number) })]);
    const Named: t.Type<t.TypeOf<typeof Both>> = t.recursion("Named", () => Both);
    const expected = E.left([
      { path: "it.a", message: "expected string, found nothing" },
      { path: "it.b[0]", message: "expected number, found null" },
    ]);
    for (const type of [Both, t.exact(Both), t.readonly(Both), Named]) {
      expect(json(t.type({ it: type })).decode('{"it":{"b":[null]}}')).toEqual(expected);
    }
  });

  it("keeps numeric keys that are in the value", () => {
    const type = t.record(t.string, t.tuple([t.number, t.string]));
    expect(json(type).decode('{"a":[1,2]}')).toEqual(
      E.left([{ path: "a[1]", message: "expected string, found a number" }]),
    );
  });

  it("drops what an exact type does not name, when it reads and when it writes", () => {
    const codec = json(t.exact(t.type({ a: t.number })));
    const more = { a: 1, b: 2 };
    expect(codec.decode(JSON.stringify(more))).toEqual(E.right({ a: 1 }));
    expect(codec.encode(more)).toEqual(E.right('{"a":1}'));
  });

  it("encodes through the type", () => {
    const Instant = new t.Type<Date, string, unknown>(
      "Instant",
      (value): value is Date => value instanceof Date,
      (value, context) => (typeof value === "string" ? t.success(new Date(value)) : t.failure(value, context)),
      (date) => date.toISOString(),
    );
    const codec = json(t.type({ at: Instant }));
    const text = '{"at":"2001-01-31T00:00:00.000Z"}';
    expect(codec.encode({ at: new Date(text.slice(7, 31)) })).toEqual(E.right(text));
    expect(codec.decode(text)).toEqual(E.right({ at: new Date(text.slice(7, 31)) }));
    // An invalid date has no ISO text: the type's own encoder throws.
    expect(codec.encode({ at: new Date(Number.NaN) })).toEqual(
      E.left([{ path: "", message: "encode threw RangeError" }]),
    );
  });

  it("uses the message of a type that has one", () => {
    const Positive = t.refinement(t.number, (n) => n > 0, "Positive");
    const Named = new t.Type<number, number, unknown>(
      "Named",
      t.number.is,
      (value, context) => t.failure(value, context, "is never good enough"),
      t.identity,
    );
    expect(json(t.type({ n: Positive })).decode('{"n":-1}')).toEqual(
      E.left([{ path: "n", message: "expected Positive, found a number" }]),
    );
    expect(json(t.type({ n: Named })).decode('{"n":1}')).toEqual(
      E.left([{ path: "n", message: "is never good enough" }]),
    );
  });

  it("does not throw when a type's own check does", () => {
    const Throws = t.refinement(
      t.unknown,
      () => {
        throw new TypeError("secret");
      },
      "Throws",
    );
    expect(json(Throws).decode("1")).toEqual(E.left([{ path: "", message: "the schema threw TypeError" }]));
  });

  it("refuses to write what JSON would change", () => {
    expect(json(t.type({ a: t.number })).encode({ a: Number.NaN })).toEqual(
      E.left([{ path: "a", message: "NaN has no JSON form: convert it with the codec's encode" }]),
    );
  });

  it("shows no part of the value in its messages", () => {
    const secret = "4111-1111-1111-1111";
    const codec = json(t.type({ a: t.number, b: t.union([t.number, t.boolean]), c: t.array(t.string) }));
    const decoded = codec.decode(
      JSON.stringify({ a: secret, b: { constructor: { name: secret } }, c: [{ constructor: { name: secret } }] }),
    );
    expect(E.isLeft(decoded) && decoded.left.length).toBe(4);
    expect(JSON.stringify(decoded)).not.toContain(secret);
  });
});

it("a codec carries the schema that it was made with, for tools", () => {
  const schema = t.type({ n: t.number });
  expect(json(schema).schema).toBe(schema);
});
