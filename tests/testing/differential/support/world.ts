/**
 * One sequence of calls, made to both adapters one after the other, and everything that later calls refer to.
 *
 * What only one adapter can know (nonces, incarnations, offsets) is held twice, and compared by the order in which it first
 * appeared.
 */
import type { Adapter, Offset, PortError, Ports, TopicInfo } from "@millrace/core";
import { type MemoryAdapter, memoryAdapter } from "@millrace/testing";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { acceptedBy } from "./accepted.ts";
import type { Coverage } from "./coverage.ts";
import type { LaneClock } from "./lane-clock.ts";
import type { Kind, Pair } from "./pair.ts";
import { Side, type Slot } from "./side.ts";
import { Difference, Inconclusive, type Step, textOf } from "./trace.ts";

/** A call of a port, to be made to both. */
export interface Call<A> {
  /** `<port>.<method>`. */
  readonly name: string;
  /** What it is given, as the report shows it. */
  readonly given: unknown;
  /** The call to one of them. It may be made more than once. */
  readonly to: (side: Side) => TaskEither<PortError, A>;
  /** What of a success must be alike. */
  readonly show: (answer: A, side: Side) => unknown;
  /** What of it counts apart in the coverage. Default: that it is a success. */
  readonly sort?: (answer: A) => string;
  /** Through which session. */
  readonly session: OpenSession;
}

/** A session of both. */
export interface OpenSession {
  readonly of: (side: Side) => Ports;
  /** Whether it is closed by now, so that `Unavailable` is an answer. */
  readonly isClosed: boolean;
}

/** A call that was made, to be made again. */
export interface Made {
  readonly name: string;
  readonly number: number;
  readonly session: OpenSession;
  readonly again: Pair<() => Promise<Shown>>;
}

/** An answer as the report shows it. */
export interface Shown {
  readonly text: string;
  readonly sort: string;
}

/** What a lane gives to each of its sequences. */
export interface WorldOptions {
  readonly redis: Adapter;
  /** Of Redis, for one sequence after the other. */
  readonly sessions: Ports[];
  readonly prefix: string;
  /** `null`: real time, which is not compared. */
  readonly clock: LaneClock | null;
  /** Deletes a topic of Redis as an administrator would. */
  readonly deleteTopic: (topic: TopicInfo) => Promise<void>;
  /** Makes sure that the hints of a group have arrived, of those that were sent. */
  readonly tellHint: (group: string, sentinel: string) => Promise<void>;
  readonly coverage: Coverage;
}

/** See the head of this file. */
export class World {
  readonly options: WorldOptions;
  readonly steps: Step[] = [];
  readonly made: Made[] = [];
  /** Whether all calls of the sequence were made, and what follows looks at what is left. */
  isOver = false;
  readonly #memory: MemoryAdapter;
  readonly #sides: Pair<Side>;
  /** Looks at the adapter in memory without being part of the sequence: what a command refers to. */
  readonly #peek: Ports;
  readonly #offsets = new Map<string, Partial<Record<Kind, Offset>>[]>();

  private constructor(options: WorldOptions, memory: MemoryAdapter, sides: Pair<Side>, peek: Ports) {
    this.options = options;
    this.#memory = memory;
    this.#sides = sides;
    this.#peek = peek;
  }

  static async open(options: WorldOptions): Promise<World> {
    const memory = memoryAdapter(options.clock === null ? {} : { clock: options.clock.virtual });
    const sides = {
      memory: await Side.open("memory", memory, [], options.prefix),
      redis: await Side.open("redis", options.redis, options.sessions, options.prefix),
    };
    const peek = await memory.open()();
    if (peek._tag === "Left") {
      throw new Error(peek.left.message);
    }
    return new World(options, memory, sides, peek.right);
  }

  get sides(): readonly Side[] {
    return [this.#sides.memory, this.#sides.redis];
  }

  /** The ports of the adapter in memory, to look at what a command refers to. Nothing of that is compared. */
  get peek(): Ports {
    return this.#peek;
  }

  /** What both adapters are given where each has its own. */
  pair<A>(of: (side: Side) => A): Pair<A> {
    return { memory: of(this.#sides.memory), redis: of(this.#sides.redis) };
  }

  /** A time (ms) as far as it can be compared. */
  time(ms: number): unknown {
    return this.options.clock === null ? "some time" : ms;
  }

  /** A number that comes from the clock, as far as it can be compared. */
  stamp(kind: string, stamp: number, side: Side): unknown {
    return this.options.clock === null && stamp !== 0 ? side.alias(kind, `${stamp}`) : stamp;
  }

  /** Makes a call to both and compares what it came to. What both returned; `null` where they refused it, alike. */
  async ask<A>(call: Call<A>): Promise<Pair<A> | null> {
    const last: Partial<Record<Kind, A>> = {};
    const again = this.pair((side) => {
      const made = call.to(side);
      return async (): Promise<Shown> => {
        try {
          const result = await made();
          if (result._tag === "Left") {
            return { text: `Left ${result.left._tag}`, sort: result.left._tag };
          }
          last[side.kind] = result.right;
          const sort = call.sort?.(result.right) ?? "success";
          return { text: textOf(call.show(result.right, side)), sort };
        } catch (error) {
          const thrown = error instanceof Error ? error.name : "something";
          return { text: `throws ${thrown}`, sort: `throws ${thrown}` };
        }
      };
    });
    const shown = { memory: await again.memory(), redis: await again.redis() };
    this.made.push({ name: call.name, number: this.steps.length + 1, session: call.session, again });
    const { isClosed } = call.session;
    const given = `${isClosed ? "of a closed session, " : ""}${textOf(call.given)}`;
    this.note(`${call.name}(${given})`, shown, { name: call.name, isClosed });
    const { memory, redis } = last;
    return memory === undefined || redis === undefined ? null : { memory, redis };
  }

  /** Notes a step, counts it, and throws a `Difference` where the answers are not alike and nothing accepts that. */
  note(
    call: string,
    shown: Pair<Shown>,
    { name, isClosed }: { readonly name: string; readonly isClosed: boolean },
  ): void {
    const answers = { memory: shown.memory.text, redis: shown.redis.text };
    const step = { call, answers, isLook: this.isOver };
    this.steps.push(step);
    this.options.coverage.count(name, isClosed ? `${shown.memory.sort} (closed)` : shown.memory.sort);
    if (answers.memory === answers.redis) {
      return;
    }
    if ((answers.redis === "Left Unavailable" && !isClosed) || name === "hints") {
      throw new Inconclusive(this.steps);
    }
    const accepted = acceptedBy(this.steps, name, isClosed);
    if (accepted === null) {
      throw new Difference(this.steps);
    }
    this.options.coverage.count("accepted difference", accepted.title);
  }

  /** Compares what was found otherwise than by a call. */
  compare(name: string, given: unknown, found: Pair<unknown>): void {
    const shown = (value: unknown): Shown => ({ text: textOf(value), sort: "found" });
    const pair = { memory: shown(found.memory), redis: shown(found.redis) };
    this.note(`${name}(${textOf(given)})`, pair, { name, isClosed: false });
  }

  /** Closes a session of both, and opens another one in its place. */
  async close(slot: 0 | 1): Promise<void> {
    for (const side of this.sides) {
      await side.close(slot);
    }
    this.compare("close", { session: slot }, { memory: "closed", redis: "closed" });
  }

  /** Deletes a topic as an administrator would, in both. */
  async deleteTopic(topic: Pair<TopicInfo>): Promise<void> {
    this.#memory.deleteTopic(topic.memory.name);
    await this.options.deleteTopic(topic.redis);
    this.compare("delete topic", topic.memory.name.slice(this.options.prefix.length), {
      memory: "gone",
      redis: "gone",
    });
  }

  /** Lets time pass for both; nothing where time is real. */
  async pass(ms: number): Promise<void> {
    if (this.options.clock !== null) {
      await this.options.clock.pass(ms);
      this.compare("time passes", `${ms} ms`, { memory: "", redis: "" });
    }
  }

  /** Remembers where a record lies: the `index`-th of the partition that `log` names. */
  saw(log: string, index: number, side: Kind, offset: Offset): void {
    const offsets = this.#offsets.get(log) ?? [];
    this.#offsets.set(log, offsets);
    offsets[index] = { ...offsets[index], [side]: offset };
  }

  /** Where records of a partition lie, those that both have shown. */
  seenIn(log: string): readonly (Pair<Offset> & { readonly index: number })[] {
    return (this.#offsets.get(log) ?? []).flatMap((offset, index) => {
      const { memory, redis } = offset ?? {};
      return memory === undefined || redis === undefined ? [] : [{ memory, redis, index }];
    });
  }

  /** The session of a slot. */
  session(slot: Slot): OpenSession {
    const of = this.pair((side) => side.ports(slot));
    const isOpen = (): boolean => this.#sides.memory.isOpen(of.memory);
    return {
      of: (side) => of[side.kind],
      get isClosed() {
        return !isOpen();
      },
    };
  }

  /** Frees what the sequence holds of the adapter in memory; sessions of Redis stay open for the next one. */
  async end(): Promise<void> {
    await Promise.all([this.#peek.close(), ...[0, 1].map((slot) => this.#sides.memory.ports(slot as 0 | 1).close())]);
  }
}
