import type { JoinRequest, MemberRef, Offset, Reader, TaskRef } from "@millrace/core";
import * as fc from "fast-check";
import type { Kind, Pair } from "./pair.ts";
import type { Slot } from "./side.ts";
import { Topics } from "./topics.ts";
import type { OpenSession, World } from "./world.ts";

/** One step of a sequence. What it refers to is chosen among what is there, so that it means something behind any other. */
export type Command = (play: Play) => Promise<void>;

/** An open reader of a partition. */
export interface OpenReader {
  readonly label: string;
  readonly readers: Pair<Reader>;
  readonly partition: number;
  readonly topic: ReturnType<Topics["of"]>;
  /** How many records of the partition lie in front of the next one, for each of the two. */
  readonly next: Record<Kind, number>;
  readonly session: OpenSession;
  /** How many records the partition had when it was opened. */
  readonly lengthAtOpen: number;
  state: "fresh" | "read" | "closed";
}

/** A task that somebody acquired, and what that somebody knows of it. */
export interface Owner {
  readonly task: Pair<TaskRef>;
  readonly label: string;
  readonly log: string;
  readonly nonce: Pair<string>;
  /** Of the next commit. */
  sequence: number;
  offset: Pair<Offset>;
  processed: number;
}

/** A sequence while it is played: what its commands have made, the latest last. */
export class Play {
  readonly world: World;
  readonly topics: Topics;
  readonly readers: OpenReader[] = [];
  readonly owners: Owner[] = [];
  /** The stays of members that were let in. */
  readonly stays: MemberRef[] = [];
  /** How they joined, by instance. */
  readonly joins = new Map<string, JoinRequest>();
  readonly watches: { readonly label: string; readonly end: () => Promise<void> }[] = [];
  /** Numbers what must be new: values, instances. */
  #fresh = 0;

  constructor(world: World) {
    this.world = world;
    this.topics = new Topics(world);
  }

  /** Text that no command before has used. */
  fresh(stem: string): string {
    this.#fresh += 1;
    return `${stem}${this.#fresh}`;
  }
}

/** One of a few things, by a number of any size, counted from the last one; `undefined` where there is none. */
export function latest<A>(things: readonly A[], back: number): A | undefined {
  return things[things.length - 1 - (back % Math.max(1, things.length))];
}

/** Mostly the latest, sometimes one before it. */
export const anyBack = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(4) });

/** Mostly a session that is open. */
export const anySlot: fc.Arbitrary<Slot> = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom<Slot>(0, 1) },
  { weight: 1, arbitrary: fc.constant<Slot>("closed") },
);
