/** What operators make of values, and what must become of a log: computed at once, with nothing that runs. */
import { type FailureDecision, partitionOf } from "@millrace/core";
import { hash, isAsync, type Operator, type Shape } from "./shape.ts";

/** The value of the random pipelines. `id` is its own among all values; `trail` names what has changed it. */
export interface Value {
  readonly key: string;
  readonly n: number;
  readonly id: string;
  readonly trail: string;
}

/** A value at an operator. */
export interface Visit {
  readonly operator: Operator;
  readonly value: Value;
  /** The key of the record beneath it. */
  readonly key: string;
  readonly from: Visit | null;
  /** Its place among all values at this operator, in the order of the log. */
  readonly place: number;
}

/** How an operator fails for a value. */
export interface Failure {
  /**
   * `calls`: so many calls fail; `attempts`: so many of each run of attempts, until the final repair; `poison`: until its group is
   * repaired; `forever`.
   */
  readonly kind: "calls" | "attempts" | "poison" | "forever";
  readonly count: number;
  /** `hang`: it does not come to an end when it should. */
  readonly manner: "throw" | "timeout" | "hang";
}

export const REPAIR_GROUPS = 3;

/** The key by which `partitionBy` groups. */
export const groupOf = ({ n }: Pick<Value, "n">): string => `g${n % 3}`;
/** The lane where a function says it. */
export const laneOf = ({ n }: Pick<Value, "n">): string => `lane ${n % 2}`;
export const visitId = (operator: Pick<Operator, "name">, id: string): string => `${operator.name}:${id}`;

/** What an operator makes of a value. */
export function apply({ kind, name }: Pick<Operator, "kind" | "name">, value: Value): readonly Value[] {
  const marked = { ...value, trail: `${value.trail} ${name}` };
  switch (kind) {
    case "filter":
    case "rxFilter":
      return hash(`${name} keeps ${value.id}`) % 4 === 0 ? [] : [value];
    case "flatMap":
    case "flatMapOrdered":
    case "rxMergeMap":
      return Array.from({ length: hash(`${name} of ${value.id}`) % 3 }, (_, part) => ({
        ...marked,
        id: `${value.id}.${part}`,
      }));
    case "map":
    case "mapOrdered":
    case "mapUnordered":
    case "rxMap":
    case "rxScan":
      return [marked];
    case "tap":
    case "batch":
    case "rxBufferCount":
    case "partitionBy":
    case "stream":
    case "topic":
    case "function":
      return [value];
  }
}

/** Which failures a pipeline meets. */
export class Model {
  readonly visits = new Map<string, Visit>();
  /** The values that reach each end, in the order of the log. */
  readonly leaves = new Map<string, Visit[]>();
  private readonly shape: Shape;
  private readonly places = new Map<string, number>();

  constructor(shape: Shape, log: readonly Value[]) {
    this.shape = shape;
    for (const { end } of shape.branches) {
      this.leaves.set(end.name, []);
    }
    for (const value of log) {
      this.enter(value);
    }
  }

  /** What becomes of a value for which the operator fails. */
  decision(operator: Operator, n: number): FailureDecision {
    const { policy, decisions } = operator;
    return policy === "function"
      ? (decisions[hash(`${operator.name} decides about ${n}`) % decisions.length] ?? "fail")
      : policy;
  }

  /** How the operator fails for a value; `null`: never. */
  failure(operator: Operator, value: Value): Failure | null {
    const seed = `${this.shape.seed} ${operator.name} ${value.id}`;
    // Probes, which are sent in the end, meet no failure.
    if (value.trail.startsWith("probe") || hash(`${seed} fails`) % 100 >= operator.failing) {
      return null;
    }
    const kind = this.kindOf(operator, value, pick(KINDS, `${seed} kind`));
    const manner = isAsync(operator) && operator.hasTimeout ? pick(MANNERS, `${seed} manner`) : "throw";
    const count = 1 + (hash(`${seed} count`) % 4);
    // No policy helps against what hangs.
    return { kind, count, manner: kind === "forever" && manner === "hang" ? "timeout" : manner };
  }

  /** Only calls have attempts, and only what is put aside may fail for ever: else nothing would come to an end. */
  private kindOf(operator: Operator, { n }: Value, kind: Failure["kind"]): Failure["kind"] {
    const canEnd = ["skip", "deadLetter", "park"].includes(this.decision(operator, n));
    const isPossible = (kind !== "attempts" || isAsync(operator)) && (kind !== "forever" || canEnd);
    return isPossible ? kind : "poison";
  }

  /** Whether an operator can have given up on a value: retries may hide a failure. */
  mayGiveUp({ operator, value }: Visit): boolean {
    const failure = this.failure(operator, value);
    const isHidden = failure?.kind === "attempts" && failure.count < operator.attempts && failure.manner !== "hang";
    return failure !== null && !isHidden;
  }

  /** Where a value has been on its way to a visit, the visit itself included, the stream first. */
  wayTo(visit: Visit): readonly Visit[] {
    const way: Visit[] = [];
    for (let at: Visit | null = visit; at !== null; at = at.from) {
      way.unshift(at);
    }
    return way;
  }

  partitionOf(value: Pick<Value, "key">): number {
    return partitionOf(value.key, this.shape.partitions);
  }

  private enter(value: Value): void {
    const { stream, trunk, branches } = this.shape;
    for (const [start, made] of this.pass(this.visit(stream, value, null))) {
      for (const [from, result] of this.through(trunk, made, start)) {
        for (const { operators, end } of branches) {
          for (const [last, leaf] of this.through(operators, result, from)) {
            this.leaves.get(end.name)?.push(this.visit(end, leaf, last));
          }
        }
      }
    }
  }

  private through(operators: readonly Operator[], value: Value, from: Visit): (readonly [Visit, Value])[] {
    let values: (readonly [Visit, Value])[] = [[from, value]];
    for (const operator of operators) {
      // A change to the key that is there is no operator at all.
      if (!operator.isSameKey) {
        values = values.flatMap(([before, each]) => this.pass(this.visit(operator, each, before)));
      }
    }
    return values;
  }

  private pass(visit: Visit): (readonly [Visit, Value])[] {
    return apply(visit.operator, visit.value).map((result) => [visit, result] as const);
  }

  private visit(operator: Operator, value: Value, from: Visit | null): Visit {
    const place = this.places.get(operator.name) ?? 0;
    this.places.set(operator.name, place + 1);
    const key = operator.isRegrouped ? groupOf(value) : value.key;
    const visit = { operator, value, key, from, place };
    this.visits.set(visitId(operator, value.id), visit);
    return visit;
  }
}

function pick<A>(choices: readonly [A, ...A[]], seed: string): A {
  return choices[hash(seed) % choices.length] ?? choices[0];
}

const KINDS: readonly [Failure["kind"], ...Failure["kind"][]] = [
  "calls",
  "calls",
  "attempts",
  "poison",
  "poison",
  "poison",
  "forever",
];
const MANNERS: readonly [Failure["manner"], ...Failure["manner"][]] = [
  "throw",
  "throw",
  "throw",
  "timeout",
  "timeout",
  "hang",
];
