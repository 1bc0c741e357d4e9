import type { App, AppEvent, DeadLetter, Duration, Log, Pipeline, Producer, StreamRecord, Topic } from "@millrace/core";
import { lastValueFrom, toArray } from "rxjs";
import type { MemoryAdapter } from "../memory-adapter.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { extentOf, milliseconds } from "./driver-options.ts";
import type { DriverWorker } from "./driver-worker.ts";
import { lettersOf } from "./letters-of.ts";
import { listOf } from "./plan.ts";
import { positionsOf } from "./positions.ts";
import { appendRaw } from "./raw-records.ts";
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
  private closed: Promise<void> | null = null;

  constructor(parts: DriverParts) {
    this.parts = parts;
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
      const list = "payload" in records ? [records] : records;
      await this.producer(topic);
      const info = this.known("sendRaw", topic);
      await appendRaw({ log: this.parts.log, topic, info, nowMs: this.clock.now() }, list);
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
    return this.calling(() => this.passing("the promise given to until()", promise));
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

  addWorker(name?: string, { pipelines }: WorkerOptions = {}): Promise<string> {
    return this.changing("passes", () => {
      const all = pipelines === undefined ? [...this.pipelines.values()] : this.noted("addWorker", pipelines);
      return this.start(this.parts.workers.add(name, all));
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

  restart(name?: string, { pipelines }: WorkerOptions = {}): Promise<string> {
    return this.changing("passes", () => {
      const { workers } = this.parts;
      const ended = workers.findEnded("restart", name);
      return this.start(workers.replace(ended, pipelines === undefined ? undefined : this.noted("restart", pipelines)));
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

  /** As many as are given, with their names noted: what is asked of a pipeline is asked of its newest release. */
  private noted(call: string, given: Pipeline | readonly Pipeline[]): readonly Pipeline[] {
    const list = listOf(call, given);
    for (const pipeline of list) {
      this.pipelines.set(pipeline.name, pipeline);
    }
    return list;
  }

  private async start(worker: DriverWorker): Promise<string> {
    await this.passing(`worker ${worker.name} to start`, worker.start());
    return worker.name;
  }

  private async producer<A>(topic: Topic<A>): Promise<Producer<A>> {
    const known = this.producers.get(topic);
    if (known !== undefined) {
      return await known;
    }
    const opened = this.app.producer(topic);
    this.producers.set(topic, opened);
    opened.catch(() => this.producers.delete(topic));
    return await this.passing(`topic "${topic.name}" to be opened`, opened);
  }

  /** A topic that there is. */
  private known(call: string, { name }: { readonly name: string }): NonNullable<ReturnType<Topics["find"]>> {
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
    const called = this.last.then(() => {
      if (this.closed !== null) {
        throw new TestDriverError("Closed", "the test driver is closed");
      }
      this.parts.settling.throwFailure();
      return body();
    });
    this.last = called.catch(() => {});
    return called;
  }
}
