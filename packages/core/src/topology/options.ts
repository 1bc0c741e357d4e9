import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";

/**
 * Throws `InvalidOption` unless the options are an object without other names than these: a name that is spelled wrong must
 * not mean the default. TypeScript says so, too; programs in JavaScript have nobody else.
 */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new MillraceError("InvalidOption", `${what}: options must be an object, not ${kindOf(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new MillraceError(
      "InvalidOption",
      `${what}: there is no option ${quote(unknown)}; there are ${known.toSorted().join(", ")}`,
    );
  }
}

/** Throws `InvalidOption` unless it is a function. */
export function checkFunction(what: string, f: unknown): void {
  if (typeof f !== "function") {
    throw new MillraceError("InvalidOption", `${what} must be a function, not ${kindOf(f)}`);
  }
}
