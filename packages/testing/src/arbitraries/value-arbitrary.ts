/**
 * Values of an io-ts type, found by walking it. A type that is no composition of io-ts's own has no form to walk: its values are
 * given by name.
 */
import { MillraceError } from "@millrace/core";
import * as fc from "fast-check";

/**
 * How the values of types are made that have no form of their own: by the types' names, as io-ts shows them. Those of io-ts's own
 * types can be replaced, too: `{ number: fc.double() }`; by default numbers are whole or not, up to 2³¹ either side of 0.
 */
export type TypeArbitraries = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** The parts of io-ts types that are looked at, whatever version they are of. */
interface IoTsType {
  readonly _tag?: string;
  readonly name: string;
  is(value: unknown): boolean;
  readonly value?: unknown;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly type?: IoTsType;
  readonly types?: readonly IoTsType[];
  readonly props?: Readonly<Record<string, IoTsType>>;
  readonly domain?: IoTsType;
  readonly codomain?: IoTsType;
  readonly runDefinition?: () => IoTsType;
}

/** Where in the type the walk is. */
interface Walk {
  readonly types: TypeArbitraries;
  /** For messages: `items[].price`. */
  readonly path: string;
  /** Recursive types that the walk is in, as they will be. */
  readonly recursive: ReadonlyMap<IoTsType, fc.Arbitrary<unknown>>;
}

/** Tries in a row before a predicate counts as one that nothing fulfils. */
const MAX_TRIES = 10_000;
/** Text that people write, with signs of more than one UTF-16 unit among it. */
const TEXT = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: "grapheme", maxLength: 6 }));
/** As data has them: sums of them stay finite. No −0, which JSON brings back as 0. */
const NUMBER = fc
  .oneof(fc.integer(), fc.double({ min: -(2 ** 31), max: 2 ** 31, noNaN: true }))
  .map((value) => (value === 0 ? 0 : value));
const JSON_VALUE = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
/** `__proto__` is no property like the others to whoever assigns it. */
const PROPERTY = fc.string({ maxLength: 8 }).filter((name) => name !== "__proto__");

/**
 * Values of an io-ts type. Throws `MillraceError` `InvalidOption`, naming the place, for a part whose values cannot be made; a
 * predicate that nothing fulfils is found when values are generated.
 */
export function valuesOfType(type: unknown, types: TypeArbitraries): fc.Arbitrary<unknown> {
  return walk(type as IoTsType, { types, path: "", recursive: new Map() });
}

function walk(type: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  if (Object.hasOwn(at.types, type.name)) {
    return at.types[type.name] ?? fc.constant(undefined);
  }
  const found = PLAIN[type._tag ?? ""] ?? COMPOSED[type._tag ?? ""]?.(type, at);
  if (found === undefined) {
    const where = at.path === "" ? "the value itself" : at.path;
    throw new MillraceError(
      "InvalidOption",
      `values of the type ${JSON.stringify(type.name)} (${where}) cannot be made up, as it is no composition of io-ts's own types: give them, as in types: { ${JSON.stringify(type.name)}: fc.… }`,
    );
  }
  return found;
}

const PLAIN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  StringType: TEXT,
  NumberType: NUMBER,
  BooleanType: fc.boolean(),
  NullType: fc.constant(null),
  UndefinedType: fc.constant(undefined),
  VoidType: fc.constant(undefined),
  UnknownType: JSON_VALUE,
  AnyType: JSON_VALUE,
  AnyArrayType: fc.array(JSON_VALUE, { maxLength: 3 }),
  AnyDictionaryType: fc.dictionary(PROPERTY, JSON_VALUE, { maxKeys: 3, noNullPrototype: true }),
  ObjectType: fc.dictionary(PROPERTY, JSON_VALUE, { maxKeys: 3, noNullPrototype: true }),
};

const COMPOSED: Readonly<Record<string, (type: IoTsType, at: Walk) => fc.Arbitrary<unknown>>> = {
  LiteralType: ({ value }) => fc.constant(value),
  KeyofType: ({ keys = {} }) => fc.constantFrom(...Object.keys(keys)),
  ArrayType: list,
  ReadonlyArrayType: list,
  InterfaceType: ({ props = {} }, at) => object(props, at, Object.keys(props)),
  StrictType: ({ props = {} }, at) => object(props, at, Object.keys(props)),
  PartialType: ({ props = {} }, at) => object(props, at, []),
  DictionaryType: dictionary,
  TupleType: ({ types = [] }, at) =>
    fc.tuple(...types.map((each, index) => walk(each, { ...at, path: `${at.path}[${index}]` }))),
  UnionType: union,
  IntersectionType: intersection,
  ExactType: (type, at) => walk(innerOf(type), at),
  ReadonlyType: (type, at) => walk(innerOf(type), at),
  RefinementType: (type, at) => fulfilling(walk(innerOf(type), at), type, at),
  RecursiveType: recursion,
};

function innerOf({ type }: IoTsType): IoTsType {
  if (type === undefined) {
    throw new TypeError("a type of io-ts that holds another does not say which");
  }
  return type;
}

function list(type: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  const items = fc.array(walk(innerOf(type), { ...at, path: `${at.path}[]` }), { maxLength: 4 });
  return isRecursive(type) ? fc.oneof(DEEP, fc.constant([]), items) : items;
}

function object(
  props: Readonly<Record<string, IoTsType>>,
  at: Walk,
  requiredKeys: readonly string[],
): fc.Arbitrary<unknown> {
  const parts = Object.entries(props).map(([name, type]) => {
    const path = at.path === "" ? name : `${at.path}.${name}`;
    return [name, walk(type, { ...at, path })] as const;
  });
  return fc.record(Object.fromEntries(parts), { requiredKeys: [...requiredKeys], noNullPrototype: true });
}

function dictionary({ domain, codomain }: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  if (domain === undefined || codomain === undefined) {
    throw new TypeError("a dictionary of io-ts does not say of what");
  }
  const values = walk(codomain, { ...at, path: `${at.path}{}` });
  const names = domain._tag === "KeyofType" ? Object.keys(domain.keys ?? {}) : literalsOf(domain);
  if (names !== null) {
    // io-ts wants every property where it can list them.
    return fc.record(Object.fromEntries(names.map((name) => [name, values])), { noNullPrototype: true });
  }
  const keys = walk(domain, at).filter((name) => name !== "__proto__") as fc.Arbitrary<string>;
  const entries = fc.dictionary(keys, values, { maxKeys: 4, noNullPrototype: true });
  return isRecursive(codomain) ? fc.oneof(DEEP, fc.constant({}), entries) : entries;
}

/** The literals of a union that has nothing else. */
function literalsOf(domain: IoTsType): readonly string[] | null {
  const types = domain._tag === "UnionType" ? (domain.types ?? []) : [domain];
  return types.every(({ _tag }) => _tag === "LiteralType") ? types.map(({ value }) => String(value)) : null;
}

/** The first alternative is what values shrink to, and what ends a recursion. All count their depth together, so that values stay small. */
const DEEP = {
  maxDepth: 3,
  depthIdentifier: fc.createDepthIdentifier(),
  depthSize: "small",
  withCrossShrink: true,
} as const;

function union({ types = [] }: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  const endingFirst = types.toSorted((a, b) => Number(isRecursive(a)) - Number(isRecursive(b)));
  return fc.oneof(DEEP, ...endingFirst.map((each) => walk(each, at)));
}

/** Whether values of it may hold values of a recursive type. */
function isRecursive(type: IoTsType, seen: ReadonlySet<IoTsType> = new Set()): boolean {
  if (type._tag === "RecursiveType" || seen.has(type)) {
    return true;
  }
  const within = [type.type, type.codomain, ...(type.types ?? []), ...Object.values(type.props ?? {})];
  const inside = new Set([...seen, type]);
  return within.some((each) => each !== undefined && isRecursive(each, inside));
}

function recursion(type: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  const known = at.recursive.get(type);
  if (known !== undefined) {
    return known;
  }
  const definition = type.runDefinition?.();
  if (definition === undefined) {
    throw new TypeError("a recursive type of io-ts has no definition");
  }
  return fc.letrec((tie) => {
    const recursive = new Map(at.recursive).set(type, tie("self")).set(definition, tie("self"));
    return { self: walk(definition, { ...at, recursive }) };
  }).self;
}

/** Properties of all parts together; what is no object is a value of the first part that the others take as well. */
function intersection(type: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  const types = type.types ?? [];
  const all = types.map((each) => walk(each, at));
  const merged = fc
    .tuple(...all)
    .map((parts) => (parts.every(isPlainObject) ? Object.assign({}, ...parts) : parts[0]) as unknown);
  return fulfilling(merged, type, at);
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Those values that the type takes. A type that takes none must not make a test wait for ever. */
function fulfilling(values: fc.Arbitrary<unknown>, type: IoTsType, at: Walk): fc.Arbitrary<unknown> {
  let refused = 0;
  return values.filter((value) => {
    if (type.is(value)) {
      refused = 0;
      return true;
    }
    refused += 1;
    if (refused >= MAX_TRIES) {
      refused = 0;
      const where = at.path === "" ? "the value itself" : at.path;
      throw new MillraceError(
        "InvalidOption",
        `of ${MAX_TRIES} values made up for the type ${JSON.stringify(type.name)} (${where}) it takes none: give some that it takes, as in types: { ${JSON.stringify(type.name)}: fc.… }`,
      );
    }
    return false;
  });
}
