import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { PortError } from "../ports/port-error.ts";
import type { DuePage, DueRange, StateStore } from "../ports/state-store.ts";
import type { TaskRef } from "../ports/tasks.ts";
import { updatesName } from "../topology/kept-topology.ts";
import type { StoreSource } from "../topology/stage.ts";
import type { SubTopology } from "../topology/sub-topology.ts";
import type { TaskLimits } from "./limits.ts";
import { type RetryOptions, retrying } from "./retrying.ts";

/** What the sources of a task's state need. */
export interface StateSourceOptions {
  readonly state: StateStore;
  readonly ref: TaskRef;
  readonly limits: TaskLimits;
  /** The name under which a store of the plan is kept. */
  readonly storeName: (store: string) => string;
  readonly retry: RetryOptions;
}

/**
 * The stores of a sub-topology's operators in one task, by their names in the plan. Of each, one page is read: a small store
 * is whole then, and a large one does not keep its task from starting. Rejects with `MillraceError`.
 */
export async function openStateSources(
  subTopology: SubTopology,
  options: StateSourceOptions,
): Promise<ReadonlyMap<string, StoreSource>> {
  const named = subTopology.stateStores.flatMap(({ store, keepsUpdates }) => {
    const kept = options.storeName(store);
    return [[store, kept] as const, ...(keepsUpdates ? [[updatesName(store), updatesName(kept)] as const] : [])];
  });
  const open = async ([name, kept]: readonly [string, string]): Promise<readonly [string, StoreSource]> => {
    const { state, ref } = options;
    const anyDue = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, limit: 1 };
    const [page, due] = await Promise.all([
      answered(() => state.scan(ref, kept, null)(), options.retry),
      // Fails where the first of the sorted entries has no value any more.
      answered(() => state.due(ref, kept, anyDue)(), options.retry),
    ]);
    const { entries, cursor } = page;
    const hasDue = due.entries.length > 0;
    const first = { entries, isWhole: cursor === null, hasDue, shares: named.length };
    return [name, new TaskStoreSource(kept, first, options)];
  };
  return new Map(await Promise.all(named.map(open)));
}

class TaskStoreSource implements StoreSource {
  readonly name: string;
  readonly entries: StoreSource["entries"];
  readonly isWhole: boolean;
  readonly hasDue: boolean;
  private readonly shares: number;
  private readonly options: StateSourceOptions;

  constructor(
    name: string,
    first: Pick<StoreSource, "entries" | "isWhole" | "hasDue"> & { readonly shares: number },
    options: StateSourceOptions,
  ) {
    this.name = name;
    this.entries = first.entries;
    this.isWhole = first.isWhole;
    this.hasDue = first.hasDue;
    this.shares = first.shares;
    this.options = options;
  }

  get maxBytes(): number {
    return this.options.limits.maxStateBytes / this.shares;
  }

  get(keys: readonly string[]): Promise<readonly (string | null)[]> {
    const { state, ref, retry } = this.options;
    return answered(() => state.get(ref, this.name, keys)(), retry);
  }

  due(range: DueRange): Promise<DuePage> {
    const { state, ref, retry } = this.options;
    return answered(() => state.due(ref, this.name, range)(), retry);
  }
}

async function answered<A>(call: () => Promise<E.Either<PortError, A>>, retry: RetryOptions): Promise<A> {
  const answer = await retrying(call, retry);
  if (E.isLeft(answer)) {
    throw new MillraceError(answer.left);
  }
  return answer.right;
}
