import { type Codec, json, type MillraceError, topic } from "@millrace/core";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { recordsOf, type TypeArbitraries } from "../../src/arbitraries.ts";

interface EvenTag {
  readonly Even: unique symbol;
}
const Even = t.brand(t.number, (n): n is t.Branded<number, EvenTag> => Number.isInteger(n) && n % 2 === 0, "Even");

interface Tree {
  readonly name: string;
  readonly children: Tree[];
  readonly twin: Tree | null;
}
const Tree: t.Type<Tree> = t.recursion("Tree", () =>
  t.type({ name: t.string, children: t.array(Tree), twin: t.union([Tree, t.null]) }),
);

const DateFromText = new t.Type<Date, string, unknown>(
  "DateFromText",
  (value): value is Date => value instanceof Date,
  (value, context) => {
    const date = typeof value === "string" ? new Date(value) : new Date(Number.NaN);
    return Number.isNaN(date.getTime()) ? t.failure(value, context) : t.success(date);
  },
  (date) => date.toISOString(),
);

/** One of each kind of type. */
const KINDS = {
  string: t.string,
  number: t.number,
  boolean: t.boolean,
  null: t.null,
  unknown: t.type({ any: t.unknown }),
  literal: t.literal("a"),
  keyof: t.keyof({ x: null, y: null }),
  array: t.array(t.number),
  readonlyArray: t.readonlyArray(t.string),
  tuple: t.tuple([t.string, t.number]),
  record: t.record(t.string, t.number),
  "record of keys": t.record(t.keyof({ left: null, right: null }), t.boolean),
  "record of literals": t.record(t.union([t.literal("a"), t.literal("b")]), t.number),
  type: t.type({ a: t.string, b: t.type({ c: t.number }) }),
  partial: t.partial({ a: t.string, b: t.number }),
  strict: t.strict({ a: t.string }),
  exact: t.exact(t.partial({ a: t.string })),
  readonly: t.readonly(t.type({ a: t.string })),
  union: t.union([t.type({ kind: t.literal("a") }), t.type({ kind: t.literal("b"), n: t.number })]),
  "optional by union": t.type({ a: t.union([t.string, t.undefined]) }),
  intersection: t.intersection([t.type({ id: t.string }), t.partial({ note: t.string })]),
  "intersection that overlaps": t.intersection([t.type({ id: t.Int }), t.type({ id: t.number })]),
  refinement: t.type({ n: t.Int }),
  brand: t.type({ even: Even }),
  recursion: Tree,
  "unknown record": t.UnknownRecord,
  "unknown array": t.UnknownArray,
};

/** Records of a topic with one type. */
function valuesOf<A, O>(schema: t.Type<A, O>, types: TypeArbitraries = {}): fc.Arbitrary<readonly A[]> {
  const of = topic<A>("values", { codec: json(schema), key: null });
  return recordsOf<A>(of, { schema, types, count: { min: 1, max: 3 } });
}

/** The codec, which says what it reads. */
function carrying<A>(codec: Codec<A>, schema: unknown): Codec<A> {
  return Object.assign({}, codec, { schema });
}

describe("values of io-ts types", () => {
  it.each(Object.entries(KINDS))("%s: each can be written, and is the same when it is read", (_, schema) => {
    const codec = json(schema as t.Type<unknown>);
    fc.assert(
      fc.property(valuesOf(schema as t.Type<unknown>), (values) => {
        for (const value of values) {
          expect(schema.is(value)).toBe(true);
          const text = codec.encode(value);
          expect(E.isRight(text)).toBe(true);
          const read = codec.decode(E.isRight(text) ? text.right : "");
          // JSON leaves out what is undefined.
          expect(read).toEqual(E.right(value));
        }
      }),
    );
  });

  it("reach every part of a type", () => {
    const Order = t.intersection([
      t.type({ kind: t.union([t.literal("a"), t.literal("b")]), lines: t.array(t.type({ price: t.number })) }),
      t.partial({ note: t.string }),
    ]);
    const orders = fc.sample(valuesOf(Order), { numRuns: 200, seed: 7 }).flat();
    expect(new Set(orders.map(({ kind }) => kind))).toEqual(new Set(["a", "b"]));
    expect(new Set(orders.map(({ note }) => typeof note))).toEqual(new Set(["string", "undefined"]));
    expect(orders.some(({ lines }) => lines.length > 1)).toBe(true);
    expect(orders.some(({ lines }) => lines.length === 0)).toBe(true);
    expect(orders.some(({ lines }) => lines.some(({ price }) => !Number.isInteger(price)))).toBe(true);
  });

  it("reach the depths of a recursive type, and come to an end", () => {
    const depthOf = (tree: Tree): number => {
      return 1 + Math.max(0, ...[...tree.children, ...(tree.twin === null ? [] : [tree.twin])].map(depthOf));
    };
    const depths = fc.sample(valuesOf(Tree), { numRuns: 300, seed: 7 }).flat().map(depthOf);
    expect(new Set(depths)).toEqual(new Set([1, 2, 3, 4]));
  });

  it("shrink to the simplest one", () => {
    const Order = t.type({
      id: t.string,
      n: t.number,
      kind: t.union([t.literal("a"), t.literal("b")]),
      next: KINDS.recursion,
    });
    const { counterexample } = fc.check(
      fc.property(valuesOf(Order), () => false),
      { seed: 11 },
    );
    expect(counterexample).toEqual([[{ id: "", n: 0, kind: "a", next: { name: "", children: [], twin: null } }]]);
  });

  it("of other makes are given by name, also inside of a type", () => {
    const Event = t.type({ at: t.array(DateFromText), id: t.string });
    const types = { DateFromText: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(1e12) }) };
    fc.assert(
      fc.property(valuesOf(Event, types), (values) => {
        expect(values.every(({ at }) => at.every((date) => date instanceof Date))).toBe(true);
      }),
    );
  });

  it("without a name for them are refused, with the place", () => {
    const Event = t.type({ log: t.array(t.type({ at: DateFromText })) });
    expect(() => valuesOf(Event)).toThrow(
      expect.objectContaining<Partial<MillraceError>>({
        _tag: "InvalidOption",
        message:
          'values of the type "DateFromText" (log[].at) cannot be made up, as it is no composition of io-ts\'s own types: give them, as in types: { "DateFromText": fc.… }',
      }) as Error,
    );
  });

  it("of a predicate that nothing fulfils are refused, instead of looking for ever", () => {
    const Never = t.refinement(t.string, (value): value is string => value === "a needle", "Needle");
    expect(() => fc.sample(valuesOf(t.type({ id: Never })), 1)).toThrow('for the type "Needle" (id) it takes none');
  });

  it("that the codec does not take are refused, with what it says", () => {
    const picky = topic("picky", {
      codec: { name: "picky", encode: () => E.left([{ path: "id", message: "no" }]), decode: () => E.right("") },
      key: null,
    });
    expect(() => fc.sample(recordsOf(picky, { values: fc.constant("a"), count: { min: 1 } }), 1)).toThrow(
      'of 1000 values made up for topic "picky" it takes none; the last one: id: no',
    );
  });

  it("are those of the type that the codec carries; other schemas need values", () => {
    const Order = t.type({ id: t.string });
    const orders = topic("orders", { codec: carrying(json(Order), Order), key: null });
    expect(fc.sample(recordsOf(orders, { count: { min: 1 } }), 1)[0]?.[0]).toEqual({
      id: expect.any(String) as string,
    });
    const standard = { "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) } } as const;
    const foreign = topic("foreign", { codec: carrying(json(standard), standard), key: null });
    expect(() => recordsOf(foreign)).toThrow("only io-ts types can be walked: give values");
    const bare = topic("bare", {
      codec: { name: "bare", encode: (n: number) => E.right(`${n}`), decode: (n) => E.right(Number(n)) },
      key: null,
    });
    expect(() => recordsOf(bare)).toThrow(
      'records of topic "bare" cannot be made up, its codec bare does not carry its schema',
    );
    expect(fc.sample(recordsOf(bare, { values: fc.constant(1), count: { min: 2, max: 2 } }), 1)).toEqual([[1, 1]]);
  });
});
