import * as E from "fp-ts/lib/Either.js";
import { stringify } from "../codec/plain-json.ts";
import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import type { RecordInfo } from "../topology/record.ts";
import type { Aggregate } from "./aggregates.ts";

/** The states of a named set of aggregates, by their names. */
export type States = Readonly<Record<string, unknown>>;

/** Aggregates that work side by side on the same values. Every function is pure. */
export class AggregateSet {
  /** What they are, such as `n count, total sum`: part of what the store says of itself. */
  readonly text: string;
  private readonly operator: string;
  private readonly named: readonly (readonly [name: string, aggregate: Aggregate<unknown, unknown>])[];

  /** Throws `InvalidOption` for an empty set, or what is no aggregate. */
  constructor(operator: string, aggregates: Readonly<Record<string, Aggregate<never, unknown>>>) {
    this.operator = operator;
    checkObject(operator, aggregates);
    const named = Object.entries(aggregates) as [string, Aggregate<unknown, unknown>][];
    if (named.length === 0) {
      throw new MillraceError("InvalidOption", `${operator}: name at least one aggregate, such as { n: count() }`);
    }
    for (const [name, aggregate] of named) {
      if (name === "__proto__") {
        throw new MillraceError("InvalidOption", `${operator}: no aggregate can be named ${name}`);
      }
      checkAggregate(operator, name, aggregate);
    }
    this.named = named;
    this.text = named.map(([name, { name: kind }]) => `${name} ${kind}`).join(", ");
  }

  get names(): readonly string[] {
    return this.named.map(([name]) => name);
  }

  /** Throws `InvalidOption` unless states can be merged; `why` says for what. */
  requireMerge(why: string): void {
    const missing = this.named.filter(([, aggregate]) => typeof aggregate.merge !== "function").map(([name]) => name);
    if (missing.length > 0) {
      throw new MillraceError(
        "InvalidOption",
        `${this.operator}: ${why}, and ${missing.join(", ")} cannot: give the aggregate { merge }, a fold its third argument`,
      );
    }
  }

  init(): States {
    return this.each((aggregate) => aggregate.init());
  }

  /** Throws what an aggregate throws, and `EncodeError` for a state that has no JSON form. */
  add(states: States, value: unknown, record: RecordInfo): States {
    return this.each((aggregate, name) => {
      const state: unknown = aggregate.add(states[name], value, record);
      this.check(name, state, aggregate);
      return state;
    });
  }

  /** `a` is earlier in time. */
  merge(a: States, b: States): States {
    return this.each((aggregate, name) => aggregate.merge?.(a[name], b[name]));
  }

  /** The results of the states, by name. */
  out(states: States): object {
    return this.each((aggregate, name) => aggregate.out(states[name]));
  }

  private each(f: (aggregate: Aggregate<unknown, unknown>, name: string) => unknown): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const [name, aggregate] of this.named) {
      result[name] = f(aggregate, name);
    }
    return result;
  }

  /** What would come back from the store as something else is refused where the record that caused it is known. */
  private check(name: string, state: unknown, aggregate: Aggregate<unknown, unknown>): void {
    if (aggregate.isPlain === true || (typeof state === "number" && Number.isFinite(state))) {
      return;
    }
    const text = stringify(state);
    if (E.isLeft(text)) {
      const issues = text.left.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
      throw new MillraceError(
        "EncodeError",
        `${this.operator}: the state of aggregate ${quote(name)} cannot be stored: ${issues.join("; ")}`,
      );
    }
  }
}

function checkObject(operator: string, aggregates: unknown): void {
  if (typeof aggregates !== "object" || aggregates === null) {
    throw new MillraceError(
      "InvalidOption",
      `${operator}: aggregates must be an object such as { n: count() }, not ${kindOf(aggregates)}`,
    );
  }
}

function checkAggregate(operator: string, name: string, aggregate: unknown): void {
  const { init, add, out } = (aggregate ?? {}) as Partial<Aggregate<unknown, unknown>>;
  if (typeof init !== "function" || typeof add !== "function" || typeof out !== "function") {
    throw new MillraceError(
      "InvalidOption",
      `${operator}: ${quote(name)} is no aggregate: use count(), sum(f), …, or { name, init, add, out }`,
    );
  }
}
