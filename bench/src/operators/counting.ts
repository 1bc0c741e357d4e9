import type { Codec } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";

/** Decodes no text: the values are the numbers from 0, in the order in which they are asked for. */
export function counting(): Codec<number> {
  let next = 0;
  return { name: "counting", decode: () => E.right(next++), encode: (n) => E.right(String(n)) };
}
