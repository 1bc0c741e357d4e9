import { MillraceError, type Topic } from "@millrace/core";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import type { EventTimes, TimeStep } from "./event-times.ts";
import { checkOptions } from "./options.ts";
import { type TypeArbitraries, valuesOfType } from "./value-arbitrary.ts";

/** Whether a `V` is a value of a property, or may be one, as a number may be a branded one. Not of a property with a list of literals. */
type CanHold<P, V> = V extends P
  ? true
  : P extends V
    ? [Exclude<keyof P, keyof V>] extends [never]
      ? false
      : true
    : false;

/** The names of those properties of a record that can hold a `V`. */
export type FieldFor<A, V> = { [K in keyof A]-?: CanHold<A[K], V> extends true ? K : never }[keyof A] & string;

/**
 * Where something that is generated goes in a value. A topic reads key and time out of its values, so they have to be put there: into
 * a `field`, or, where it is not as simple as that, by `set`, which returns the value with it.
 */
export type Place<A, V> =
  | { readonly field: FieldFor<A, V>; readonly set?: never }
  | { readonly set: (value: A, part: V) => A; readonly field?: never };

/** What records are to be like. */
export interface RecordsOptions<A> {
  /** The values, before keys and times are put into them. Default: those of the schema. */
  readonly values?: fc.Arbitrary<A>;
  /** The io-ts type of the values. Default: the one that the topic's codec was made with: `json(Order)` carries it. */
  readonly schema?: { readonly _A: A; readonly name: string; readonly _tag?: string };
  /** Values for types of the schema that io-ts did not make, by the types' names. */
  readonly types?: TypeArbitraries;
  /** How many records, at least and at most. Default 0 to 30. */
  readonly count?: { readonly min?: number; readonly max?: number };
  /** Which keys the records have, such as `zipfKeys(100)`. Default: whatever the values say. */
  readonly keys?: Place<A, string> & { readonly from: fc.Arbitrary<string> };
  /** When the records happen. Default: whatever the values say. */
  readonly times?: Place<A, number> & { readonly from: EventTimes };
}

const OPTIONS = ["values", "schema", "types", "count", "keys", "times"] satisfies (keyof RecordsOptions<unknown>)[];

/** A record and the time in front of it. */
export interface Arrival<A> {
  readonly value: A;
  /** For how long (ms) nothing is sent in front of it: 0, or an idle phase. */
  readonly idleMs: number;
}

/**
 * Lists of records of a topic, which its codec can write and read again. Shrinks towards fewer and simpler records, in order.
 *
 * Throws `InvalidOption`: without `values`, where the codec carries no io-ts type or one that has parts of other makes (name those in
 * `types`); for keys or times of a topic that has none.
 *
 * @example
 * ```ts
 * const orders = topic("orders", { codec: json(Order), key: (o) => o.customer, timestamp: (o) => o.at });
 * const anyOrders = recordsOf(orders, {
 *   keys: { field: "customer", from: zipfKeys(20) },
 *   times: { field: "at", from: eventTimes({ outOfOrder: "5 s" }) },
 * });
 * ```
 */
export function recordsOf<A>(topic: Topic<A>, options: RecordsOptions<NoInfer<A>> = {}): fc.Arbitrary<readonly A[]> {
  return arrivalsOf(topic, options).map((arrivals) => arrivals.map(({ value }) => value));
}

/** As {@link recordsOf}, together with the idle phases of `eventTimes({ idle })`: let time pass before such a record is sent. */
export function arrivalsOf<A>(
  topic: Topic<A>,
  options: RecordsOptions<NoInfer<A>> = {},
): fc.Arbitrary<readonly Arrival<A>[]> {
  checkParts(topic, options);
  const { count = {}, keys, times } = options;
  const { min = 0, max = Math.max(min, 30) } = count;
  const keyed = keys === undefined ? valuesOf(topic, options) : withKeys(valuesOf(topic, options), keys);
  // What the value says of its time will be replaced; it must not be what the topic refuses it for.
  const value = times === undefined ? keyed : keyed.map((each) => put<A, number>(times, each, 0));
  const step = times?.from.step ?? fc.constant(null);
  return fc
    .array(fc.tuple(writable(topic, value), step), { minLength: min, maxLength: max })
    .map((drawn) => (times === undefined ? drawn.map(([each]) => arrivalOf(each)) : withTimes(topic, drawn, times)));
}

function arrivalOf<A>(value: A, step: TimeStep | null = null): Arrival<A> {
  return { value, idleMs: step?.idleMs ?? 0 };
}

function checkParts<A>(topic: Topic<A>, options: RecordsOptions<A>): void {
  checkOptions("recordsOf", options, OPTIONS);
  const { count = {}, keys, times } = options;
  checkOptions("recordsOf: count", count, ["min", "max"]);
  checkPlace("keys", keys);
  checkPlace("times", times);
  if (keys !== undefined && topic.key === null) {
    throw new MillraceError("InvalidOption", `recordsOf: topic "${topic.name}" has no key, so keys mean nothing to it`);
  }
  if (times !== undefined && topic.timestamp === null) {
    const message = `recordsOf: topic "${topic.name}" has no timestamp, so its times are those of sending: declare timestamp, or leave out times`;
    throw new MillraceError("InvalidOption", message);
  }
}

function checkPlace(name: string, place: unknown): void {
  if (place !== undefined) {
    checkOptions(`recordsOf: ${name}`, place, ["field", "set", "from"]);
    const { from } = place as { readonly from?: unknown };
    if (typeof from !== "object" || from === null) {
      throw new MillraceError("InvalidOption", `recordsOf: ${name} needs from: what they are drawn from`);
    }
  }
}

function valuesOf<A>(topic: Topic<A>, { values, schema, types = {} }: RecordsOptions<A>): fc.Arbitrary<A> {
  if (values !== undefined) {
    return values;
  }
  const carried: unknown = schema ?? ("schema" in topic.codec ? topic.codec.schema : undefined);
  if (typeof carried !== "object" || carried === null || "~standard" in carried) {
    const why =
      carried === undefined
        ? `its codec ${topic.codec.name} does not carry its schema: give an io-ts type as schema, or values`
        : "only io-ts types can be walked: give values, such as fc.record({ … })";
    throw new MillraceError("InvalidOption", `recordsOf: records of topic "${topic.name}" cannot be made up, ${why}`);
  }
  return valuesOfType(carried, types) as fc.Arbitrary<A>;
}

function put<A, V>(place: Place<A, V>, value: A, part: V): A {
  return place.set === undefined ? { ...value, [place.field]: part } : place.set(value, part);
}

function withKeys<A>(
  values: fc.Arbitrary<A>,
  keys: Place<A, string> & { readonly from: fc.Arbitrary<string> },
): fc.Arbitrary<A> {
  return fc.tuple(values, keys.from).map(([value, key]) => put<A, string>(keys, value, key));
}

function withTimes<A>(
  topic: Topic<A>,
  drawn: readonly (readonly [A, TimeStep | null])[],
  times: Place<A, number> & { readonly from: EventTimes },
): readonly Arrival<A>[] {
  const steps = drawn.flatMap(([, step]) => (step === null ? [] : [step]));
  const at = times.from.timesOf(steps);
  return drawn.map(([value, step], index) => {
    const timed = put<A, number>(times, value, at[index] ?? 0);
    const problem = problemOf(topic, timed);
    if (problem !== null) {
      throw new MillraceError(
        "InvalidOption",
        `recordsOf: with its time put into it, a value is no record of topic "${topic.name}" any more: ${problem}`,
      );
    }
    return arrivalOf(timed, step);
  });
}

/** Tries in a row before the topic counts as one that takes none of the values. */
const MAX_TRIES = 1_000;

/** Those values that the topic's codec writes and reads again. */
function writable<A>(topic: Topic<A>, values: fc.Arbitrary<A>): fc.Arbitrary<A> {
  let refused = 0;
  return values.filter((value) => {
    const problem = problemOf(topic, value);
    refused = problem === null ? 0 : refused + 1;
    if (problem !== null && refused >= MAX_TRIES) {
      refused = 0;
      const message = `recordsOf: of ${MAX_TRIES} values made up for topic "${topic.name}" it takes none; the last one: ${problem}`;
      throw new MillraceError("InvalidOption", message);
    }
    return problem === null;
  });
}

/** Why a value is no record of its topic. */
function problemOf<A>(topic: Topic<A>, value: A): string | null {
  const text = topic.codec.encode(value);
  const read = E.isLeft(text) ? text : topic.codec.decode(text.right);
  if (E.isLeft(read)) {
    return read.left.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  }
  const key = topic.key === null ? "" : topic.key(value);
  if (typeof key !== "string" || /\p{Surrogate}/u.test(key)) {
    return "its key is no text";
  }
  const time = topic.timestamp === null ? 0 : topic.timestamp(value);
  return Number.isInteger(time) && Math.abs(time) <= MAX_TIME_MS ? null : `its time ${time} is no whole number of ms`;
}

/** As of `Date`. */
const MAX_TIME_MS = 8_640_000_000_000_000;
