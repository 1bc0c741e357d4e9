import type { App, AppEvent, DeadLetter, Duration, Log, Pipeline, Producer, StreamRecord, Topic } from "@millrace/core";
import { lastValueFrom, toArray } from "rxjs";
import type { MemoryAdapter } from "../memory-adapter.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { checkPromise, checkTopic } from "./arguments.ts";
import { extentOf, milliseconds, releaseOf } from "./driver-options.ts";
import type { DriverWorker } from "./driver-worker.ts";
import { refuseFakes } from "./event-loop.ts";
import { lettersOf } from "./letters-of.ts";
import { positionsOf } from "./positions.ts";
import { appendRaw, rawRecordsOf } from "./raw-records.ts";
import type { Extent, Settling } from "./settling.ts";
import { type Asked, stateOf } from "./state-of.ts";
import type {
  CommittedPosition,
  RawRecord,
  Sendable,
  SettleOptions,
  TestDriver,
  WorkerDescription,
  WorkerOptions,
} from "./test-driver.ts";
import { TestDriverError } from "./test-driver-error.ts";
import type { Topics } from "./topics.ts";
import type { Workers } from "./workers.ts";

/** What the driver is made of. */
export interface DriverParts {
  /** As users have it. */
  readonly clock: VirtualClock;
  readonly adapter: MemoryAdapter;
  readonly app: App;
  readonly log: Log;
  readonly topics: Topics;
  readonly workers: Workers;
  readonly settling: Settling;
  /** Ends what is under way. */
  readonly closing: AbortController;
}

/** The driver: one call after the other. */
export class MemoryTestDriver implements TestDriver {
  private readonly parts: DriverParts;
  /** The newest of each name. */
  private readonly pipelines = new Map<string, Pipeline>();
  private readonly producers = new Map<object, Promise<Producer<unknown>>>();
  /** The end of the last call. */
  private last: Promise<unknown> = Promise.resolve();
  /** How many calls have not ended. */
  private open = 0;
  private closed: Promise<void> | null = null;

  constructor(parts: DriverParts) {
    this.parts = parts;
  }

  /** How many calls wait for the one that is under way. */
  get callsBehind(): number {
    return Math.max(0, this.open - 1);
  }

  get clock(): VirtualClock {
    return this.parts.clock;
  }

  get adapter(): MemoryAdapter {
    return this.parts.adapter;
  }

  get app(): App {
    return this.parts.app;
  }

  get events(): readonly AppEvent[] {
    return this.parts.workers.events;
  }

  get workers(): readonly WorkerDescription[] {
    return this.parts.workers.all.map(({ name, state }) => ({ name, state }));
  }

  send<A>(topic: Topic<A>, records: Sendable<A>, options?: SettleOptions): Promise<void> {
    return this.changing(extentOf("send", options), async () => {
      const list = (Array.isArray(records) ? records : [records]) as readonly A[];
      const producer = await this.producer(topic);
      await this.passing(`records to be stored in topic "${topic.name}"`, producer.sendAll(list));
    });
  }

  sendRaw<A>(topic: Topic<A>, records: RawRecord | readonly RawRecord[], options?: SettleOptions): Promise<void> {
    return this.changing(extentOf("sendRaw", options), async () => {
      const list = rawRecordsOf(records);
      await this.producer(topic);
      const info = this.known("sendRaw", topic);
      const appended = appendRaw({ log: this.parts.log, topic, info, nowMs: this.clock.now() }, list);
      await this.passing(`entries to be stored in topic "${topic.name}"`, appended);
    });
  }

  end<A>(topic: Topic<A>, options?: SettleOptions): Promise<void> {
    return this.changing(extentOf("end", options), async () => {
      const producer = await this.producer(topic);
      await this.passing(`topic "${topic.name}" to end`, producer.end());
    });
  }

  read<A>(topic: Topic<A>): Promise<readonly StreamRecord<A>[]> {
    return this.calling(async () => {
      this.known("read", topic);
      const records$ = this.app.observe(topic, { from: "start", untilEnd: true }).pipe(toArray());
      const records = await this.passing(`topic "${topic.name}" to be read`, lastValueFrom(records$));
      return records.toSorted((a, b) => a.partition - b.partition);
    });
  }

  async values<A>(topic: Topic<A>): Promise<readonly A[]> {
    return (await this.read(topic)).map(({ value }) => value);
  }

  advance(duration: Duration): Promise<void> {
    return this.calling(async () => {
      await this.parts.settling.advance(milliseconds("advance", duration));
      await this.parts.settling.settle("group");
    });
  }

  until<B>(promise: PromiseLike<B>): Promise<B> {
    return this.calling(async () => {
      checkPromise("until", promise);
      return await this.passing("the promise given to until()", promise);
    });
  }

  state(asked: Asked, pipeline?: Pipeline): Promise<ReadonlyMap<never, never>> {
    return this.calling(async () => {
      const pipelines = pipeline === undefined ? [...this.pipelines.values()] : [pipeline];
      // The overloads say what it is of.
      return (await stateOf(this.parts, asked, pipelines)) as ReadonlyMap<never, never>;
    });
  }

  committed<A>(topic: Topic<A>): Promise<readonly CommittedPosition[]> {
    return this.calling(async () => {
      this.known("committed", topic);
      return await positionsOf(this.app, topic.name, [...this.pipelines.values()]);
    });
  }

  owner<A>(topic: Topic<A>, partition: number, pipeline?: Pipeline): Promise<string | null> {
    return this.calling(async () => {
      this.known("owner", topic);
      const pipelines = pipeline === undefined ? [...this.pipelines.values()] : [pipeline];
      const positions = await positionsOf(this.app, topic.name, pipelines);
      const [task, other] = positions.filter((position) => position.partition === partition);
      if (other !== undefined) {
        const text = `owner: several pipelines read topic "${topic.name}": say which, owner(topic, partition, pipeline)`;
        throw new TestDriverError("InvalidCall", text);
      }
      if (task === undefined) {
        const text = `owner: no pipeline reads partition ${partition} of topic "${topic.name}"`;
        throw new TestDriverError("InvalidCall", `${text}; tasks are there for ${positions.length} partitions`);
      }
      return task.worker;
    });
  }

  deadLetters<A>(topic?: Topic<A>): Promise<readonly DeadLetter[]> {
    return this.calling(async () => {
      if (topic !== undefined) {
        this.known("deadLetters", topic);
      }
      const letters: DeadLetter[] = [];
      for (const pipeline of this.pipelines.values()) {
        const found = lettersOf(this.app, pipeline, topic?.name ?? null);
        letters.push(...(await this.passing("dead letters to be read", found)));
      }
      return letters;
    });
  }

  addWorker(name?: string, options: WorkerOptions = {}): Promise<string> {
    return this.changing("passes", () => {
      const given = releaseOf("addWorker", options);
      const all = given ?? [...this.pipelines.values()];
      return this.start(this.parts.workers.add(name, all), given);
    });
  }

  removeWorker(name?: string): Promise<void> {
    return this.changing("passes", async () => {
      const worker = this.parts.workers.find("removeWorker", name, ["running"]);
      await this.passing(`worker ${worker.name} to stop`, worker.stop());
    });
  }

  crash(name?: string): Promise<string> {
    return this.changing("stands", async () => {
      const worker = this.parts.workers.find("crash", name, ["running", "frozen"]);
      worker.crash();
      return worker.name;
    });
  }

  restart(name?: string, options: WorkerOptions = {}): Promise<string> {
    return this.changing("passes", () => {
      const given = releaseOf("restart", options);
      const { workers } = this.parts;
      const ended = workers.findEnded("restart", name);
      const all = given ?? ended.startedWith ?? [...this.pipelines.values()];
      return this.start(workers.replace(ended, all), given);
    });
  }

  freeze(name?: string): Promise<string> {
    return this.changing("stands", async () => {
      const worker = this.parts.workers.find("freeze", name, ["running"]);
      worker.freeze();
      return worker.name;
    });
  }

  thaw(name?: string): Promise<void> {
    return this.changing("passes", async () => {
      const { workers } = this.parts;
      const first = workers.find("thaw", name, ["frozen"]);
      for (const worker of name === undefined ? workers.all : [first]) {
        worker.thaw();
      }
    });
  }

  close(): Promise<void> {
    this.closed ??= this.shutDown();
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async shutDown(): Promise<void> {
    const { workers, app, settling, closing } = this.parts;
    closing.abort();
    await this.last;
    for (const worker of workers.all) {
      worker.crash();
    }
    await app.close();
    settling.throwFailure();
  }

  /** What is asked of a pipeline is asked of its newest release: the last one that was given and has started. */
  private async start(worker: DriverWorker, given: readonly Pipeline[] | null): Promise<string> {
    await this.passing(`worker ${worker.name} to start`, worker.start());
    for (const pipeline of given ?? []) {
      this.pipelines.set(pipeline.name, pipeline);
    }
    return worker.name;
  }

  private async producer<A>(topic: Topic<A>): Promise<Producer<A>> {
    checkTopic(topic);
    const known = this.producers.get(topic);
    const opened = known ?? this.app.producer(topic);
    if (known === undefined) {
      this.producers.set(topic, opened);
      opened.catch(() => this.producers.delete(topic));
    }
    return await this.passing(`topic "${topic.name}" to be opened`, opened);
  }

  /** A topic that there is. */
  private known<A>(call: string, topic: Topic<A>): NonNullable<ReturnType<Topics["find"]>> {
    checkTopic(topic);
    const { name } = topic;
    const { topics } = this.parts;
    const info = topics.find(name);
    if (info === undefined) {
      const text = `${call}: no pipeline reads or writes topic "${name}", and nothing was sent to it`;
      throw new TestDriverError("UnknownTopic", `${text}; there are ${topics.names.join(", ")}`);
    }
    return info;
  }

  private passing<B>(what: string, promise: PromiseLike<B>): Promise<B> {
    return this.parts.settling.until(what, promise);
  }

  /** A call that changes something, and waits for what follows from it. */
  private changing<B>(extent: Extent, body: () => Promise<B>): Promise<B> {
    return this.calling(async () => {
      const result = await body();
      await this.parts.settling.settle(extent);
      return result;
    });
  }

  /** Behind all earlier calls. A failure that nobody was told of comes first. */
  private calling<B>(body: () => Promise<B>): Promise<B> {
    this.open += 1;
    const called = this.last.then(() => {
      if (this.closed !== null) {
        throw new TestDriverError("Closed", "the test driver is closed");
      }
      refuseFakes();
      this.parts.settling.throwFailure();
      return body();
    });
    const over = (): void => {
      this.open -= 1;
    };
    this.last = called.then(over, over);
    // A promise of its own: a failure that the test does not look at must be an unhandled rejection, and `last` has looked at this one.
    return called.then((result) => result);
  }
}
