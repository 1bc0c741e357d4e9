/**
 * What a group remembers of its pipeline: which stores there are, what they hold and under which names they lie, and which
 * topics its changes of key go through. Text in the store, canonical: equal topologies are equal texts.
 */
import * as E from "fp-ts/lib/Either.js";
import { parse } from "../codec/plain-json.ts";
import type { TopicInfo } from "../ports/log.ts";

/** A store that the group has. */
export interface KeptStore {
  /** The topic that its tasks read: how many partitions the store has. */
  readonly source: TopicInfo;
  readonly keeps: string;
  /** The version that writes it. */
  readonly version: number;
  /** The oldest version of which it may still hold entries. */
  readonly oldest: number;
  /** How many resets the group had seen when the store began; see {@link physicalName}. */
  readonly since: number;
}

/** A store where it lies. */
export interface LyingStore {
  /** The name under which it lies. */
  readonly store: string;
  readonly source: TopicInfo;
}

/** What a group remembers. */
export interface KeptTopology {
  /** How often stores were reset. Never falls, so that no name is used twice. */
  readonly resets: number;
  /** By name. One that the pipeline has no more stays until it is reset: workers of an earlier version may come back. */
  readonly stores: ReadonlyMap<string, KeptStore>;
  /** The topics that changes of key go through, by name; they stay as stores do. */
  readonly repartitions: ReadonlyMap<string, TopicInfo>;
  /** What is given up, until it is deleted. */
  readonly doomed: readonly LyingStore[];
}

/** What is stored, as JSON. */
interface Stored {
  readonly format: typeof FORMAT;
  readonly resets: number;
  readonly stores: Readonly<Record<string, KeptStore>>;
  readonly repartitions: Readonly<Record<string, TopicInfo>>;
  readonly doomed: readonly LyingStore[];
}

const FORMAT = 1;

/** A group that remembers nothing. */
export const NOTHING_KEPT: KeptTopology = { resets: 0, stores: new Map(), repartitions: new Map(), doomed: [] };

/** The name under which a store lies: that of the plan, and after resets one that no store can be given. */
export function physicalName(store: string, since: number): string {
  return since === 0 ? store : `${store}~${since}`;
}

/** The name of the store in which an operator keeps results that are to be emitted at a time of the clock, beside its own. */
export function updatesName(store: string): string {
  return `${store}~updates`;
}

/** As text. */
export function encodeTopology({ resets, stores, repartitions, doomed }: KeptTopology): string {
  const stored: Stored = {
    format: FORMAT,
    resets,
    stores: sorted(stores, ({ source, keeps, version, oldest, since }) => ({
      source: topicOf(source),
      keeps,
      version,
      oldest,
      since,
    })),
    repartitions: sorted(repartitions, topicOf),
    doomed: doomed.map(({ store, source }) => ({ store, source: topicOf(source) })),
  };
  return JSON.stringify(stored);
}

/** From text; or why it cannot be read. */
export function decodeTopology(text: string): E.Either<string, KeptTopology> {
  const json = parse(text);
  const value = E.isRight(json) ? json.right : null;
  if (!isObject(value)) {
    return E.left("it is not JSON of an object");
  }
  if (value["format"] !== FORMAT) {
    return E.left(`it is of format ${JSON.stringify(value["format"])}, and this version of Millrace reads ${FORMAT}`);
  }
  if (!isStored(value)) {
    return E.left("parts of it are missing");
  }
  const { resets, stores, repartitions, doomed } = value;
  return E.right({
    resets,
    stores: new Map(Object.entries(stores)),
    repartitions: new Map(Object.entries(repartitions)),
    doomed,
  });
}

/** In one order of fields. */
function topicOf({ name, partitions, incarnation }: TopicInfo): TopicInfo {
  return { name, partitions, incarnation };
}

function sorted<A>(map: ReadonlyMap<string, A>, as: (value: A) => A): Readonly<Record<string, A>> {
  const names = [...map.keys()].toSorted();
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = map.get(name);
      return value === undefined ? [] : [[name, as(value)]];
    }),
  );
}

function isStored(value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, unknown>> & Stored {
  const { resets, stores, repartitions, doomed } = value;
  return (
    Number.isSafeInteger(resets) &&
    isObject(stores) &&
    Object.values(stores).every(isKeptStore) &&
    isObject(repartitions) &&
    Object.values(repartitions).every(isTopic) &&
    Array.isArray(doomed) &&
    doomed.every((each) => isObject(each) && typeof each["store"] === "string" && isTopic(each["source"]))
  );
}

function isKeptStore(value: unknown): boolean {
  return (
    isObject(value) &&
    isTopic(value["source"]) &&
    typeof value["keeps"] === "string" &&
    [value["version"], value["oldest"], value["since"]].every(Number.isSafeInteger)
  );
}

function isTopic(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value["name"] === "string" &&
    Number.isSafeInteger(value["partitions"]) &&
    typeof value["incarnation"] === "string"
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
