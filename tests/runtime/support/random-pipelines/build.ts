/** A random pipeline as a program would write it, around functions that fail as planned. */
import {
  batch,
  type Call,
  type Codec,
  type FailureOptions,
  filter,
  flatMap,
  flatMapOrdered,
  type MapOrderedOptions,
  map,
  mapOrdered,
  mapUnordered,
  native,
  type Pipeline,
  partitionBy,
  pipeline,
  type RecordInfo,
  type Stream,
  type Sunk,
  sink,
  stream,
  type Topic,
  tap,
  topic,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as rx from "rxjs";
import { apply, groupOf, laneOf, type Model, type Value } from "./model.ts";
import type { Sabotage } from "./sabotage.ts";
import type { ForeignKind } from "./scenario.ts";
import { GROUP, LETTERS, type Operator, type Shape, SOURCE } from "./shape.ts";
import { type Caller, SETTLE_MS, TIMEOUT_MS, type World } from "./world.ts";

type Op<B = Value> = rx.OperatorFunction<Value, B>;

const keyOf = (value: Value): string => value.key;

/** The topic that an end writes. */
export const outTopicOf = (end: Pick<Operator, "name">): string => `out-${end.name}`;

/** What the functions of a pipeline meet. */
export interface Surroundings {
  readonly model: Model;
  readonly world: World;
  readonly caller: Caller;
  readonly sabotage: Sabotage;
}

/** The pipeline as one worker has it. */
export function buildPipeline(shape: Shape, around: Surroundings): Pipeline {
  const [first, ...others] = new Builder(shape, around).ends();
  if (first === undefined) {
    throw new Error("a pipeline without an end");
  }
  return pipeline(GROUP.slice("app.".length), first, ...others);
}

class Builder {
  private readonly shape: Shape;
  private readonly model: Model;
  private readonly world: World;
  private readonly caller: Caller;
  private readonly sabotage: Sabotage;

  constructor(shape: Shape, { model, world, caller, sabotage }: Surroundings) {
    this.shape = shape;
    this.sabotage = sabotage;
    this.model = model;
    this.world = world;
    this.caller = caller;
  }

  ends(): readonly Stream<Sunk>[] {
    const { stream: entries, trunk, branches, partitions } = this.shape;
    const { onError = "fail" } = this.policyOf(entries);
    const codec = this.codec(entries, null);
    const source = topic<Value>(SOURCE, { codec, key: keyOf, partitions });
    const behind = this.chain(stream(source, { onError }), trunk);
    return branches.map(({ operators, end }) => this.chain(behind, operators).pipe(this.end(end)));
  }

  private chain(from: Stream<Value>, operators: readonly Operator[]): Stream<Value> {
    return operators.reduce((before, each) => before.pipe(this.sabotaged(each)), from);
  }

  private end(end: Operator & { readonly partitions: number }): Op<Sunk> {
    if (end.kind === "topic") {
      const codec = this.codec(null, end);
      const to: Topic<Value> = topic<Value>(outTopicOf(end), { codec, key: keyOf, partitions: end.partitions });
      return sink(to, { name: end.name, ...this.policyOf(end) });
    }
    return sink(
      async (values: readonly Value[], call) => {
        call.idempotencyKeys.forEach((key, index) => {
          const value = values[index];
          if (value !== undefined) {
            this.world.noteKey(end, value, key);
          }
        });
        const { topic: from, partition } = call.records[0];
        await this.world.callAsync(
          this.caller,
          { operator: end, values, lane: `${end.name} ${from} ${partition}` },
          call,
        );
        this.world.noteWritten(end, values);
      },
      { name: end.name, maxBatch: end.concurrency, ...this.policyOf(end), ...callOptions(end) },
    );
  }

  private sabotaged(operator: Operator): Op {
    const op = this.operator(operator);
    return this.sabotage.operator?.(operator, op) ?? op;
  }

  private operator(operator: Operator): Op {
    const { kind, name } = operator;
    const options = { name, ...this.policyOf(operator) };
    switch (kind) {
      case "map":
        return map((value) => this.one(operator, value), options);
      case "filter":
        return filter((value) => this.many(operator, value).length > 0, options);
      case "tap":
        return tap((value) => void this.many(operator, value), options);
      case "flatMap":
        return flatMap((value) => this.many(operator, value), options);
      case "mapOrdered":
        return mapOrdered(async (...of) => only(await this.handled(operator, ...of)), this.laneOptions(operator));
      case "mapUnordered": {
        const { lane: _, ...rest } = this.laneOptions(operator);
        return mapUnordered(async (...of) => only(await this.handled(operator, ...of)), rest);
      }
      case "flatMapOrdered":
        return flatMapOrdered((...of) => this.handled(operator, ...of), this.laneOptions(operator));
      case "batch": {
        const collect = batch<Value>(operator.concurrency, { within: `${operator.slowMs} ms` });
        return (source) => flatMap((values: readonly Value[]) => values, { name })(collect(source));
      }
      case "partitionBy":
        return operator.isSameKey
          ? partitionBy(keyOf, { name })
          : partitionBy((value) => groupOf(this.one(operator, value)), options);
      case "rxMap":
      case "rxFilter":
      case "rxScan":
      case "rxMergeMap":
      case "rxBufferCount":
        return this.foreign(operator, kind);
      case "stream":
      case "topic":
      case "function":
        throw new Error(`"${name}" is no operator between others`);
    }
  }

  /** Operators of RxJS. Where a redrive must be able to commit they say that they hold nothing back. */
  private foreign(operator: Operator, kind: ForeignKind): Op {
    const { name, lane } = operator;
    const op = this.rxOf(operator, kind);
    if (!this.shape.isEnded) {
      return native(name, op, { stateless: true });
    }
    return lane === "key" || kind === "rxBufferCount" ? op : native(name, op);
  }

  private rxOf(operator: Operator, kind: ForeignKind): Op {
    switch (kind) {
      case "rxMap":
        return rx.map((value) => this.one(operator, value));
      case "rxFilter":
        return rx.filter((value) => this.many(operator, value).length > 0);
      case "rxScan":
        return rx.scan((_seen, value) => this.one(operator, value), NOTHING);
      case "rxMergeMap":
        return rx.mergeMap((value) => rx.from(this.many(operator, value)));
      case "rxBufferCount":
        return (source) =>
          source.pipe(
            rx.bufferCount(1 + (operator.concurrency % 3)),
            rx.mergeMap((values) => rx.from(values)),
          );
    }
  }

  private one(operator: Operator, value: Value): Value {
    return only(this.many(operator, value));
  }

  private many(operator: Operator, value: Value): readonly Value[] {
    this.world.call(this.caller, operator, value);
    return apply(operator, value);
  }

  private async handled(
    operator: Operator,
    value: Value,
    { topic: from, partition, key }: RecordInfo,
    call: Call,
  ): Promise<readonly Value[]> {
    this.world.noteKey(operator, value, call.idempotencyKey);
    const lanes = { key, none: null, function: laneOf(value) };
    const lane = operator.kind === "mapUnordered" ? null : lanes[operator.lane];
    const where = lane === null ? null : `${operator.name} ${from} ${partition} ${lane}`;
    await this.world.callAsync(this.caller, { operator, values: [value], lane: where }, call);
    return apply(operator, value);
  }

  private laneOptions(operator: Operator): MapOrderedOptions<Value> {
    const { name, concurrency, lane } = operator;
    return {
      name,
      concurrency,
      lane: lane === "function" ? laneOf : lane,
      ...this.policyOf(operator),
      ...callOptions(operator),
    };
  }

  private policyOf(operator: Operator): Pick<FailureOptions<Value>, "onError" | "deadLetters"> {
    const { policy, hasOwnTopic } = operator;
    const decide = (_error: unknown, { headers }: RecordInfo) => this.model.decision(operator, Number(headers["n"]));
    const onError = policy === "function" ? decide : policy;
    return hasOwnTopic ? { onError, deadLetters: { topic: LETTERS } } : { onError };
  }

  /** JSON that fails as planned: entries on their way in, or values on their way out. */
  private codec(entries: Operator | null, end: Operator | null): Codec<Value> {
    const attempt = (operator: Operator | null, value: Value): E.Either<{ path: string; message: string }[], Value> => {
      try {
        if (operator !== null) {
          this.world.call(this.caller, operator, value);
        }
        return E.right(value);
      } catch (error) {
        return E.left([{ path: "", message: String(error) }]);
      }
    };
    return {
      name: "planned JSON",
      decode: (text) => attempt(entries, JSON.parse(text)),
      encode: (value) => E.map((encoded: Value) => JSON.stringify(encoded))(attempt(end, value)),
    };
  }
}

const NOTHING: Value = { key: "", n: -1, id: "", trail: "" };

function callOptions({ attempts, hasTimeout }: Operator) {
  const retry = { attempts, backoff: "5 ms", longest: "20 ms" } as const;
  return hasTimeout ? ({ retry, timeout: `${TIMEOUT_MS} ms`, settle: `${SETTLE_MS} ms` } as const) : { retry };
}

function only(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) {
    throw new Error("nothing was made of a value");
  }
  return value;
}
