import type {
  Aggregated,
  App,
  AppEvent,
  DeadLetter,
  Duration,
  Limits,
  Pipeline,
  RestartOptions,
  StreamRecord,
  Topic,
  Windowed,
} from "@millrace/core";
import type { OperatorFunction } from "rxjs";
import type { MemoryAdapter } from "../memory-adapter.ts";
import type { VirtualClock } from "../virtual-clock.ts";

/** How a test driver is made. */
export interface TestDriverOptions {
  /** Partitions of topics that declare none. A whole number from 1 to 4,096; default 4, as in production. */
  readonly partitions?: number;
  /** What the clock shows when the driver is ready, ms since the Unix epoch. A whole number >= 0; default the start of 2024. */
  readonly startMs?: number;
  /**
   * For how long a crashed worker keeps its tasks, in virtual time, from its last sign of life on, which is up to a fifth of that
   * before the crash. At least `"1 s"`; default `"10 s"`.
   */
  readonly session?: Duration;
  /** How tasks start again whose operators have failed. Default: not at all, so that a failure is seen at once. */
  readonly restart?: RestartOptions;
  /** Bounds of what each worker holds in memory. */
  readonly limits?: Limits;
  /** The app's name, the first part of its groups' names `<name>.<pipeline>`. Default `"test"`. */
  readonly name?: string;
  /** How much virtual time one call may need at most until workers have caught up. Default `"10 minutes"`. */
  readonly within?: Duration;
  /**
   * For how long virtual time stands still while handlers are under way that do not wait for it, and nothing happens. Default `"1 s"`. When it
   * does not help to let time pass either, a call waits as long once more before it gives up. Short (`"20 ms"`) where a test holds handlers.
   */
  readonly realWithin?: Duration;
}

/** One value or several. Where the values are lists themselves, only a list of them. */
export type Sendable<A> = [Extract<A, readonly unknown[]>] extends [never] ? A | readonly A[] : readonly A[];

/** How a call goes on behind its effect. */
export interface SettleOptions {
  /**
   * `"passes"` (the default): virtual time passes, no more than the workers need to catch up. `"stands"`: they do what they can at
   * this very moment. Then a batch that waits to be filled, or a call that is repeated after a pause, is still under way.
   */
  readonly time?: "passes" | "stands";
}

/** An entry as it lies in a topic, whether or not its codec can read it. */
export interface RawRecord {
  /** As the codec would write it: for `json`, JSON. */
  readonly payload: string;
  /** Decides the partition. Default: what the topic says of the value; `""` where the payload does not decode. */
  readonly key?: string;
  /**
   * Event time, ms since the Unix epoch. Default: what the topic says of the value; where the payload does not decode 0, which makes
   * nothing late. What the clock shows, where the topic has no `timestamp`.
   */
  readonly timestamp?: number;
  /** Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How far a task is. */
export interface CommittedPosition {
  /** The pipeline's name. */
  readonly pipeline: string;
  readonly partition: number;
  /** How many records of the partition are processed and committed. */
  readonly records: number;
  /** How many are not. */
  readonly lag: number;
  /** The position of the last one that is, `<entry id>/<index>`; `0-0/0` before the first one. */
  readonly offset: string;
  /** The worker that has the task, as far as the group knows; `null`: none. */
  readonly worker: string | null;
  /** The topic was ended, and all of it is processed. */
  readonly isComplete: boolean;
}

/** What a worker runs. */
export interface WorkerOptions {
  /** Pipelines, or a new release of them. Default: those that it had; of a new worker, all of the driver. */
  readonly pipelines?: Pipeline | readonly Pipeline[];
}

/** A worker of the driver. */
export interface WorkerDescription {
  readonly name: string;
  /**
   * `"finished"`: all there will ever be is processed. `"failed"`: a pipeline has stopped because of an error. `"removed"`: it has
   * left in good order.
   */
  readonly state: "running" | "frozen" | "crashed" | "removed" | "finished" | "failed";
}

/**
 * Pipelines at work in memory, and what a test does with them.
 *
 * They run as in production: the same runtime, many partitions, consumer groups, commits. Only the store is in memory, and the
 * clock is the test's own. Calls wait until the workers have **caught up**: until all that was sent is processed and committed,
 * through all pipelines, tasks have moved to where they are to be, and event time has reached the last pipeline. For that, virtual
 * time passes timer by timer, and only as far as it must: most calls need none, an event time that travels from one topic to the next
 * needs up to a second for each, a retry its pause. What is not waited for: tasks that are quarantined or pause before a restart,
 * tasks of a worker that is crashed or frozen, and records that an operator keeps until others follow.
 *
 * Handlers may do real work: while one is under way and none waits on {@link clock}, virtual time stands still, for up to `realWithin`.
 *
 * Calls are carried out one after the other, in the order in which they were made: none may wait for one behind it, as a handler would
 * that calls the driver. One that fails and is not awaited is an unhandled rejection. They reject with `TestDriverError`, or with the
 * `MillraceError` of what they ask the app for. The same test does the same thing every time, as long as its handlers do; only the
 * pauses of retries and restarts are partly random, as in production.
 */
export interface TestDriver extends AsyncDisposable {
  /**
   * The time of everything here. Handlers may wait on it: `sleep(driver.clock, 500)`. A timer that a handler sets belongs to its worker: of
   * a crashed one it never fires, of a frozen one at the thaw.
   */
  readonly clock: VirtualClock;
  /** The store, for apps of the test's own beside the driver's workers. */
  readonly adapter: MemoryAdapter;
  /**
   * An app with the workers' name that runs nothing: for `deadLetters(p).redrive`, `resume`, `describeGroup`, `observe`. What takes
   * virtual time goes through {@link until}.
   */
  readonly app: App;
  /** What has happened in all workers so far, in order. */
  readonly events: readonly AppEvent[];
  /** The workers so far, in the order in which they were started. */
  readonly workers: readonly WorkerDescription[];

  /**
   * Sends records to a topic, in order, and waits until the workers have caught up. An array is a list of records. Rejects with
   * `EncodeError` for a value that the topic cannot hold (those in front of it are sent), with `TopicSealed` after {@link end}.
   * Without a running worker it appends, and returns.
   */
  send<A>(topic: Topic<A>, records: NoInfer<Sendable<A>>, options?: SettleOptions): Promise<void>;
  /** As {@link send}, but of entries that need not be records of the topic: what poison pills are made of. */
  sendRaw<A>(topic: Topic<A>, records: RawRecord | readonly RawRecord[], options?: SettleOptions): Promise<void>;
  /** Ends a topic for good, as `producer.end()`: windows close, and where all topics have ended, the pipelines are complete. */
  end<A>(topic: Topic<A>, options?: SettleOptions): Promise<void>;
  /**
   * All committed records of a topic, partition after partition, in order within each. Rejects with `UnknownTopic` for a topic that no
   * pipeline reads or writes and nothing was sent to; with `DecodeError` where an entry does not decode.
   */
  read<A>(topic: Topic<A>): Promise<readonly StreamRecord<A>[]>;
  /** The values of {@link read}. */
  values<A>(topic: Topic<A>): Promise<readonly A[]>;

  /**
   * Moves time on by exactly so much; every timer on the way is called back at its moment. Then the workers do what they can; where
   * that finds them in the midst of a rebalance, as after the end of a session, time passes until it is over.
   */
  advance(duration: Duration): Promise<void>;
  /** Has virtual time pass until a promise settles, which must not wait for other calls of the driver: `driver.until(driver.app.deadLetters(p).redrive({ all: true }))`. */
  until<B>(promise: PromiseLike<B>): Promise<B>;

  /**
   * What an operator knows, as of the last commit: of `window` the windows that are open, by key, then by start; of `aggregate` the
   * newest result of each key. The operator is the one that the pipeline was made with, which types the result; or the name of its
   * store. The pipeline is only needed where several have it. Rejects with `InvalidOption` for an operator that
   * keeps nothing, or a store that no pipeline has.
   */
  state<O, K extends string>(
    operator: OperatorFunction<never, Windowed<O, K>>,
    pipeline?: Pipeline,
  ): Promise<ReadonlyMap<K, readonly Windowed<O, K>[]>>;
  state<O, K extends string>(
    operator: OperatorFunction<never, Aggregated<O, K>>,
    pipeline?: Pipeline,
  ): Promise<ReadonlyMap<K, O>>;
  state(store: string, pipeline?: Pipeline): Promise<ReadonlyMap<string, unknown>>;

  /** How far the tasks are that read a topic: for each pipeline, partition after partition. */
  committed<A>(topic: Topic<A>): Promise<readonly CommittedPosition[]>;
  /** The worker that has the task of a partition, as far as the group knows: a crashed one until its session is over. `null`: none. */
  owner<A>(topic: Topic<A>, partition: number, pipeline?: Pipeline): Promise<string | null>;
  /** The open dead letters of all pipelines; of one topic, those of its records, also where a change of key lies in between. */
  deadLetters<A>(topic?: Topic<A>): Promise<readonly DeadLetter[]>;

  /**
   * Starts another worker; returns its name, by default `worker-2`, `worker-3`, … It joins
   * as a stranger: tasks of a crashed worker come to it when {@link advance} has moved on behind the end of that one's session.
   */
  addWorker(name?: string, options?: WorkerOptions): Promise<string>;
  /** Stops a worker in good order: it finishes what it has begun, and hands its tasks over. Default: the one that was started first. */
  removeWorker(name?: string): Promise<void>;
  /**
   * Kills a worker as `kill -9` does: from now on none of its calls has an effect or an answer, and none of its timers fires, nor those that
   * its handlers have set on {@link clock}. A handler that waits for anything else, as for its signal, which aborts, goes on. What
   * it had not committed is processed again by whoever has its tasks next; the group learns of it when the session is over.
   * Takes no time. Returns the worker's name. Default: the one that was started first.
   */
  crash(name?: string): Promise<string>;
  /**
   * Starts a worker again that is crashed, failed, removed or finished, under its name, so that it has its place in the group back at once, as a pod of
   * a StatefulSet has. Default: the one that ended last. Returns its name. Rejects with what `app.run` rejects with.
   */
  restart(name?: string, options?: WorkerOptions): Promise<string>;
  /**
   * Suspends a worker as `SIGSTOP` does: its calls, their answers and its timers wait. When its session is over, others have its tasks.
   * Takes no time. Returns its name. Default: the one that was started first.
   */
  freeze(name?: string): Promise<string>;
  /** Lets a frozen worker go on; default all of them. Commits that come too late are refused. */
  thaw(name?: string): Promise<void>;

  /** Stops everything at once, without waiting for handlers. Rejects with a failure that no call has told yet. Idempotent. */
  close(): Promise<void>;
}
