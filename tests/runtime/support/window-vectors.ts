/**
 * Windows of Kafka Streams as executed, `fixtures/windows.json`, in our terms:
 *
 * - Bounds are half-open: a session or sliding window of Kafka, closed on both sides, ends 1 ms later here.
 * - `onUpdate` is `emit: "updates"`; `onClose` and `suppress(untilWindowCloses)` are `emit: "final"`.
 * - A tombstone is `value: null`. Kafka takes a session back and emits it again also where its bounds have not changed; here it
 *   is only emitted again.
 * - A result's time is the last instant of its window, and of one without end that of its last record. Kafka's `ts` counts for
 *   the latter only.
 * - Revisions, which Kafka has not, count the changes of a window. A session that takes the place of others goes on behind the
 *   largest of theirs.
 */
import { readFileSync } from "node:fs";
import {
  type Aggregate,
  count,
  type Duration,
  fold,
  hopping,
  session,
  sliding,
  tumbling,
  unlimited,
  type WindowSpec,
} from "@millrace/core";
import { DIFFERENCES, type Difference, OUT_OF_SCOPE, UNSUPPRESSED } from "./window-vector-differences.ts";

/** What a record of a vector holds. */
export interface VectorItem {
  readonly key: string | null;
  readonly value: string | null;
  readonly ts: number;
}

/** A window as the file says it. Times are in ms. */
export interface KafkaWindow {
  readonly type: string;
  readonly sizeMs?: number;
  readonly advanceMs?: number;
  readonly timeDifferenceMs?: number;
  readonly gapMs?: number;
  readonly startMs?: number;
  readonly graceMs?: number;
}

/** A result as the file says it: the bounds of sessions and sliding windows are closed on both sides. */
interface KafkaRow {
  readonly afterInput: number;
  readonly key: string;
  readonly windowStart: number;
  readonly windowEnd: number | "infinity";
  readonly value: string | number | null;
  readonly ts: number;
}

interface KafkaResults {
  readonly outputs?: readonly KafkaRow[];
  readonly dropped?: readonly { readonly input: number; readonly drops: number }[];
}

/** What is common to all cases. */
interface AnyVector {
  readonly id: string;
  readonly status: "conform" | "quirk" | "note" | "defect";
}

/** Aggregates in windows. */
export interface AggregateVector extends AnyVector {
  readonly kind: "aggregate";
  readonly title: string;
  readonly config: {
    readonly window: KafkaWindow;
    readonly aggregate: AggregateName;
    readonly emit: "onUpdate" | "onClose";
    readonly suppress?: unknown;
  };
  readonly input: readonly (VectorItem | { readonly advanceWallClockMs: number })[];
  readonly expect: KafkaResults & { readonly unsuppressedOutputs?: readonly KafkaRow[] };
  readonly recommended?: KafkaResults;
}

/** In which windows times are. */
interface AssignVector extends AnyVector {
  readonly kind: "assign";
  readonly config: { readonly window: KafkaWindow };
  readonly expect: {
    readonly assignments: readonly {
      readonly ts: number;
      readonly windows: readonly (readonly [start: number, end: number | "infinity"])[];
    }[];
  };
}

/** Whether sessions, closed on both sides, have an instant in common. */
interface OverlapVector extends AnyVector {
  readonly kind: "overlap";
  readonly expect: {
    readonly results: readonly {
      readonly a: readonly [first: number, last: number];
      readonly b: readonly [first: number, last: number];
      readonly overlap: boolean;
    }[];
  };
}

/** Which definitions are accepted. */
interface ValidateVector extends AnyVector {
  readonly kind: "validate";
  readonly expect: { readonly results: readonly { readonly window: KafkaWindow; readonly accepted: boolean }[] };
}

/** Cases that are not about windows. */
interface OtherVector extends AnyVector {
  readonly kind: keyof typeof OUT_OF_SCOPE;
}

type Vector = AggregateVector | AssignVector | OverlapVector | ValidateVector | OtherVector;

type AggregateName = "count" | "reduce" | "concat" | "concat0";

/** What a window is to emit, and after which input. */
export interface ExpectedRow {
  readonly afterInput: number;
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly revision: number;
  readonly value: string | number | null;
  readonly timestamp: number;
}

/** What comes of the input of a vector. */
export interface Outcome {
  readonly rows: readonly ExpectedRow[];
  /** Which inputs came too late, and for how many windows. */
  readonly dropped: readonly { readonly input: number; readonly drops: number }[];
  /** Which inputs the producer refused. */
  readonly refused: readonly number[];
}

/** One way to run a vector. */
export interface VectorRun {
  readonly of: AggregateVector;
  readonly emit: "final" | "updates";
  readonly expected: Outcome;
  /** Why that is not what Kafka does; `null`: it is, or it is what is recommended instead. */
  readonly why: string | null;
}

/** The `end` of a window that has none: the last instant that a `Date` can hold. */
export const NO_END = 8.64e15;

/** All cases of the file. */
export const VECTORS: readonly Vector[] = (
  JSON.parse(readFileSync(new URL("../../../packages/core/test/fixtures/windows.json", import.meta.url), "utf8")) as {
    readonly cases: readonly Vector[];
  }
).cases;

/** The cases of a kind. */
export function vectorsOf<K extends Vector["kind"]>(kind: K): readonly Extract<Vector, { readonly kind: K }>[] {
  return VECTORS.filter((vector): vector is Extract<Vector, { readonly kind: K }> => vector.kind === kind);
}

/** The cases that are not about windows. */
export function otherVectors(): readonly OtherVector[] {
  return VECTORS.filter((vector): vector is OtherVector => vector.kind in OUT_OF_SCOPE);
}

/** A length of time in the form that operators take. */
export function ms(length: number): Duration {
  return `${length} ms`;
}

/** The window of a vector. Throws `InvalidOption` where it makes no sense. */
export function specOf(window: KafkaWindow): WindowSpec {
  const { type, sizeMs = 0, advanceMs = 0, timeDifferenceMs = 0, gapMs = 0, startMs } = window;
  switch (type) {
    case "tumbling":
      return tumbling(ms(sizeMs));
    case "hopping":
      return hopping(ms(sizeMs), ms(advanceMs));
    case "sliding":
      return sliding(ms(timeDifferenceMs));
    case "session":
      return session(ms(gapMs));
    case "unlimited":
    case "unlimited+onClose":
      return unlimited(startMs);
    default:
      throw new Error(`no window is called "${type}"`);
  }
}

/** The aggregates of the file. The first state of `concat` is not neutral: it shows how often states were merged. */
export const AGGREGATES: { readonly [name in AggregateName]: Aggregate<VectorItem, string | number> } = {
  count: count(),
  reduce: fold("", joined, (a, b) => (a === "" ? b : `${a}+${b}`)),
  concat: fold("0", appended, (a, b) => `${a}+${b}`),
  concat0: fold("", appended, (a, b) => `${a}${b}`),
};

function joined(all: string, item: VectorItem): string {
  return all === "" ? `${item.value}` : appended(all, item);
}

function appended(all: string, { value }: VectorItem): string {
  return `${all}+${value}`;
}

/** How a vector is run: as it says, and where it suppresses what is not final, also without that. */
export function runsOf(of: AggregateVector): readonly VectorRun[] {
  const { expect, recommended, config } = of;
  const emit = config.emit === "onClose" || config.suppress !== undefined ? "final" : "updates";
  const results = recommended?.outputs === undefined ? expect : recommended;
  const first: VectorRun = { of, emit, ...expectedOf(of, results, { emit, difference: DIFFERENCES[of.id] }) };
  const { unsuppressedOutputs: outputs, dropped = [] } = expect;
  if (outputs === undefined) {
    return [first];
  }
  const second = { emit: "updates", difference: UNSUPPRESSED[of.id] } as const;
  return [first, { of, emit: "updates", ...expectedOf(of, { outputs, dropped }, second) }];
}

type Unnumbered = Omit<ExpectedRow, "revision">;

function expectedOf(
  of: AggregateVector,
  { outputs = [], dropped = [] }: KafkaResults,
  { emit, difference }: { readonly emit: VectorRun["emit"]; readonly difference: Difference | undefined },
): Pick<VectorRun, "expected" | "why"> {
  const { isOurs = () => true, added = [], ...ours }: Partial<Difference> = difference ?? {};
  const fromKafka = outputs.map((row) => translated(of, row)).filter((row) => !isReplaced(row, outputs) && isOurs(row));
  const more = added.map(([afterInput, key, start, end, value]) => ({
    afterInput,
    key,
    start,
    end,
    value,
    timestamp: end - 1,
  }));
  const rows = inOrder(of, [...fromKafka, ...more]);
  const expected = {
    rows: emit === "final" ? rows.map((row) => ({ ...row, revision: 1 })) : numbered(rows),
    dropped: ours.dropped ?? dropped,
    refused: ours.refused ?? [],
  };
  return { expected, why: ours.why ?? null };
}

function translated(of: AggregateVector, row: KafkaRow): Unnumbered {
  const { afterInput, key, windowStart: start, windowEnd, value } = row;
  const { aggregate, window } = of.config;
  const isClosedInterval = window.type === "sliding" || window.type === "session";
  const end = windowEnd === "infinity" ? NO_END : windowEnd + (isClosedInterval ? 1 : 0);
  return {
    afterInput,
    key,
    start,
    end,
    // The file has texts that look like numbers as numbers.
    value: value === null || aggregate === "count" ? value : `${value}`,
    timestamp: end === NO_END ? row.ts : end - 1,
  };
}

/** A tombstone behind which the same window comes again. */
function isReplaced(row: Unnumbered, outputs: readonly KafkaRow[]): boolean {
  const isSame = (other: KafkaRow): boolean =>
    other.value !== null &&
    other.afterInput === row.afterInput &&
    other.key === row.key &&
    other.windowStart === row.start &&
    other.windowEnd === row.end - 1;
  return row.value === null && outputs.some(isSame);
}

/**
 * What one input brings forth comes by window, then by key. The file has sessions in this order, tombstones in front; results of
 * sliding windows it has in any order.
 */
function inOrder({ config }: AggregateVector, rows: readonly Unnumbered[]): readonly Unnumbered[] {
  const compare = (a: Unnumbered, b: Unnumbered): number =>
    a.afterInput - b.afterInput ||
    (config.window.type === "session" ? 0 : a.start - b.start || (a.key < b.key ? -1 : 1));
  return rows.toSorted(compare);
}

function numbered(rows: readonly Unnumbered[]): readonly ExpectedRow[] {
  const known = new Map<string, number>();
  /** The largest revision of what the input at hand has taken back. */
  let takenBack = { afterInput: -1, revision: 0 };
  return rows.map((row) => {
    const window = `${row.key} ${row.start} ${row.end}`;
    const before = known.get(window) ?? 0;
    if (row.value === null) {
      const others = takenBack.afterInput === row.afterInput ? takenBack.revision : 0;
      takenBack = { afterInput: row.afterInput, revision: Math.max(others, before) };
      known.delete(window);
      return { ...row, revision: before + 1 };
    }
    const replaced = takenBack.afterInput === row.afterInput ? takenBack.revision : 0;
    const revision = Math.max(before, replaced) + 1;
    known.set(window, revision);
    return { ...row, revision };
  });
}
