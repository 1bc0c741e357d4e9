/** A random pipeline with names and with choices that go together: what is built, and what the model reads. */
import type { FailureDecision } from "@millrace/core";
import type { BranchChoice, EndChoice, OperatorChoice, OperatorKind, Policy, Scenario } from "./scenario.ts";

/** An operator, an end, or the stream itself. */
export interface Operator extends Omit<OperatorChoice, "kind"> {
  /** Unique in the pipeline. */
  readonly name: string;
  readonly kind: OperatorKind | EndChoice["kind"] | "stream";
  /** Its name in dead letters. */
  readonly node: string;
  /** What may be decided where the policy is a function. */
  readonly decisions: readonly FailureDecision[];
  /** Whether its records have the key that `partitionBy` has given them. */
  readonly isRegrouped: boolean;
  /**
   * Whether values come in groups that depend on where the task has begun. Beneath them is the last record of the group, so
   * that key and idempotency key say nothing of a value.
   */
  readonly isBehindBuffer: boolean;
}

export interface Branch {
  readonly operators: readonly Operator[];
  readonly end: Operator & { readonly partitions: number };
}

export interface Shape {
  readonly seed: number;
  readonly partitions: number;
  readonly stream: Operator;
  readonly trunk: readonly Operator[];
  readonly branches: readonly Branch[];
  /** Whether the input ends: foreign operators that may hold records back let go of the last ones only then. */
  readonly isEnded: boolean;
}

export const GROUP = "app.pipe";
export const SOURCE = "source";
/** The topic of letters that is named. */
export const LETTERS = "letters";

/** A number from 0 to 2³² − 1 that depends on nothing but the text (FNV-1a, mixed). */
export function hash(text: string): number {
  let state = 0x81_1c_9d_c5;
  for (let i = 0; i < text.length; i += 1) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01_00_01_93);
  }
  state = Math.imul(state ^ (state >>> 15), 0x2c_1b_3c_6d);
  state = Math.imul(state ^ (state >>> 12), 0x29_7a_2d_39);
  return (state ^ (state >>> 15)) >>> 0;
}

const isForeign = (kind: Operator["kind"]): boolean => kind.startsWith("rx");
export const isAsync = ({ kind }: { readonly kind: string }): boolean =>
  kind === "mapOrdered" || kind === "flatMapOrdered" || kind === "mapUnordered" || kind === "function";

export function shapeOf(scenario: Scenario): Shape {
  const { seed, partitions, entries, trunk, branches } = scenario;
  const all = [...trunk, ...branches.flatMap(({ operators }) => operators)];
  const isEnded = all.some(({ kind }) => kind === "rxBufferCount");
  const namer = new Namer(isEnded);
  const begin = { isRegrouped: false, isUnchanged: true, isBehindBuffer: false, isShuffled: false };
  const stream = namer.operator({ ...DEFAULTS, ...entries, kind: "stream" }, SOURCE, begin);
  const [trunkOperators, behind] = namer.chain(trunk, "t", begin);
  return {
    seed,
    partitions,
    stream,
    trunk: trunkOperators,
    branches: branches.map((branch, index) => namer.branch(branch, `b${index}`, behind)),
    isEnded,
  };
}

/** What a stream has no choice of. */
const DEFAULTS = {
  concurrency: 1,
  lane: "key",
  attempts: 1,
  hasTimeout: false,
  slowMs: 0,
  hasOwnTopic: false,
  isSameKey: false,
} as const;

/** What is known of values at a place of a chain. */
interface Place {
  readonly isRegrouped: boolean;
  /** They are still those of the topic, so that its own key needs no topic. */
  readonly isUnchanged: boolean;
  readonly isBehindBuffer: boolean;
  /** Records are not in the order of the log, or have no key of their own: nothing can be parked. */
  readonly isShuffled: boolean;
}

const PASS_ON: ReadonlySet<Operator["kind"]> = new Set(["filter", "tap", "partitionBy"]);

class Namer {
  private readonly isEnded: boolean;

  constructor(isEnded: boolean) {
    this.isEnded = isEnded;
  }

  chain(choices: readonly OperatorChoice[], prefix: string, from: Place): [readonly Operator[], Place] {
    let place = from;
    const operators = choices.map((choice, index) => {
      const made = this.operator(choice, `${prefix}${index}`, place);
      const isRegrouped = place.isRegrouped || (made.kind === "partitionBy" && !made.isSameKey);
      place = {
        isRegrouped,
        isUnchanged: place.isUnchanged && PASS_ON.has(made.kind),
        isBehindBuffer: place.isBehindBuffer || made.kind === "rxBufferCount" || made.kind === "batch",
        isShuffled: made.kind === "mapUnordered" || (place.isShuffled && made.kind !== "partitionBy"),
      };
      return made;
    });
    return [operators, place];
  }

  branch({ operators: choices, end }: BranchChoice, prefix: string, from: Place): Branch {
    const [operators, place] = this.chain(choices, prefix, from);
    return { operators, end: { ...this.operator(end, `${prefix}end`, place), partitions: end.partitions } };
  }

  operator(
    choice: Omit<OperatorChoice, "kind"> & { readonly kind: Operator["kind"] },
    name: string,
    { isRegrouped, isUnchanged, isBehindBuffer, isShuffled }: Place,
  ): Operator {
    // A second change of key brings nothing new.
    const kind = choice.kind === "partitionBy" && isRegrouped ? "map" : choice.kind;
    const isSameKey = kind === "partitionBy" && choice.isSameKey && isUnchanged;
    const isGroup = kind === "partitionBy" && !isSameKey;
    const callsNothing = kind === "batch" || kind === "rxBufferCount" || isSameKey;
    const parks = mayPark(kind, choice.lane) && !isBehindBuffer && !isShuffled;
    return {
      ...choice,
      kind,
      name,
      isSameKey,
      isRegrouped,
      isBehindBuffer,
      node: isGroup ? `${name}.repartition` : name,
      failing: callsNothing ? 0 : choice.failing,
      policy: isForeign(kind) || callsNothing ? "fail" : this.policy(choice.policy, { parks, isBehindBuffer }),
      decisions: parks ? ["park", "deadLetter", "skip", "fail"] : ["deadLetter", "skip", "fail"],
    };
  }

  private policy(policy: Policy, at: { readonly parks: boolean; readonly isBehindBuffer: boolean }): Policy {
    if (this.isEnded) {
      return policy === "skip" ? "skip" : "fail";
    }
    const isOfRecord = policy === "park" ? at.parks : policy !== "function" || !at.isBehindBuffer;
    return isOfRecord ? policy : "deadLetter";
  }
}

/** Where nothing of a key overtakes. */
function mayPark(kind: Operator["kind"], lane: OperatorChoice["lane"]): boolean {
  return kind !== "mapUnordered" && (lane === "key" || (kind !== "mapOrdered" && kind !== "flatMapOrdered"));
}
