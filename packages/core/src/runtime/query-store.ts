/** What a pipeline's stores say of a key, asked from any process. */
import * as E from "fp-ts/lib/Either.js";
import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import { partitionOf } from "../kernel/partitioner.ts";
import type { Ports } from "../ports/adapter.ts";
import type { TaskRef } from "../ports/tasks.ts";
import type { Any } from "../topology/any.ts";
import { decodeTopology, physicalName } from "../topology/kept-topology.ts";
import { unfold } from "../topology/operator.ts";
import type { StoreReader } from "../topology/stage.ts";
import { type CompiledNode, nodesOf, type SubTopology } from "../topology/sub-topology.ts";
import { checkKey } from "../topology/topic.ts";
import { demand } from "./demand.ts";
import { ensureTopics, topicOf } from "./plan-topics.ts";

/** Whose store is asked. */
export interface QueryOptions {
  readonly ports: Ports;
  /** The pipeline's name, for messages. */
  readonly pipeline: string;
  readonly group: string;
  readonly subTopologies: readonly SubTopology[];
}

/** The operator's results for a key as of the last commit. Rejects with `MillraceError`. */
export async function queryStore(
  options: QueryOptions,
  store: OperatorFunction<Any, Any> | string,
  key: string,
): Promise<readonly Any[]> {
  const { ports, group, subTopologies } = options;
  const { subTopology, node } = nodeOf(options, store);
  const { query } = node.spec;
  const name = node.store ?? "";
  if (query === null) {
    throw new MillraceError("InvalidOption", `queryStore: "${node.label}" keeps nothing that could be asked for`);
  }
  const topics = await ensureTopics(ports.log, subTopologies);
  const topic = topicOf(topics, subTopology.source);
  const partition = partitionOf(checkKey(topic.name, key), topic.partitions);
  const kept = await keptName(ports, group, name);
  try {
    return await query(readerOf(ports, { group, topic, partition }, kept), key);
  } catch (cause) {
    if (cause instanceof MillraceError) {
      throw cause;
    }
    const text = `queryStore: what store "${name}" holds of ${quote(key)} cannot be read by this version (see cause)`;
    throw new MillraceError("DecodeError", text, cause);
  }
}

/** Where the store of an operator is, or of that name. Throws `InvalidOption` unless there is one. */
function nodeOf(
  { pipeline, subTopologies }: QueryOptions,
  store: OperatorFunction<Any, Any> | string,
): { readonly subTopology: SubTopology; readonly node: CompiledNode } {
  const [spec] = typeof store === "function" ? unfold(store) : [];
  const found = subTopologies.flatMap((subTopology) =>
    nodesOf(subTopology)
      .filter((node) => node.store !== null && (typeof store === "string" ? node.store === store : node.spec === spec))
      .map((node) => ({ subTopology, node })),
  );
  const [only] = found;
  if (only === undefined) {
    const names = subTopologies.flatMap(({ stateStores }) => stateStores.map((one) => quote(one.store)));
    const asked = typeof store === "string" ? `store ${quote(store)}` : "store of that operator";
    throw new MillraceError(
      "InvalidOption",
      `queryStore: pipeline "${pipeline}" has no ${asked}; it has ${names.length === 0 ? "none" : names.join(", ")}`,
    );
  }
  if (found.length > 1) {
    const names = found.map(({ node }) => quote(node.store)).join(", ");
    throw new MillraceError(
      "InvalidOption",
      `queryStore: the operator has several stores: say which by name: ${names}`,
    );
  }
  return only;
}

/** Under which name the store lies: another one after each reset. */
async function keptName({ group }: Ports, of: string, store: string): Promise<string> {
  const stored = await demand(group.topology(of));
  const kept = stored === null ? null : decodeTopology(stored.topology);
  if (kept !== null && E.isLeft(kept)) {
    throw new MillraceError("DecodeError", `the stored topology of group "${of}" does not decode: ${kept.left}`);
  }
  return physicalName(store, kept?.right.stores.get(store)?.since ?? 0);
}

function readerOf({ state }: Ports, task: TaskRef, store: string): StoreReader {
  return {
    get: (keys) => demand(state.get(task, store, keys)),
    due: (range) => demand(state.due(task, store, range)),
  };
}
