/**
 * Where our windows are not Kafka's, on purpose. Everything else in `fixtures/windows.json` must come out as it does there, or,
 * of a defect, as is recommended there.
 *
 * Rows of sliding windows near the epoch were made by a program that knows nothing but the definition of the windows (all
 * accepted records within the bounds), and that agrees with Kafka in all cases that are not near the epoch.
 */

/** A result, half-open, whose time is that of every result: `end - 1`. */
type OurRow = readonly [afterInput: number, key: string, start: number, end: number, value: string | number];

/** What is not as in Kafka. */
export interface Difference {
  readonly why: string;
  /** Which of Kafka's results are ours, too. Default: all. */
  readonly isOurs?: (row: { readonly afterInput: number; readonly start: number }) => boolean;
  /** Results that Kafka has not, or has later. */
  readonly added?: readonly OurRow[];
  /** Late records: all of them, not just those that are not late in Kafka. */
  readonly dropped?: readonly { readonly input: number; readonly drops: number }[];
  /** Inputs that never come to the log. */
  readonly refused?: readonly number[];
}

const EARLY_HOPPING =
  "hopping windows that start before 1970 exist: a time behind the epoch is in as many as any other";
const EARLY_SLIDING =
  "the window that ends at t is [t - size, t] also near the epoch, not [0, size]; so it closes earlier than that, too";
const THROTTLE =
  "nothing throttles final results: they come after the input whose time closes their windows, not when the wall clock allows";
const NO_NULL_KEY =
  "a key is text: the producer refuses a null, which is nothing that a log could hold, nor a late record";

const isNotFirst = ({ start }: { readonly start: number }): boolean => start !== 0;
const NONE = (): boolean => false;

/** By the id of the case. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "hop-expired-close": {
    why: `${EARLY_HOPPING}; 0 to 4 miss [-5, 5) beside [0, 10)`,
    dropped: [...[1, 2, 3, 4, 5].map((input) => ({ input, drops: 2 })), { input: 6, drops: 1 }, { input: 7, drops: 1 }],
  },
  "hop-interval0-onUpdate": { why: EARLY_HOPPING, added: [[0, "A", -5, 5, "0+1"]] },
  "hop-late-partial": {
    why: `${EARLY_HOPPING}; 4 misses [-5, 5) beside [0, 10)`,
    dropped: [
      { input: 1, drops: 1 },
      { input: 2, drops: 2 },
    ],
  },
  "hop-progress-onClose": { why: EARLY_HOPPING, added: [[2, "A", -5, 5, "0+1"]] },
  "hop-interval1000-close": {
    why: `${THROTTLE}; and ${EARLY_HOPPING}`,
    isOurs: NONE,
    added: [
      [2, "A", -5, 5, "0+1"],
      [3, "A", 0, 10, "0+1+1"],
      [5, "A", 5, 15, "0+1"],
      [5, "B", 5, 15, "0+2"],
      [7, "B", 10, 20, "0+2"],
      [7, "C", 10, 20, "0+3"],
      [7, "C", 15, 25, "0+3"],
      [7, "D", 15, 25, "0+4"],
      [7, "D", 20, 30, "0+4"],
    ],
  },
  "close-replay-throttled-default-retention": throttled(),
  "close-replay-throttled-long-retention": throttled(),
  "tum-null-key": {
    why: `${NO_NULL_KEY}; ${EARLY_HOPPING}`,
    added: [[1, "a", -5, 5, "0+1"]],
    dropped: [],
    refused: [0],
  },
  "session-null-key": { why: NO_NULL_KEY, dropped: [], refused: [0] },
  "slide-zero-diff": {
    why: "windows of one instant work, where Kafka accepts them and throws at the first record",
    added: [
      [0, "k", 5, 6, 1],
      [1, "k", 5, 6, 2],
      [2, "k", 6, 7, 1],
      [3, "k", 5, 6, 3],
    ],
  },
  "slide-early-large-onClose": {
    why: EARLY_SLIDING,
    isOurs: isNotFirst,
    added: [
      [1, "E", -10, 1, "0+1"],
      [4, "E", -5, 6, "0+1+3+2"],
      [4, "E", -4, 7, "0+1+3+4+2"],
    ],
    dropped: [
      { input: 3, drops: 1 },
      { input: 5, drops: 2 },
      { input: 6, drops: 4 },
      { input: 7, drops: 4 },
    ],
  },
  "slide-early-nograce-large-onUpdate": {
    why: EARLY_SLIDING,
    isOurs: isNotFirst,
    added: [
      [0, "E", -10, 1, "0+1"],
      [1, "E", -5, 6, "0+1+3"],
      [2, "E", -4, 7, "0+1+3+4"],
      [3, "E", -4, 7, "0+1+3+4+2"],
    ],
    dropped: [
      { input: 3, drops: 2 },
      { input: 5, drops: 2 },
      { input: 6, drops: 4 },
      { input: 7, drops: 1 },
    ],
  },
  "slide-early-nograce-onUpdate": {
    why: EARLY_SLIDING,
    isOurs: isNotFirst,
    added: [
      [0, "A", -50, 1, "0+1"],
      [1, "A", -45, 6, "0+1+2"],
      [2, "A", -44, 7, "0+1+2+3"],
      [3, "A", -44, 7, "0+1+2+3+4"],
      [4, "A", -37, 14, "0+1+2+3+4+5"],
      [5, "A", -37, 14, "0+1+2+3+4+5+6"],
    ],
    dropped: [
      { input: 3, drops: 2 },
      { input: 5, drops: 1 },
    ],
  },
  "slide-early-repeat-onClose": {
    why: EARLY_SLIDING,
    isOurs: isNotFirst,
    added: [
      [1, "A", -5, 1, "0+1"],
      [2, "A", -3, 3, "0+1+2"],
      [7, "A", -1, 5, "0+1+2+3+4+5+6+7"],
    ],
    dropped: [
      { input: 3, drops: 2 },
      { input: 4, drops: 1 },
      { input: 5, drops: 1 },
      { input: 6, drops: 2 },
    ],
  },
};

/** By the id of the case: where it is run without its `suppress`. */
export const UNSUPPRESSED: Readonly<Record<string, Difference>> = {
  "suppress-session-quirk": {
    why: "an open session is all there, where Kafka's store has dropped it 1 ms before it closes; final results are as recommended",
    isOurs: ({ afterInput }) => afterInput !== 2,
    added: [[2, "k", 0, 1, 2]],
  },
};

/** Records at 1, 11, … 61 in windows of 10 ms: each closes the one before it. The wall clock advances before the last one. */
function throttled(): Difference {
  const lost = [0, 10, 20, 30, 40];
  return {
    why: THROTTLE,
    isOurs: ({ start }) => start === 50,
    added: lost.map((start, n): OurRow => [n + 1, "k", start, start + 10, 1]),
  };
}

/** Cases of status `quirk` in which we do as Kafka does, or as the remark in the file says, and why. */
export const QUIRKS: Readonly<Record<string, string>> = {
  "session-bridge-default-retention": "a closed session is never merged, whatever is still stored of it",
  "tum-null-value": "null is a value as any other: count() counts it, in windows of every kind",
  "unlimited-start": "a record before the start is in no window, so there is none that it missed",
};

/** Windows before 1970 in which times of `assign` cases are, beside those of Kafka. */
export const BEFORE_1970: Readonly<Record<string, Readonly<Record<number, readonly (readonly [number, number])[]>>>> = {
  "assign-hop-10-5-edges": { 0: [[-5, 5]], 3: [[-5, 5]], 4: [[-5, 5]] },
};

/** Definitions that Kafka refuses and we accept, by the window's type. */
export const ACCEPTED: Readonly<Record<string, string>> = {
  unlimited: "it may begin before 1970, as any window",
  "unlimited+onClose": "it closes when the input ends",
};

/** Kinds of cases that are not run, and why. */
export const OUT_OF_SCOPE = {
  streamStreamJoin: "joins of streams come in a later issue",
  streamTableJoin: "tables and their joins come in a later issue",
  tableTableJoin: "tables and their joins come in a later issue",
  foreignKeyJoin: "tables and their joins come in a later issue",
  tableAggregate: "aggregates of tables, which take back what a row was before, come in a later issue",
  tableSuppress: "it holds back changes of a table; tables come in a later issue",
  tableSuppressPlain: "it holds back changes of a table; tables come in a later issue",
  punctuate: "no operator lets a program call itself at times of the stream; windows close by event time",
} as const;
