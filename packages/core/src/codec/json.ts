import * as E from "fp-ts/lib/Either.js";
import type { Type } from "io-ts";
import { type Issue, MillraceError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { dropsProperties, parse, stringify } from "./plain-json.ts";
import { isIoTs, type OutputOf, type Schema, type Validate, validatorOf } from "./schema.ts";

type Unsafe =
  | bigint
  | symbol
  | Date
  // biome-ignore lint/suspicious/noExplicitAny: any content.
  | ReadonlyMap<any, any>
  // biome-ignore lint/suspicious/noExplicitAny: any content.
  | ReadonlySet<any>
  // biome-ignore lint/suspicious/noExplicitAny: any function.
  | ((...args: any) => any)
  | ArrayBufferView;

/** `false` for types that JSON cannot carry, so that `encode` is required. */
type JsonSafe<T> = unknown extends T
  ? true
  : [T] extends [string | number | boolean | null | undefined]
    ? true
    : [T] extends [Unsafe]
      ? false
      : T extends object
        ? false extends { [K in keyof T]-?: JsonSafe<T[K]> }[keyof T]
          ? false
          : true
        : true;

/** A Standard Schema only decodes: what its output needs to become JSON must be said. An io-ts type encodes itself. */
type HowToEncode<S extends Schema> =
  // biome-ignore lint/suspicious/noExplicitAny: see Schema.
  S extends Type<any, any, unknown>
    ? []
    : false extends JsonSafe<OutputOf<S>>
      ? [{ readonly encode: (value: OutputOf<S>) => unknown }]
      : [{ readonly encode: (value: OutputOf<S>) => unknown }?];

/**
 * JSON, validated when it is read by an io-ts `Type` or a Standard Schema (zod, valibot, arktype, …).
 *
 * Decoding lists every path that failed. Encoding refuses what JSON would silently change: `undefined` where a value is required, NaN, ±Infinity,
 * BigInt, functions, cycles, Date, Map and Set. Of two equal property names in a stored text the last one wins.
 *
 * @example
 * ```ts
 * const Order = t.type({ customerId: t.string, total: t.number });
 * const orders = topic("orders", { codec: json(Order), key: (order) => order.customerId });
 * ```
 */
export function json<S extends Schema>(schema: S, ...how: HowToEncode<S>): Codec<OutputOf<S>> {
  const validate = validatorOf(schema);
  const encode = encoderOf(schema, how[0]?.encode);
  return {
    name: `json(${isIoTs(schema) ? schema.name : schema["~standard"].vendor})`,
    schema,
    decode: (text) => {
      const parsed = parse(text);
      return E.isLeft(parsed) ? parsed : validated(validate, parsed.right);
    },
    encode: (value) => {
      try {
        const encoded = encode(value);
        const text = stringify(encoded);
        return E.isRight(text) && dropsProperties(encoded) ? readable(validate, text.right) : text;
      } catch (cause) {
        return E.left([{ path: "", message: `encode threw ${cause instanceof Error ? cause.name : typeof cause}` }]);
      }
    },
  };
}

/** JSON without validation, for values that only this program writes (repartition topics). */
export const trustedJson: Codec<unknown> = { name: "json", decode: parse, encode: (value) => stringify(value, true) };

/** The text itself, if it can be read again: what was left out of it may be required. */
function readable<A>(validate: Validate<A>, text: string): E.Either<readonly Issue[], string> {
  const parsed = parse(text);
  const valid = E.isLeft(parsed) ? parsed : validate(parsed.right);
  return E.isLeft(valid) ? valid : E.right(text);
}

/** A schema holds user code, which may throw. */
function validated<A>(validate: Validate<A>, value: unknown): E.Either<readonly Issue[], A> {
  try {
    return validate(value);
  } catch (cause) {
    if (cause instanceof MillraceError) {
      throw cause;
    }
    return E.left([{ path: "", message: `the schema threw ${cause instanceof Error ? cause.name : typeof cause}` }]);
  }
}

function encoderOf<A>(schema: Schema, encode: ((value: A) => unknown) | undefined): (value: A) => unknown {
  if (encode !== undefined) {
    return encode;
  }
  return isIoTs(schema) ? (value) => schema.encode(value) : (value) => value;
}
