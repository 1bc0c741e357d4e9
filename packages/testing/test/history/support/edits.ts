/** Changes of histories, for tests of what they show. */
import type { HistoryLine } from "@millrace/testing/history";

/** A kind of line, and for calls what they do. */
type Kind = HistoryLine["_tag"] | `${"invoke" | "ok" | "fail" | "info"} ${string}`;

function isKind(line: HistoryLine, kind: Kind): boolean {
  return kind === line._tag || ("op" in line && kind === `${line._tag} ${line.op}`);
}

/** The place of the nth line of a kind, counted from 0; from the end where `nth` is negative. */
function placeOf(lines: readonly HistoryLine[], kind: Kind, nth: number): number {
  const places = lines.flatMap((line, at) => (isKind(line, kind) ? [at] : []));
  const place = places.at(nth);
  if (place === undefined) {
    throw new RangeError(`there are ${places.length} lines "${kind}", no ${nth}`);
  }
  return place;
}

/** The history with other fields in one line. */
export function edited(
  lines: readonly HistoryLine[],
  [kind, nth]: readonly [Kind, number],
  fields: object | ((line: HistoryLine) => object),
): readonly HistoryLine[] {
  const at = placeOf(lines, kind, nth);
  const line = lines[at];
  const change = typeof fields === "function" && line !== undefined ? fields(line) : fields;
  return lines.with(at, { ...line, ...change } as HistoryLine);
}

/** The history without one line. */
export function without(lines: readonly HistoryLine[], [kind, nth]: readonly [Kind, number]): readonly HistoryLine[] {
  return lines.toSpliced(placeOf(lines, kind, nth), 1);
}

/** The history with a line in front of another one. */
export function inserted(
  lines: readonly HistoryLine[],
  [kind, nth]: readonly [Kind, number],
  line: HistoryLine,
): readonly HistoryLine[] {
  return lines.toSpliced(placeOf(lines, kind, nth), 0, line);
}

/** A line of a kind, as it is. */
export function found<Tag extends HistoryLine["_tag"]>(
  lines: readonly HistoryLine[],
  tag: Tag,
  nth = 0,
): Extract<HistoryLine, { readonly _tag: Tag }> {
  return lines[placeOf(lines, tag, nth)] as Extract<HistoryLine, { readonly _tag: Tag }>;
}
