import type { Either } from "fp-ts/lib/Either.js";
import type { Issue } from "../errors.ts";

/** How the values of a topic become text and back. */
export interface Codec<A> {
  /** For `describe()`. */
  readonly name: string;
  /** What the values are, as whoever made the codec said it: an io-ts type, for one. Tools read it; Millrace does not. */
  readonly schema?: unknown;
  /** The value in a stored text, or what is wrong with it. Must not throw. */
  decode(text: string): Either<readonly Issue[], A>;
  /** The text to store, or why the value cannot be stored. Must not throw. */
  encode(value: A): Either<readonly Issue[], string>;
}
