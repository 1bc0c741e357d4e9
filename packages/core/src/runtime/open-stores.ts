import { CONTROL_STORE } from "../topology/failure-target.ts";
import type { StoreSource } from "../topology/stage.ts";
import { loadStores, type StoreContents } from "./load-stores.ts";
import type { RetryOptions } from "./retrying.ts";
import { openStateSources } from "./state-sources.ts";
import type { TaskOptions } from "./task-options.ts";

/**
 * All that a task has in stores: what it must know as a whole (what became of dead letters, what it was asked), and the state of
 * its operators, of which it reads a page. Rejects with `MillraceError`.
 */
export async function openStores(
  options: TaskOptions,
  retry: RetryOptions,
): Promise<{ readonly stores: StoreContents; readonly sources: ReadonlyMap<string, StoreSource> }> {
  const { ports, ref, subTopology, limits, storeName } = options;
  const { state } = ports;
  const [stores, sources] = await Promise.all([
    loadStores(state, { ref, stores: [...subTopology.letterStores, CONTROL_STORE] }, retry),
    openStateSources(subTopology, { state, ref, limits, storeName, retry }),
  ]);
  return { stores, sources };
}
