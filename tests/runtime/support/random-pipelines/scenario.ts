/** What a random pipeline is made of, and what happens to it while it runs. Plain data, so that it can be shrunk. */
import type { FailureDecision } from "@millrace/core";
import * as fc from "fast-check";

/** What is said in place of one decision: a function that decides about each value by itself. */
export type Policy = FailureDecision | "function";

const OWN_KINDS = [
  "map",
  "filter",
  "flatMap",
  "tap",
  "mapOrdered",
  "flatMapOrdered",
  "mapUnordered",
  "batch",
  "partitionBy",
] as const;
/** Operators of RxJS. */
const FOREIGN_KINDS = ["rxMap", "rxFilter", "rxScan", "rxMergeMap", "rxBufferCount"] as const;

export type ForeignKind = (typeof FOREIGN_KINDS)[number];
export type OperatorKind = (typeof OWN_KINDS)[number] | ForeignKind;

/** One operator, or one end. */
export interface OperatorChoice {
  readonly kind: OperatorKind;
  readonly policy: Policy;
  /** How many of 100 values it fails for, at least for a while. */
  readonly failing: number;
  readonly concurrency: number;
  readonly lane: "key" | "none" | "function";
  /** Calls of a handler in all. */
  readonly attempts: number;
  readonly hasTimeout: boolean;
  /** How long a handler takes at most, in ms. */
  readonly slowMs: number;
  /** Whether its letters go to a topic that was named. */
  readonly hasOwnTopic: boolean;
  /** Whether a change of key is to that of the topic, which needs no topic of its own. */
  readonly isSameKey: boolean;
}

export interface EndChoice extends Omit<OperatorChoice, "kind"> {
  readonly kind: "topic" | "function";
  readonly partitions: number;
}

export interface BranchChoice {
  readonly operators: readonly OperatorChoice[];
  readonly end: EndChoice;
}

/** What workers are asked. */
const REQUESTS = [
  "redriveAll",
  "redriveKey",
  "redriveNode",
  "redriveSome",
  "redriveFirst",
  "discardSome",
  "resume",
] as const;
export type RequestKind = (typeof REQUESTS)[number];

/** What happens after so much virtual time; `which` chooses a worker, a key, letters, … */
export interface Turn {
  readonly kind: "start" | "crash" | "stop" | "repair" | RequestKind;
  readonly afterMs: number;
  readonly which: number;
}

export interface Scenario {
  readonly seed: number;
  readonly partitions: number;
  /** The key of each record, by number. */
  readonly keys: readonly number[];
  /** So many records come at once, with a pause between. */
  readonly portion: number;
  readonly pauseMs: number;
  /** What is done with entries that do not decode. */
  readonly entries: { readonly policy: Policy; readonly failing: number };
  readonly trunk: readonly OperatorChoice[];
  readonly branches: readonly BranchChoice[];
  readonly turns: readonly Turn[];
  /** How likely a call of the store is refused, and how likely it loses its reply. */
  readonly rate: number;
  readonly latencyMs: number;
  /** Of each worker. */
  readonly maxRecords: number;
  /** Whether what cannot be repaired is discarded in the end. */
  readonly discardsRest: boolean;
}

const policy: fc.Arbitrary<Policy> = fc.constantFrom<Policy>(
  "fail",
  "park",
  "park",
  "park",
  "deadLetter",
  "deadLetter",
  "skip",
  "quarantine",
  "function",
);

const common = {
  policy,
  failing: fc.constantFrom(0, 5, 15, 40),
  concurrency: fc.constantFrom(1, 2, 4, 16),
  lane: fc.constantFrom<OperatorChoice["lane"]>("key", "key", "key", "none", "function"),
  attempts: fc.integer({ min: 1, max: 3 }),
  hasTimeout: fc.boolean(),
  slowMs: fc.constantFrom(0, 0, 8, 40),
  hasOwnTopic: fc.boolean(),
  isSameKey: fc.boolean(),
};

const operator: fc.Arbitrary<OperatorChoice> = fc.record({
  kind: fc.constantFrom<OperatorKind>(
    ...OWN_KINDS,
    ...FOREIGN_KINDS,
    "mapOrdered",
    "mapOrdered",
    "flatMapOrdered",
    "map",
  ),
  ...common,
});

const end: fc.Arbitrary<EndChoice> = fc.record({
  kind: fc.constantFrom<EndChoice["kind"]>("topic", "topic", "function"),
  partitions: fc.integer({ min: 1, max: 2 }),
  ...common,
});

const turn: fc.Arbitrary<Turn> = fc.record({
  kind: fc.constantFrom<Turn["kind"]>("start", "crash", "crash", "stop", "repair", "repair", "redriveAll", ...REQUESTS),
  // Often at once: what was asked is interrupted.
  afterMs: fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 60 }), fc.nat({ max: 400 })),
  which: fc.nat({ max: 11 }),
});

/** All lengths are as likely; left to itself, fast-check prefers short ones. */
const size = "max";

/** Few records of few keys, many turns: every call of an operator counts. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  partitions: fc.integer({ min: 1, max: 3 }),
  keys: fc.oneof(
    fc.array(fc.nat({ max: 1 }), { maxLength: 16, size }),
    fc.array(fc.nat({ max: 4 }), { maxLength: 30, size }),
  ),
  portion: fc.integer({ min: 1, max: 20 }),
  pauseMs: fc.integer({ min: 0, max: 80 }),
  entries: fc.record({ policy, failing: fc.constantFrom(0, 0, 0, 10) }),
  trunk: fc.array(operator, { maxLength: 3, size }),
  branches: fc.array(fc.record({ operators: fc.array(operator, { maxLength: 3, size }), end }), {
    minLength: 1,
    maxLength: 2,
  }),
  turns: fc.array(turn, { maxLength: 6, size }),
  rate: fc.constantFrom(0, 0, 0.02, 0.1),
  latencyMs: fc.constantFrom(0, 0, 5, 30),
  maxRecords: fc.constant(512),
  discardsRest: fc.boolean(),
});

/** Many records behind a limit that they exceed, so that reading waits for commits. */
export const crowded: fc.Arbitrary<Scenario> = scenarios.chain((few) =>
  fc.array(fc.nat({ max: 6 }), { minLength: 600, maxLength: 1_400 }).map((keys) => ({
    ...few,
    partitions: 1,
    keys,
    portion: keys.length,
  })),
);
