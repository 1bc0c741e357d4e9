import type { Adapter, Offset, TaskRef, TopicInfo } from "@millrace/core";

/** A place in the store, for {@link ConformanceTarget.corrupt}. */
export type Site =
  /** What says that the topic exists. */
  | { readonly kind: "topic"; readonly name: string }
  /** The log of one partition. */
  | { readonly kind: "partition"; readonly topic: TopicInfo; readonly partition: number }
  /** The writers' table of a topic. */
  | { readonly kind: "writers"; readonly topic: TopicInfo }
  /** What a task's owner, sequence and offset are kept in. */
  | { readonly kind: "task"; readonly task: TaskRef }
  /** One state store of a task. */
  | { readonly kind: "store"; readonly task: TaskRef; readonly store: string }
  /** The due times of a state store's entries, where they do not lie with the entries. */
  | { readonly kind: "dues"; readonly task: TaskRef; readonly store: string }
  /** The membership of a consumer group. */
  | { readonly kind: "group"; readonly group: string };

/** Something that is done to a store behind the adapter's back, or why it cannot be done; the report shows the reason. */
export type Hook<F> = F | { readonly skip: string };

/**
 * What the suite tests, and what it needs to do to the store.
 *
 * The suite names topics and groups at random, so the store need not be empty; but nobody else may write to it.
 */
export interface ConformanceTarget {
  readonly adapter: Adapter;
  /** The time (ms since the Unix epoch, whole) by the clock that says when records were appended. */
  readonly now: Hook<() => Promise<number>>;
  /** Frees what `make` created. Called once, after every session was closed. */
  readonly dispose: () => Promise<void>;
  /** Replaces what lies at `where`, whether or not something does, with a value of a type foreign to Millrace. */
  readonly corrupt: Hook<(where: Site) => Promise<void>>;
  /** Deletes a topic as an administrator would: its description and its logs. Tasks that read it stay. */
  readonly deleteTopic: Hook<(topic: TopicInfo) => Promise<void>>;
  /** Removes the records of a partition up to and with `through`, which is the last record of one append. */
  readonly trim: Hook<(topic: TopicInfo, partition: number, through: Offset) => Promise<void>>;
  /** Adds an entry to a partition that no adapter has written, and that holds these bytes. */
  readonly addForeign: Hook<(topic: TopicInfo, partition: number, bytes: Uint8Array) => Promise<void>>;
  /** Leaves no room to add records to a partition; the function returned makes room again. */
  readonly exhaust: Hook<(topic: TopicInfo, partition: number) => Promise<() => Promise<void>>>;
  /** Why the adapter cannot listen to the hints of groups; left out where it can. Nothing but speed depends on them. */
  readonly hints?: { readonly skip: string };
}

/** An adapter under test. */
export interface PortsConformance {
  /** Heads the report. */
  readonly name: string;
  /** Called before each block of tests; the target is used by that block alone until `dispose`. */
  readonly make: () => Promise<ConformanceTarget>;
}
