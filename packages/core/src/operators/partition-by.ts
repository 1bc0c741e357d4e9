import type { OperatorFunction } from "rxjs";
import type { Codec } from "../codec/codec.ts";
import { trustedJson } from "../codec/json.ts";
import { type FailureOptions, failurePolicy } from "../topology/failure.ts";
import { operatorSpec, type Repartition } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import { type RecordInfo, withKey } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";
import { checkKey, checkName, checkPartitions } from "../topology/topic.ts";

/** How the topic behind a change of key is made. */
export interface PartitionByOptions<A> extends Pick<FailureOptions<A>, "onError" | "deadLetters"> {
  /** Part of the topic's name, which must stay the same over releases. Default: derived from the node in front. */
  readonly name?: string;
  /** Number of partitions, 1 to 4,096. Default: that of the topic that is read. */
  readonly partitions?: number;
  /** How values travel. Default: JSON, refusing what JSON would change. */
  readonly codec?: Codec<A>;
}

/**
 * Groups by another key: all values of one key go on in one partition, in order for each source partition. Compiles to a
 * repartition topic, `<app>.<pipeline>.<name>.repartition`, between two sub-topologies; to nothing where the topic is
 * already partitioned by that very function.
 */
export function partitionBy<A>(
  key: (value: A, record: RecordInfo) => string,
  options: PartitionByOptions<A> = {},
): OperatorFunction<A, A> {
  checkFunction("partitionBy: its first argument", key);
  checkOptions("partitionBy", options, ["name", "partitions", "codec", "onError", "deadLetters"]);
  return operator(
    operatorSpec({
      kind: "partitionBy",
      detail: key.name,
      name: checkedName(options.name),
      owns: "topic",
      passesValues: true,
      needsKey: true,
      repartition: repartitionOf(key, options),
      failure: failurePolicy("partitionBy", options),
      stage: rekeyStage(key),
    }),
  );
}

/** Where values go whose key changes. */
export function repartitionOf<A>(
  key: (value: A, record: RecordInfo) => string,
  options: Pick<PartitionByOptions<A>, "partitions" | "codec">,
): Repartition {
  const { partitions, codec } = options;
  return {
    key,
    partitions: partitions === undefined ? null : checkPartitions("partitionBy", partitions),
    codec: codec ?? trustedJson,
  };
}

/** The name of an owning node, checked; `null` where it is absent. */
export function checkedName(name: string | undefined): string | null {
  if (name !== undefined) {
    checkName("node", name);
  }
  return name ?? null;
}

/** On an ordinary Observable, and where no topic is needed: only the record's key changes. */
function rekeyStage<A>(key: (value: A, record: RecordInfo) => string): StageFactory<A, A> {
  return (down, env) => ({
    next: (value) => {
      const before = scope.record;
      try {
        scope.record = withKey(before, checkKey(env.node, key(value, before)));
      } catch (cause) {
        throw env.failure(cause, before);
      }
      try {
        down.next(value);
      } finally {
        scope.record = before;
      }
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
}
