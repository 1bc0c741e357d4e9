/**
 * Validation by an io-ts type or by any Standard Schema (https://standardschema.dev, version 1).
 */
import * as E from "fp-ts/lib/Either.js";
import type { Errors, Type } from "io-ts";
import { type Issue, MillraceError } from "../errors.ts";

/** The part of Standard Schema v1 that is used here. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What describes the values of a topic: an io-ts `Type` that decodes `unknown`, or a Standard Schema. */
// biome-ignore lint/suspicious/noExplicitAny: any value type; `unknown` would not accept a Type, which is invariant.
export type Schema = Type<any, any, unknown> | StandardSchema<any, any>;

/** The values that a schema describes. */
export type OutputOf<S> =
  // biome-ignore lint/suspicious/noExplicitAny: the serialised form does not matter here.
  S extends Type<infer A, any, unknown> ? A : S extends StandardSchema<any, infer O> ? O : never;

/** Checks an unknown value. Never throws, except for a schema that validates asynchronously. */
export type Validate<A> = (value: unknown) => E.Either<readonly Issue[], A>;

/** Whether a schema is an io-ts type. */
// biome-ignore lint/suspicious/noExplicitAny: see Schema.
export function isIoTs(schema: Schema): schema is Type<any, any, unknown> {
  // Standard Schemas may have methods of these names too (zod 4.1), with other meanings.
  return !("~standard" in schema);
}

/** The validator of a schema. */
export function validatorOf<S extends Schema>(schema: S): Validate<OutputOf<S>> {
  if (isIoTs(schema)) {
    return (value) => {
      const decoded = schema.decode(value);
      return E.isRight(decoded) ? decoded : E.left(ioTsIssues(decoded.left));
    };
  }
  const standard = (schema as StandardSchema)["~standard"];
  return (value) => readStandardResult(standard.validate(value), standard.vendor);
}

function ioTsIssues(errors: Errors): readonly Issue[] {
  return errors.map(({ context, value, message }) => {
    const path = context
      .filter((_, index) => index > 0 && !isAlternative(context[index - 1]?.type))
      .map((entry) => entry.key)
      .filter((key) => key !== "");
    const expected = context.at(-1)?.type.name ?? "another value";
    return { path: formatPath(path), message: message ?? `expected ${expected}, found ${kindOf(value)}` };
  });
}

/** Below a union or an intersection io-ts notes which member was tried: that is no place in the value. */
function isAlternative(type: unknown): boolean {
  const { _tag, type: inner } = (type ?? {}) as { readonly _tag?: unknown; readonly type?: unknown };
  switch (_tag) {
    case "UnionType":
    case "IntersectionType":
      return true;
    case "ExactType":
    case "ReadonlyType":
    case "RecursiveType":
    case "RefinementType":
      return isAlternative(inner);
    default:
      return false;
  }
}

function readStandardResult<A>(result: unknown, vendor: string): E.Either<readonly Issue[], A> {
  if (typeof result !== "object" || result === null || "then" in result) {
    // Nobody else waits for it: its rejection must not end the process.
    Promise.resolve(result).catch(() => {});
    throw new MillraceError(
      "InvalidOption",
      `the ${vendor} schema validates asynchronously: records are decoded in order and at once, use a synchronous schema`,
    );
  }
  if (!("issues" in result) || result.issues === undefined) {
    return E.right((result as { readonly value: A }).value);
  }
  const issues = result.issues as readonly { readonly message: string; readonly path?: readonly unknown[] }[];
  return E.left(issues.map((issue) => ({ path: formatPath((issue.path ?? []).map(segment)), message: issue.message })));
}

function segment(part: unknown): string {
  return typeof part === "object" && part !== null && "key" in part ? String(part.key) : String(part);
}

/** `["items", "2", "price"]` as `items[2].price`. */
export function formatPath(keys: readonly string[]): string {
  return keys.map((key, index) => (/^\d+$/.test(key) ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");
}

/** What a value is, without showing it. */
export function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "an array";
  }
  if (value === undefined) {
    return "nothing";
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? "a number" : String(value);
  }
  if (typeof value !== "object") {
    return `a ${typeof value}`;
  }
  // The class, never a property: a value's own "constructor" is payload.
  const { name } = (Object.getPrototypeOf(value)?.constructor ?? Object) as { readonly name: string };
  return name === "Object" ? "an object" : `a ${name}`;
}
