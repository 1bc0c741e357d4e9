/**
 * Positions in a partition.
 *
 * An offset is `<entry id>/<index>`: the id of a log entry, `<ms>-<seq>` as Redis writes it, and the index of the
 * record inside that entry. Ids are sparse, so there is no "next offset" as in Kafka: a committed offset is the last
 * processed position, and reading resumes strictly after it.
 */

/** Position of one record in its partition, `<ms>-<seq>/<index>`. Compare with {@link compareOffsets}. */
export type Offset = string & { readonly offset: unique symbol };

/** The position before the first record of every partition. */
export const BEFORE_FIRST = "0-0/0" as Offset;

/** The offset of the record at `index` (>= 0) of the entry `id` (`<ms>-<seq>`). */
export function offsetOf(id: string, index: number): Offset {
  return `${id}/${index}` as Offset;
}

/** The entry id of an offset, `<ms>-<seq>`. */
export function entryIdOf(offset: Offset): string {
  const slash = offset.indexOf("/");
  return slash < 0 ? offset : offset.slice(0, slash);
}

/** Negative, zero or positive as `a` lies before, at or after `b`. Total order, equal to log order. */
export function compareOffsets(a: Offset, b: Offset): number {
  if (a === b) {
    return 0;
  }
  const [aMs, aSeq, aIndex] = parts(a);
  const [bMs, bSeq, bIndex] = parts(b);
  return compareDigits(aMs, bMs) || compareDigits(aSeq, bSeq) || aIndex - bIndex;
}

function parts(offset: Offset): [ms: string, seq: string, index: number] {
  const dash = offset.indexOf("-");
  const slash = offset.indexOf("/");
  return [offset.slice(0, dash), offset.slice(dash + 1, slash), Number(offset.slice(slash + 1))];
}

/** Ids are 64-bit: as digit strings without leading zeros they compare by length, then by text. */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) {
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
