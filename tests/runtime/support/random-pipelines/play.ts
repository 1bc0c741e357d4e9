/** Runs a scenario in virtual time, and mends everything in the end. */
import { type Commit, createApp, type NewRecord, type Ports, partitionOf, type TopicInfo } from "@millrace/core";
import { createVirtualClock, memoryAdapter, type VirtualClock } from "@millrace/testing";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { random } from "../faulty-adapter.ts";
import { until } from "../until.ts";
import { buildPipeline, outTopicOf } from "./build.ts";
import { Crew } from "./crew.ts";
import { Model, type Value, type Visit, visitId } from "./model.ts";
import { Requests } from "./requests.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Scenario, Turn } from "./scenario.ts";
import { type Operator, type Shape, SOURCE, shapeOf } from "./shape.ts";
import { type SpyAdapter, spyAdapter, taskOf } from "./spy-adapter.ts";
import { World } from "./world.ts";

/** Virtual time (ms) in which all must have been processed once everything is mended. */
const LIVE_WITHIN_MS = 60_000;
/** So often letters are redriven in the end: each time, values come further, and may become letters there. */
const ROUNDS = 40;

/** A scenario that was played to its end: what lies in the store, and what was seen on the way. */
export interface Played {
  readonly shape: Shape;
  readonly model: Model;
  readonly world: World;
  readonly spy: SpyAdapter;
  readonly requests: Requests;
  readonly ports: Ports;
  readonly clock: VirtualClock;
  readonly maxRecords: number;
  /** The letters that are open. */
  readonly open: Awaited<ReturnType<Requests["open"]>>;
  /** How many letters all requests together say that they have done away with. */
  readonly done: number;
}

/** Plays a scenario. Rejects when it does not come to an end. */
export async function play(scenario: Scenario, sabotage: Sabotage = {}): Promise<Played> {
  return await new Play(scenario, sabotage).run();
}

class Play {
  private readonly scenario: Scenario;
  private readonly shape: Shape;
  private readonly clock = createVirtualClock(1_000_000);
  private readonly store = memoryAdapter({ clock: this.clock });
  private readonly model: Model;
  private readonly world: World;
  private readonly spy: SpyAdapter;
  private readonly crew: Crew;
  private readonly requests: Requests;
  private readonly app = createApp({ name: "app", adapter: this.store, clock: this.clock });
  private readonly log: readonly Value[];
  /** Sent when all is mended: one value for each key, which must get through. */
  private readonly probes: readonly Value[];
  private readonly operators: ReadonlyMap<string, Operator>;
  /** How many records each task has to process. */
  private readonly due = new Map<string, number>();

  constructor(scenario: Scenario, sabotage: Sabotage) {
    this.scenario = scenario;
    this.shape = shapeOf(scenario);
    const { stream, trunk, branches } = this.shape;
    const all = [stream, ...trunk, ...branches.flatMap(({ operators, end }) => [...operators, end])];
    this.operators = new Map(all.map((operator) => [operator.node, operator]));
    this.log = scenario.keys.map((key, n) => ({ key: `k${key}`, n, id: String(n), trail: "" }));
    this.probes = [...new Set(scenario.keys)].map((key, index) => {
      const n = this.log.length + index;
      return { key: `k${key}`, n, id: String(n), trail: "probe" };
    });
    this.model = new Model(this.shape, [...this.log, ...this.probes]);
    const next = random(scenario.seed);
    const { clock, model, shape } = this;
    this.world = new World(clock, model, next);
    this.spy = spyAdapter(sabotage.store?.(this.store) ?? this.store, (commit) => this.committed(commit));
    this.crew = new Crew({
      store: this.spy,
      clock,
      random: next,
      faults: scenario,
      build: (caller) => buildPipeline(shape, { model, world: this.world, caller, sabotage }),
      settle: (promise) => until(clock, promise),
    });
    const plan = buildPipeline(shape, { model, world: this.world, caller: { isGone: true }, sabotage });
    this.requests = new Requests(this.app, plan, shape);
  }

  async run(): Promise<Played> {
    const { clock, shape, model, world, spy, requests, crew } = this;
    const ports = await right(this.store.open());
    await crew.start();
    const loading = this.load(ports);
    for (const turn of this.scenario.turns) {
      await clock.advance(turn.afterMs);
      await this.take(turn);
    }
    await until(clock, loading);
    world.repairAll();
    if (shape.isEnded) {
      await this.append(ports, this.probes);
      await right(ports.log.seal(await this.source(ports)));
      await until(clock, crew.done(), LIVE_WITHIN_MS);
    } else {
      await this.redriveAll();
      await this.append(ports, this.probes);
      await this.redriveAll();
    }
    const open = await until(clock, requests.open());
    const done = await until(clock, requests.done(), LIVE_WITHIN_MS);
    await until(clock, crew.close());
    await until(clock, this.app.close());
    const { maxRecords } = this.scenario;
    return { shape, model, world, spy, requests, ports, clock, maxRecords, open, done };
  }

  private async take({ kind, which }: Turn): Promise<void> {
    switch (kind) {
      case "start":
        return await this.crew.start();
      case "crash":
        return await this.crew.crash(which);
      case "stop":
        return await this.crew.stop(which);
      case "repair":
        return this.world.repair(which);
      case "redriveAll":
      case "redriveKey":
      case "redriveNode":
      case "redriveSome":
      case "redriveFirst":
      case "discardSome":
      case "resume":
        if (!this.shape.isEnded) {
          await until(this.clock, this.requests.begin(kind, which));
        }
    }
  }

  /** Letters are redriven until only those are left that fail for ever, and those behind them. */
  private async redriveAll(): Promise<void> {
    const { clock, requests } = this;
    for (let round = 0; round < ROUNDS; round += 1) {
      await this.catchUp();
      const { done } = await until(clock, requests.redriveAll(), LIVE_WITHIN_MS);
      if (done === 0) {
        break;
      }
    }
    const open = await until(clock, requests.open());
    if (this.scenario.discardsRest && open.length > 0) {
      await until(clock, requests.discard(open), LIVE_WITHIN_MS);
    }
    await this.catchUp();
  }

  /** Time passes until every record is processed; tasks that are quarantined are resumed. */
  private async catchUp(): Promise<void> {
    const endsAtMs = this.clock.now() + LIVE_WITHIN_MS;
    let resumedAtMs = this.clock.now();
    const isBehind = ([task, due]: readonly [string, number]): boolean => (this.spy.processed.get(task) ?? 0) < due;
    for (let behind = [...this.due].filter(isBehind); behind.length > 0; behind = [...this.due].filter(isBehind)) {
      if (this.clock.now() > endsAtMs) {
        throw new Error(`liveness: ${behind.map(([task]) => task).join()} do not get on in ${LIVE_WITHIN_MS} ms`);
      }
      this.crew.refuseFailure();
      await this.clock.advance(20);
      if (this.clock.now() > resumedAtMs + 500) {
        await until(this.clock, this.requests.resume(), LIVE_WITHIN_MS);
        resumedAtMs = this.clock.now();
      }
    }
  }

  private async load(ports: Ports): Promise<void> {
    const { portion, pauseMs } = this.scenario;
    for (let from = 0; from < this.log.length; from += portion) {
      await this.append(ports, this.log.slice(from, from + portion));
      await new Promise<void>((resolve) => {
        this.clock.after(pauseMs, resolve);
      });
    }
  }

  /** Appended by hand: entries that do not decode have a key and headers, too. */
  private async append(ports: Ports, values: readonly Value[]): Promise<void> {
    const topic = await this.source(ports);
    for (let partition = 0; partition < topic.partitions; partition += 1) {
      const records = values
        .filter(({ key }) => partitionOf(key, topic.partitions) === partition)
        .map((value) => recordOf(value, this.clock.now()));
      const task = taskOf({ topic, partition });
      const firstSequence = this.due.get(task) ?? 0;
      this.due.set(task, firstSequence + records.length);
      if (records.length > 0) {
        await right(
          ports.log.append({ topic, partition, producer: "loader", ephemeral: false, firstSequence, records }),
        );
      }
    }
  }

  private async source(ports: Ports): Promise<TopicInfo> {
    const { partitions } = this.shape;
    return await right(ports.log.ensureTopic({ name: SOURCE, partitions, defaultPartitions: 1 }));
  }

  /** What is in a commit must not be done again; what it writes to another part of the pipeline is to be processed there. */
  private committed({ outputs }: Commit): void {
    for (const { topic, partition, records } of outputs) {
      if (topic.name.endsWith(".repartition")) {
        const task = taskOf({ topic, partition });
        this.due.set(task, (this.due.get(task) ?? 0) + records.length);
      }
      for (const record of records) {
        this.world.settle(this.doneBy(topic.name, record));
      }
    }
  }

  /** The visits whose work a record holds. */
  private doneBy(topic: string, { payload, headers }: NewRecord): readonly string[] {
    const { id }: Value = JSON.parse(payload);
    const letter = headers["millrace.dead-letter"];
    const end = this.shape.branches.find((branch) => outTopicOf(branch.end) === topic)?.end;
    const node = letter === undefined ? (end?.node ?? topic.slice("app.pipe.".length)) : JSON.parse(letter).node;
    const operator = this.operators.get(node);
    const visit = operator === undefined ? undefined : this.model.visits.get(visitId(operator, id));
    const last = letter === undefined ? visit : visit?.from;
    return last == null
      ? []
      : this.model
          .wayTo(last)
          .filter(isCalledOnce)
          .map((at) => visitId(at.operator, at.value.id));
  }
}

/** Codecs are asked again whenever a value is read. */
function isCalledOnce({ operator }: Visit): boolean {
  return operator.kind !== "stream";
}

function recordOf(value: Value, timestampMs: number): NewRecord {
  return {
    key: value.key,
    timestampMs,
    payload: JSON.stringify(value),
    headers: { n: String(value.n) },
    watermarkMs: null,
  };
}

async function right<A>(call: TaskEither<{ readonly message: string }, A>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new Error(`the store refuses: ${result.left.message}`);
  }
  return result.right;
}
